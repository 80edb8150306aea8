"""What a journal said, beside what a backtest on today's bars says of the same evenings."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from backtests.config.config import Config, validated_config
from backtests.config.raw_settings import parsed_toml
from backtests.desk.messages import bars_digests, order_json
from backtests.desk.today import Evening, evening_of
from backtests.market.inputs import Inputs, load_inputs
from backtests.records.decision_journal import JournalLine, read
from feeds.errors import InputError


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


@dataclass(frozen=True, slots=True)
class Record:
    """What following a journal's lines of one config would have made, made in advance.

    `growth` is from the open after the first line to the last close, before costs and without
    interest on cash; `holding` that of the coin; `days` how long that is.
    """

    asset: str
    config_hash: str
    first: str
    lines: int
    days: float
    growth: float
    holding: float


@dataclass(frozen=True, slots=True)
class Review:
    """A journal beside today's bars: every line, and the record of each config of one coin."""

    lines: tuple[Reviewed, ...]
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class JournalPart:
    """A journal's lines of one config: how many, since when, the last, and their record.

    `record` is None where today's bars are not at hand, or a basket is traded.
    """

    asset: str
    config_hash: str
    lines: int
    first: str
    last: str
    said: str
    record: Record | None


@dataclass(frozen=True, slots=True)
class JournalShown:
    """A journal as a list of files shows it; `problem` is empty where its chain is unbroken."""

    name: str
    parts: tuple[JournalPart, ...] = ()
    problem: str = ""


def show_journal(path: Path) -> JournalShown:
    """Return a journal in brief, its record from bars that are at hand: no vendor is asked."""
    try:
        by_config = _by_config(read(path))
        return JournalShown(path.name, tuple(map(_part, by_config.values())))
    except InputError as error:
        return JournalShown(path.name, problem=str(error))
    except (KeyError, TypeError, ValueError) as error:
        return JournalShown(path.name, problem=f"a line lacks what a decision has: {error!r}")


def _part(lines: Sequence[JournalLine]) -> JournalPart:
    first, last = lines[0].content, lines[-1].content
    return JournalPart(
        asset=str(first["asset"]),
        config_hash=str(first["config_hash"]),
        lines=len(lines),
        first=str(first["as_of"]),
        last=str(last["as_of"]),
        said=_brief(last["decision"]),
        record=_record_at_hand(lines),
    )


def _record_at_hand(lines: Sequence[JournalLine]) -> Record | None:
    try:
        return _record(lines, load_inputs(_config(lines[0], {"offline": True})))
    except InputError:
        return None


def _by_config(lines: Sequence[JournalLine]) -> dict[str, list[JournalLine]]:
    by_config: dict[str, list[JournalLine]] = {}
    for line in lines:
        by_config.setdefault(str(line.content["config_hash"]), []).append(line)
    return by_config


def review(path: Path, *, data: dict[str, Any]) -> Review:
    """Return a journal beside what its configs say on today's bars.

    `data` are settings of where bars come from, in place of the lines' own.

    Raises
    ------
    DataError
        If the chain is broken.
    """
    by_config = _by_config(read(path))
    reviewed: list[Reviewed] = []
    records: list[Record] = []
    for lines in by_config.values():
        inputs = load_inputs(_config(lines[0], data))
        reviewed.extend(_comparison(line, _evening(line, inputs, data)) for line in lines)
        if (record := _record(lines, inputs)) is not None:
            records.append(record)
    return Review(tuple(sorted(reviewed, key=lambda one: one.line)), tuple(records))


def _evening(line: JournalLine, inputs: Inputs, data: dict[str, Any]) -> Evening:
    return evening_of(_config(line, data), inputs, equity=float(line.content["equity"]))


def _record(lines: Sequence[JournalLine], inputs: Inputs) -> Record | None:
    if len(inputs.coins) != 1:
        return None
    frame = inputs.coins[0].frame
    known = pd.DatetimeIndex([pd.Timestamp(str(line.content["as_of"])) for line in lines])
    places = frame.index.searchsorted(known, side="left")
    there = places < len(frame)
    if not there.any():
        return None
    held = np.array([_holds(line.content["decision"]) for line in lines])[there]
    opens = frame["open"].to_numpy()[places[there]]
    ends = np.append(opens[1:], frame["close"].iloc[-1])
    steps = np.where(held, ends / opens, 1.0)
    days = (frame.index[-1] - frame.index[places[0]]).total_seconds() / 86_400
    return Record(
        asset=str(lines[0].content["asset"]),
        config_hash=str(lines[0].content["config_hash"]),
        first=str(lines[0].content["as_of"]),
        lines=len(lines),
        days=days,
        growth=float(steps.prod() - 1),
        holding=float(ends[-1] / opens[0] - 1),
    )


def _holds(decision: Any) -> bool:
    """Return whether a decision holds the coin from the next open on."""
    order = decision["order"]
    return bool(order["side"] == "buy" if order else decision["in_market"])


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
