"""An audit: for each function of a config and for the whole run, whether it sees the future."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final

import pandas as pd

from backtests.audits.notes import idle_parameters, note_of_elsewhere, warm_up
from backtests.audits.whole import WholeRun
from backtests.config.config import Config
from backtests.engines.backtest import Engine, engine_of_comparisons
from backtests.market.asked import asked_of_house, asked_of_own
from backtests.market.inputs import Inputs
from backtests.market.lookahead import THOROUGH, Leak, Looked, early_series, look_at
from backtests.market.market import build_market
from feeds.errors import ConfigError
from feeds.wording import count_noun

HOUSE: Final = 60  # cuts of what the package's own tests cut as well


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found: a `Looked` for each function, one for the run, and all leaks."""

    looked: tuple[Looked, ...]
    leaks: tuple[Leak, ...]
    notes: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing saw the future."""
        return not self.leaks

    @property
    def findings(self) -> pd.DataFrame:
        """A row per function: its name, how often the data were cut, and the leak, "" if none."""
        leaks = {each.name: each.leaks[0].text if each.leaks else "" for each in self.looked}
        rows = [(each.name, each.cuts, leaks[each.name]) for each in self.looked]
        return pd.DataFrame(rows, columns=["name", "cuts", "leak"])

    @property
    def lines(self) -> Iterator[str]:
        """One line each: what was audited, and what was found."""
        for each in self.looked:
            if each.leaks:
                yield f"LEAK  {each.leaks[0].text}."
            else:
                cuts = count_noun(each.cuts, "cut")
                yield f"ok    {each.name}: {cuts}, nothing before them changed."
        yield from (f"LEAK  {leak.text}." for leak in self.leaks if not self._is_told(leak))
        yield from (f"note  {note}." for note in self.notes)

    def _is_told(self, leak: Leak) -> bool:
        return any(leak in each.leaks for each in self.looked)

    def __repr__(self) -> str:
        return "\n".join(self.lines)


def audit_of(config: Config, inputs: Inputs) -> Audit:
    """Cut and rewrite the future of everything a config decides by, and of its whole run."""
    own, house = list(asked_of_own(config, inputs)), list(asked_of_house(config, inputs))
    looked = [look_at(each, cuts=THOROUGH) for each in own]
    looked += [look_at(each, cuts=HOUSE) for each in house]
    engine: Engine = "fast" if find_spec("numba") else "backtrader"  # they agree in every fill
    simulate = engine_of_comparisons(build_market(config, inputs).traded, config, engine=engine)
    looked.append(WholeRun(config, inputs, simulate=simulate).look())
    early = tuple(early_series(config, inputs))
    leaks = (*(leak for each in looked for leak in each.leaks), *early)
    needed = filter(None, (warm_up(each) for each in (*own, *house) if each.unit == "session"))
    deaf = filter(None, map(note_of_elsewhere, own))
    return Audit(tuple(looked), leaks, (*needed, *deaf, *idle_parameters(config, inputs)))


def require_no_leak(config: Config, inputs: Inputs) -> None:
    """Refuse a config of which anything sees the future.

    Raises
    ------
    ConfigError
        With the first leak.
    """
    if leaks := audit_of(config, inputs).leaks:
        more = f" ({len(leaks) - 1} more leaks.)" if len(leaks) > 1 else ""
        raise ConfigError(f"`--audit`: {leaks[0].text}.{more} Mend it, or run without --audit.")
