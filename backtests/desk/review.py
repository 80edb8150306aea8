"""What a journal said, beside what a backtest on today's bars says of the same evenings."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from backtests.config.config import Config, validated_config
from backtests.config.files import parsed_toml
from backtests.desk.evening import Evening, evening_of
from backtests.desk.written import bars_digests, order_json
from backtests.market.inputs import Inputs, load_inputs
from backtests.records.journal import JournalLine, read


@dataclass(frozen=True, slots=True)
class Reviewed:
    """One line of a journal: what it said, what is said now, and why they differ."""

    line: int
    as_of: str
    asset: str
    said: str
    now: str
    reasons: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Whether both say the same."""
        return self.said == self.now


def review(path: Path, *, data: dict[str, Any]) -> list[Reviewed]:
    """Return every line of a journal beside what its config says on today's bars.

    `data` are settings of where bars come from, in place of the line's own.

    Raises
    ------
    DataError
        If the chain is broken.
    """
    return list(_reviews(read(path), data))


def _reviews(lines: Sequence[JournalLine], data: dict[str, Any]) -> Iterator[Reviewed]:
    loaded: dict[str, Inputs] = {}
    for line in lines:
        config = _config(line, data)
        key = str(line.content["config_hash"])
        if key not in loaded:
            loaded[key] = load_inputs(config)
        evening = evening_of(config, loaded[key], equity=float(line.content["equity"]))
        yield _comparison(line, evening)


def _config(line: JournalLine, data: dict[str, Any]) -> Config:
    """Return the config of a line, as of its evening."""
    tree = parsed_toml(str(line.content["config"]).encode())
    last = pd.Timestamp(str(line.content["as_of"])) - pd.Timedelta(seconds=1)
    tree["data"] |= {name: value for name, value in data.items() if value is not None}
    tree["data"]["end"] = f"{last:%Y-%m-%d}"
    return validated_config(tree)


def _comparison(line: JournalLine, evening: Evening) -> Reviewed:
    content = line.content
    digests = bars_digests(evening)
    revised = [name for name, digest in content["bars"].items() if digests.get(name) != digest]
    reasons = [f"bars of {', '.join(revised)} were revised or extended"] if revised else []
    said, now = _brief(content["decision"]), _brief({
        "in_market": evening.in_market,
        "order": order_json(evening.order),
        "stale": evening.stale,
    })  # fmt: skip
    return Reviewed(
        line.line, str(content["as_of"]), str(content["asset"]), said, now, tuple(reasons)
    )


def _brief(decision: Any) -> str:
    held = "in the market" if decision["in_market"] else "in cash"
    order = decision["order"]
    due = f"{order['side']} ({order['reason']})" if order else "nothing due"
    return f"{held}, {due}"
