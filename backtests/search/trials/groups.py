"""What trials share: the tape of a coin, and the events of each set of signal settings."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

import numpy as np
import pandas as pd

from backtests.config.config import Config
from backtests.engines.account import interest_of
from backtests.engines.compiling import compile_function
from backtests.market import elapsed, tape
from backtests.market.gates import combine
from backtests.market.inputs import Inputs, load_inputs
from backtests.market.known_when import entry_weights, lead_of, weight_before, with_lead
from backtests.market.market import Market, build_market, market_schedule
from backtests.market.own_inputs import own_weights
from backtests.search.plan import with_values
from backtests.search.trials.full import FullTape, full_tape_of
from backtests.search.trials.keys import inputs_key, market_key, tape_key
from backtests.search.trials.ranges import TrialTape, extremes
from backtests.search.trials.spans import LEAD, TrialEvents
from feeds.arrays import Floats, Integers
from feeds.sessions import bar_ends
from strategies import support
from strategies.position_rule import NONE

# enough for neighbouring trials, which share most settings
REMEMBERED_MARKETS: Final = 8
REMEMBERED_GROUPS: Final = 4_096

followed = compile_function(
    support.follow_support,
    _start=compile_function(support._start),
    _follow=compile_function(support._follow, _start=compile_function(support._start)),
)

Thing = TypeVar("Thing")

LoadedInputs = dict[Hashable, Inputs]


@dataclass(frozen=True, slots=True)
class Group:
    """The events before bar `stop` of one set of settings; trading begins with bar `first`.

    `lead` is what was known before the first bar of all.
    """

    bar: Integers
    trigger: Integers
    kind: Integers  # of the trigger, 0 where none arrives
    lost: Integers
    time: Floats
    before: Floats
    first: int
    stop: int
    lead: tape.Lines


class Library:
    """Loads inputs once and remembers what has been computed from them, up to a limit.

    `inputs` are those loaded elsewhere, as `loaded` returns them; `load` loads the others.
    Threads may share a library.
    """

    def __init__(
        self,
        *,
        inputs: LoadedInputs | None = None,
        load: Callable[[Config], Inputs] = load_inputs,
    ) -> None:
        self._load = load
        self._lock = threading.RLock()
        self._inputs: LoadedInputs = dict(inputs or {})
        self._tapes: dict[Hashable, TrialTape] = {}
        self._markets: OrderedDict[Hashable, Market] = OrderedDict()
        self._configs: OrderedDict[Hashable, Config] = OrderedDict()
        self._groups: OrderedDict[Hashable, Group] = OrderedDict()
        self._full_tapes: OrderedDict[Hashable, FullTape] = OrderedDict()

    @property
    def loaded(self) -> LoadedInputs:
        """All inputs loaded so far, by what decides them."""
        return dict(self._inputs)

    def inputs(self, config: Config) -> Inputs:
        """Return everything the config reads, loaded once."""
        key = inputs_key(config)
        with self._lock:
            if key not in self._inputs:
                self._inputs[key] = self._load(config)
            return self._inputs[key]

    def config(self, base: Config, values: Mapping[str, Any]) -> Config:
        """Return `base` with other values of some settings, validated."""
        key = (base, tuple(values.items()))
        with self._lock:
            return _remember(
                self._configs, key, lambda: with_values(base, values), REMEMBERED_GROUPS
            )

    def tape(self, config: Config) -> TrialTape:
        """Return the coin's tape, the same object for the same bars and cash rate."""
        key = tape_key(config)
        with self._lock:
            if key not in self._tapes:
                self._tapes[key] = _tape(config, self.market(config))
            return self._tapes[key]

    def market(self, config: Config) -> Market:
        """Return the market of a config, as a single run builds it."""

        def build() -> Market:
            return build_market(config, self.inputs(config), follow=followed)

        with self._lock:
            return _remember(self._markets, market_key(config), build, REMEMBERED_MARKETS)

    def group(self, config: Config) -> Group:
        """Return the events of a config's signals, trigger and entry delay."""
        rules = config.rules
        key = (*market_key(config), rules.trigger, rules.entry_delay_days)
        with self._lock:
            return _remember(
                self._groups, key, lambda: _group(config, self.market(config)), REMEMBERED_GROUPS
            )

    def full_tape(self, config: Config) -> FullTape:
        """Return what the trials of a config's shared settings read, bar by bar."""

        def build() -> FullTape:
            return full_tape_of(traded_tape(config, self), config)

        key = (*market_key(config), config.rules, config.size, config.costs.cash_rate)
        with self._lock:
            return _remember(self._full_tapes, key, build, REMEMBERED_MARKETS)


