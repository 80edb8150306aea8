"""What trials share: the tape of a coin, and the events of each set of signal settings."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from backtests.config.config import Config
from backtests.engines.account import upkeep_of
from backtests.engines.compile_cache import compile_function
from backtests.market.coins import MarketCoins, coins_of
from backtests.market.inputs import Inputs, load_inputs
from backtests.market.known_when import entry_weights, with_lead
from backtests.market.market import Market, build_market
from backtests.market.tape import Tape
from backtests.market.user_inputs import Known, own_weights
from backtests.search.trials.by_account import FullTape, full_tape_of
from backtests.search.trials.neighbours import Neighbours
from backtests.search.trials.path_pool import PathPool
from backtests.search.trials.range_tables import TrialTape, trial_tape_of
from backtests.search.trials.routes import (
    NO_POSITIONS,
    KeptPositions,
    is_whole,
    kept_part,
    positions_of,
    weights,
)
from backtests.search.trials.sharing_keys import (
    Remembered,
    coins_key,
    inputs_key,
    market_key,
    remember,
    signals_key,
    tape_key,
    without_filters,
)
from backtests.search.trials.signal_events import (
    BarTimes,
    GatedSignals,
    GateLine,
    GateReader,
    SignalGroup,
    signals_on,
)
from backtests.search.trials.trial_events import Group
from strategies import signals
from strategies.position_rule import NONE

if TYPE_CHECKING:
    from backtests.engines.tape_arrays import Part

# enough for neighbouring trials, which share most settings
REMEMBERED_MARKETS: Final = 8
REMEMBERED_COINS: Final = 2  # of a universe they are hundreds of MB
REMEMBERED_TAPES: Final = 64
REMEMBERED_SIGNALS: Final = 64
REMEMBERED_GROUPS: Final = 4_096
REMEMBERED_BASES: Final = 2

followed = compile_function(
    signals.follow_support,
    is_entry=True,
    _start=compile_function(signals._start),
    _follow=compile_function(signals._follow, _start=compile_function(signals._start)),
)

LoadedInputs = dict[Hashable, Inputs]


class Library:
    """Loads inputs once and remembers what has been computed from them, up to a limit.

    `inputs` are those loaded elsewhere, as `loaded` returns them; `load` loads the others.
    Threads may share a library. `paths` are those that batches of trials left laid.
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
        self._times: BarTimes | None = None  # of the last market: neighbours share it
        self._found: Remembered[dict[Hashable, Any]] = OrderedDict()
        self._tapes: Remembered[TrialTape] = OrderedDict()
        self._coins: Remembered[MarketCoins] = OrderedDict()
        self._markets: Remembered[Market] = OrderedDict()
        self._warned: set[str] = set()
        self._neighbours: Neighbours | None = None  # of the last base
        self._signals: Remembered[SignalGroup] = OrderedDict()
        self._groups: Remembered[Group] = OrderedDict()
        self._readers: Remembered[GateReader] = OrderedDict()
        self._parts: Remembered[Part] = OrderedDict()
        self._full_tapes: Remembered[FullTape] = OrderedDict()
        self.paths = PathPool()

    @property
    def loaded(self) -> LoadedInputs:
        """All inputs loaded so far, by what decides them."""
        return dict(self._inputs)

    def is_new(self, warning: str) -> bool:
        """Return whether a warning was not asked about before."""
        with self._lock:
            is_new = warning not in self._warned
            self._warned.add(warning)
            return is_new

    def inputs(self, config: Config) -> Inputs:
        """Return everything the config reads, loaded once."""
        key = inputs_key(config)
        with self._lock:
            if key not in self._inputs:
                self._inputs[key] = self._load(config)
            return self._inputs[key]

    def config(self, base: Config, values: Mapping[str, Any]) -> Config:
        """Return `base` with other values of some settings, validated."""
        with self._lock:
            if self._neighbours is None or self._neighbours.base is not base:
                self._neighbours = Neighbours(base)
            return self._neighbours.config(values)

    def found_under(self, base: Config) -> dict[Hashable, Any]:
        """Return what has been found of sets of settings under a base, by their values."""
        with self._lock:
            found = remember(self._found, base, dict, REMEMBERED_BASES)
            if len(found) > REMEMBERED_GROUPS:
                self._found[base] = found = {}
            return found

    def tape(self, config: Config) -> TrialTape:
        """Return the tape of what is traded, the same object for the same bars and cash rate."""

        def build() -> TrialTape:
            return trial_tape_of(self.market(without_filters(config), config), config)

        with self._lock:
            return remember(self._tapes, tape_key(config), build, REMEMBERED_TAPES)

    def market(self, config: Config, full: Config | None = None) -> Market:
        """Return the market of a config, as a single run builds it.

        Its inputs are those of `full` where that is given, the config with its filters.
        """

        def build() -> Market:
            inputs = self.inputs(full or config)
            key = coins_key(full or config)
            coins = remember(self._coins, key, lambda: coins_of(config, inputs), REMEMBERED_COINS)
            return build_market(config, inputs, follow=followed, coins=coins)

        with self._lock:
            return remember(self._markets, market_key(config), build, REMEMBERED_MARKETS)

    def group(self, config: Config) -> Group:
        """Return the events of a config's signals, trigger and entry delay, and its gates."""
        if not config.filters:
            key = signals_key(config)
            with self._lock:
                return remember(
                    self._groups,
                    key,
                    lambda: self._signals_under(key, config).group,
                    REMEMBERED_GROUPS,
                )
        signals = self.signals(config)
        lines = [self.gate_line(name, config, signals.market) for name in config.filters]
        return GatedSignals(signals).group(lines, how=config.rules.filters)

    def signals(self, config: Config) -> SignalGroup:
        """Return the events of a config without its filters, and what they are found from."""
        return self._signals_under(signals_key(config), config)

    def _signals_under(self, key: Hashable, config: Config) -> SignalGroup:
        def build() -> SignalGroup:
            market = self.market(without_filters(config), config)
            if self._times is None or self._times.market is not market:
                self._times = BarTimes(market)
            return signals_on(self._times, self._times.schedule(config))

        with self._lock:
            return remember(self._signals, key, build, REMEMBERED_SIGNALS)

    def gate_line(self, name: str, config: Config, market: Market) -> GateLine:
        """Return where a filter is open, computed once per set of its own settings."""

        def build() -> GateReader:
            known = Known(self.inputs(config), market.available_at, market.coin)
            return GateReader(market, known)

        key = (inputs_key(config), *tape_key(config), config.data)
        with self._lock:
            reader = remember(self._readers, key, build, REMEMBERED_MARKETS)
            return reader.line(name, config.filters[name])

    def positions(self, config: Config, group: Group) -> KeptPositions:
        """Return the bars that the positions of a config are kept on; none where it needs none."""
        if is_whole(config):
            return NO_POSITIONS
        plain = without_filters(config)
        key = (*tape_key(config), config.data, config.idle, group.stop)
        with self._lock:
            market, tape = self.market(plain, config), self.tape(config)
            part = remember(
                self._parts,
                key,
                lambda: kept_part(market, config, stop=group.stop),
                REMEMBERED_MARKETS,
            )
        own = own_weights(config, market.known)
        weight = weights(config, tape, own=own)[: group.stop + 1]
        return positions_of(part, weight, upkeep_of(config, market.traded), tape)

    def full_tape(self, config: Config) -> FullTape:
        """Return what the trials of a config's shared settings read, bar by bar."""

        def build() -> FullTape:
            return full_tape_of(traded_tape(config, self), config)

        key = (*market_key(config), config.rules, config.size, config.costs.cash_rate)
        with self._lock:
            return remember(self._full_tapes, key, build, REMEMBERED_MARKETS)


def traded_tape(config: Config, library: Library) -> Tape:
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
    return with_lead(config, Tape(lines, market.tape.coins), group.lead).cut(market.tradable)
