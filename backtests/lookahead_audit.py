"""An audit: whether functions and the whole run see the future, and what else is worth a note.

The whole run is asked again for what is known, wanted and held when each bar ends. Notes say how
much history functions need, and which parameters have no effect.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any, Final

import numpy as np
import pandas as pd

from backtests.config.config import Config
from backtests.config.user_parameters import parameter_model
from backtests.engines.backtest import Engine, engine_of_comparisons
from backtests.engines.baselines import Simulate
from backtests.market.altered_inputs import (
    Asked,
    ask_own,
    asked_of_house,
    asked_of_own,
    fronts,
    own_uses,
    without_front,
)
from backtests.market.inputs import Inputs
from backtests.market.lookahead import (
    FEWEST_ROWS,
    THOROUGH,
    Leak,
    Looked,
    early_series,
    is_same,
    look_at,
    same,
)
from backtests.market.market import Market, build_market
from feeds.arrays import Floats
from feeds.errors import ConfigError, InputError
from feeds.message_text import count_noun
from strategies.registry import Entry

HOUSE: Final = 60  # cuts of what the package's own tests cut as well
CUTS: Final = 40
LINES: Final = (
    "session", "index_close", "trigger_session", "trigger_kind", "lost_session", "weight", "gate",
    "leave", "rebalance",
)  # fmt: skip
# those that change on every bar say nothing of where a decision falls
DECISIONS: Final = ("trigger_session", "lost_session", "gate", "leave", "rebalance", "on_weight")
COIN_LINES: Final = ("alive", "on_weight", "idle_weight", "impact")
HELD: Final = ("units", "cash")


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


def warm_up(each: Asked) -> str:
    """Return how much history a function per session needs, as far as shorter ones tell."""
    longest = 0
    for start in fronts(each.inputs):
        skipped = int(each.rows.searchsorted(start))
        try:
            found = each.ask(without_front(each.inputs, start))
        except InputError:
            return f"the {each.name} fails on a history that begins on {start:%Y-%m-%d}"
        changed = np.flatnonzero(~same(found, each.whole[skipped:]))
        if changed.size and changed[-1] > found.size - FEWEST_ROWS:
            return f"the {each.name} depends on how far back the data go, to their last bar"
        longest = max(longest, int(changed[-1]) + 1 if changed.size else 0)
    if not longest:
        return ""
    return f"the {each.name} needs at least {longest:,} sessions of history, as far as was tried"


def note_of_elsewhere(each: Asked) -> str:
    """Return a note if a function answers the same on entirely other bars and series."""
    try:
        found = each.ask(each.world(each.first, future="noise"))
    except InputError:
        return ""
    if not is_same(found, each.whole):
        return ""
    return (
        f"the {each.name} answers the same on other bars: what it reads of its own, as a file, no "
        "cut reaches. Ask for it by name as a series"
    )


def idle_parameters(config: Config, inputs: Inputs) -> Iterator[str]:
    """Yield the parameters of own functions that change no answer."""
    for entry, own in own_uses(config):
        whole = ask_own(entry, own, config, inputs)
        for name in entry.parameters:
            tried = [{**own, name: value} for value in _others(entry, own, name)]
            if tried and all(is_same(_try(entry, each, config, inputs), whole) for each in tried):
                yield (
                    f"`{name}` of the {entry.kind} {entry.name} changes nothing on these bars, "
                    f"tried at {', '.join(str(each[name]) for each in tried)}"
                )


def _try(entry: Entry, own: dict[str, Any], config: Config, inputs: Inputs) -> Floats:
    try:
        return ask_own(entry, own, config, inputs)
    except InputError:
        return np.empty(0)


def _others(entry: Entry, own: dict[str, Any], name: str) -> Sequence[Any]:
    """Return other values of a parameter that are allowed."""
    value, model = own[name], parameter_model(entry)
    if isinstance(value, bool):
        given: list[Any] = [not value]
    elif isinstance(value, int):
        given = [value * 2 + 1, value // 2]
    elif isinstance(value, float):
        given = [value * 2 + 0.1, value / 2]
    else:
        return []
    allowed = []
    for each in given:
        try:
            model.model_validate({**own, name: each})
        except ValueError:
            continue
        allowed.append(each)
    return allowed


class WholeRun:
    """A config's run, asked for all that it knows and does, a row per bar."""

    def __init__(self, config: Config, inputs: Inputs, *, simulate: Simulate) -> None:
        self.config, self.inputs, self._simulate = config, inputs, simulate
        market = build_market(config, inputs)
        self._symbols = tuple(market.tape.coins)
        self._names = [
            *LINES,
            *(f"{line} of {coin}" for coin in self._symbols for line in (*COIN_LINES, "units")),
            "cash",
        ]
        whole = self.table(inputs)
        decides = [name.partition(" of ")[0] in DECISIONS for name in self._names]
        self.asked = Asked(
            "run",
            config,
            inputs,
            self.table,
            whole,
            market.tape.ends,
            pd.DatetimeIndex(market.tape.times),
            "bar",
            first=market.tradable.start + 2,  # a run needs two bars
            decided=whole[:, decides],
        )

    def look(self, *, cuts: int = CUTS) -> Looked:
        """Return what cuts and other futures show; a leak says which of its lines changed."""
        found = look_at(self.asked, cuts=cuts)
        named = (replace(leak, name=f"run ({self._change(leak.row)})") for leak in found.leaks)
        return replace(found, leaks=tuple(named))

    def table(self, inputs: Inputs) -> Floats:
        """Return the lines of the tape and of the account, shape (bars, columns)."""
        market = build_market(self.config, inputs)
        lines = [market.tape.lines[name] for name in LINES]
        bars, (units, cash) = len(market.tape), self._account(market)
        for place, symbol in enumerate(self._symbols):
            own = market.tape.coins.get(symbol)
            lines += [np.zeros(bars) if own is None else own[name] for name in COIN_LINES]
            lines.append(units[:, place])
        # a basket ends with its coins, which is no decision
        return np.column_stack([*lines, cash])[: market.tradable.stop]

    def _account(self, market: Market) -> tuple[Floats, Floats]:
        """Return units, shape (bars, coins), and cash at each bar's end, 0 before the run."""
        account, traded = self._simulate(market.traded, self.config), market.tradable
        units = np.zeros((len(market.tape), len(self._symbols)))
        held = account.positions.reindex(columns=list(self._symbols), fill_value=0.0)
        units[traded] = held.to_numpy(np.float64)
        cash = np.zeros(len(market.tape))
        cash[traded] = account.bars["cash"].to_numpy(np.float64)
        return units, cash

    def _change(self, row: pd.Timestamp) -> str:
        """Return the lines that change at a row when what comes after it is cut."""
        place = int(self.asked.rows.get_indexer(pd.DatetimeIndex([row]))[0])
        try:
            found = self.table(self.asked.world(place))[place]
        except (InputError, IndexError):  # too little history to run at all
            return "its start"
        changed = [
            name
            for name, one, other in zip(self._names, found, self.asked.whole[place], strict=True)
            if not same(np.array([one]), np.array([other]))[0]
        ]
        return ", ".join(changed[:3]) or "what it does"