def traded_tape(config: Config, library: Library) -> tape.Tape:
    """Return the tradable tape of a config, from what the library remembers."""
    market, group = library.market(config), library.group(config)
    shared = market.tape.lines
    trigger, lost = np.full((2, len(market.coin)), float(NONE))
    trigger[group.bar], lost[group.bar] = group.trigger, group.lost
    kinds = np.zeros(trigger.size)
    kinds[group.bar] = group.kind
    lines = {
        **shared,
        "trigger_session": trigger,
        "trigger_kind": kinds,
        "lost_session": lost,
        "weight": entry_weights(
            config,
            opens=shared["time"],
            ends=shared["bar_end"],
            close=shared["close"],
            own=own_weights(config, market.known),
        ),
    }
    return with_lead(config, tape.Tape(lines, market.tape.coins), group.lead).cut(market.tradable)


def join(groups: Sequence[Group]) -> TrialEvents:
    """Return the groups' events in one array each, as the kernel reads them."""
    sizes = [group.bar.size for group in groups]
    return TrialEvents(
        bar=np.concatenate([group.bar for group in groups]),
        trigger=np.concatenate([group.trigger for group in groups]),
        lost=np.concatenate([group.lost for group in groups]),
        time=np.concatenate([group.time for group in groups]),
        before=np.concatenate([group.before for group in groups]),
        offset=np.concatenate(([0], np.cumsum(sizes))).astype(np.int64),
        lead=np.array([[group.lead[name] for name in LEAD] for group in groups]),
        first=np.array([group.first for group in groups], np.int64),
        stop=np.array([group.stop for group in groups], np.int64),
    )


def weights(config: Config, tape: TrialTape) -> Floats | None:
    """Return the weight an entry at each bar's open would take; None for all of equity always."""
    line = entry_weights(config, opens=tape.time, ends=tape.bar_end, close=tape.close)
    first = weight_before(config, tape.open[0], per_year=tape.nominal_bars)
    known = np.concatenate(([first], line[:-1]))
    return None if (known == 1).all() else known


def _remember(
    store: "OrderedDict[Hashable, Any]", key: Hashable, build: Callable[[], Thing], limit: int
) -> Thing:
    if key in store:
        store.move_to_end(key)
        found: Thing = store[key]
        return found
    made = build()
    store[key] = made
    if len(store) > limit:
        store.popitem(last=False)
    return made


def _tape(config: Config, market: Market) -> TrialTape:
    lines = market.tape.lines
    gap_interest, bar_interest = interest_of(market.tape, config)
    times, ends, rate = lines["time"], lines["bar_end"], config.costs.cash_rate
    # measured from what cash earns through a bar: then cash has no return but over gaps
    holes = elapsed.after_hole(times, ends)
    idle = np.where(holes, 0.0, elapsed.cash_returns(times, ends, rate=rate) - bar_interest)
    opens, close = np.ascontiguousarray(lines["open"]), np.ascontiguousarray(lines["close"])
    earlier = np.concatenate((opens[:1], close[:-1]))
    returns = np.where(holes, 0.0, close / earlier - 1 - bar_interest)
    excess = returns - idle
    index_close = np.ascontiguousarray(lines["index_close"])
    table, level = extremes(close)
    before = market.tape.before
    index_before = np.nan if before is None else before.lines["index_close"][-1]
    return TrialTape(
        time=times,
        bar_end=ends,
        open=opens,
        close=close,
        index_close=index_close,
        index_known=np.concatenate(([index_before], index_close[:-1])),
        session=lines["session"].astype(np.int64),
        per_open=1 / opens,
        overnight=opens / earlier,
        returns=np.cumsum(returns),
        squares=np.cumsum(returns**2),
        excess=np.cumsum(excess),
        excess_squares=np.cumsum(excess**2),
        losses=np.cumsum(np.minimum(excess, 0) ** 2),
        idle=np.cumsum(idle),
        idle_squares=np.cumsum(idle**2),
        after_hole=holes,
        holes=np.cumsum(holes, dtype=np.float64),
        table=table,
        index_table=extremes(index_close)[0],
        level=level,
        gap_interest=gap_interest,
        bar_interest=bar_interest,
        interest_rate=float(np.log1p(rate) / elapsed.SECONDS_PER_YEAR),
        is_even=not (idle.any() or holes.any()),
        nominal_bars=elapsed.nominal_bars_per_year(times, ends),
    )


def _group(config: Config, market: Market) -> Group:
    opens = pd.DatetimeIndex(market.coin.frame.index).as_unit("ns")
    ends = bar_ends(opens, kind="coin", timeframe=market.coin.timeframe)
    schedule = market_schedule(market, config)
    passes = partial(combine, market.gates, how=config.rules.filters)
    lines = schedule.lines(opens.asi8, ends.asi8)
    trigger, lost = (lines[name].astype(np.int64) for name in ("trigger_session", "lost_session"))
    happens = (trigger > NONE) | (lost > NONE)
    bar = np.flatnonzero(happens[: market.tradable.stop])
    time = market.tape.lines["bar_end"]
    before = np.concatenate(([-np.inf], time[:-1]))
    return Group(
        bar=bar,
        trigger=trigger[bar],
        kind=lines["trigger_kind"][bar].astype(np.int64),
        lost=lost[bar],
        time=time[bar],
        before=before[bar],
        first=market.tradable.start,
        stop=market.tradable.stop,
        lead=lead_of(schedule, market.coin, passes),
    )
