"""Which settings the kernel looks up from what: prices alone, or paths of positions kept once.

What neither can tell is taken from whole accounts, which takes longer.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from backtests.config.config import ALTS, Config
from backtests.engines.tape_arrays import Coins, Part, Signals, part_of
from backtests.market.known_when import entry_weights, weight_before
from backtests.market.market import Market
from backtests.search.trials.path_building import KeptBars
from backtests.search.trials.position_paths import (
    CAPACITY,
    COLUMNS,
    IDLE_CAPACITY,
    KEPT_SALES,
    STATES,
    Paths,
)
from backtests.search.trials.range_tables import TrialTape
from feeds.arrays import Floats, Integers
from strategies.orders_and_fills import LEAST_ORDER
from strategies.position_rule import NONE, STAY
from strategies.registry import is_own
from strategies.target_weights import Upkeep

# Settings that need no other signals: the kernel takes a number of each per trial.
PER_TRIAL: Final = (
    "rules.hold_days",
    "rules.exit_on_support_lost",
    "rules.stop_loss",
    "rules.trailing_stop",
    "rules.index_drawdown",
    "costs.commission_bps",
    "costs.slippage_bps",
    "costs.impact_coefficient",
    "costs.initial_cash",
)
# All else the kernel understands; a config that uses anything else is kept bar by bar.
SHARED: Final = (
    "asset",
    "rules.trigger",
    "rules.entry_delay_days",
    "size.mode",
    "size.fraction",
    "size.vol_target",
    "size.vol_lookback",
    "costs.cash_rate",
    "plugins",
    "costs.max_participation",
)
SHARED_SECTIONS: Final = ("data.", "index.", "signal.", "significance.", "claim.", "study.")


def is_understood(config: Config, *, vary: Mapping[str, Iterable[Any]] | None = None) -> bool:
    """Return whether prices alone tell what the config does: it holds all in one coin, or cash.

    `vary` are settings that take other values, too.
    """
    plain, vary = _flat(Config().model_dump()), vary or {}
    modes = (config.size.mode, *vary.get("size.mode", ()))
    if any(is_own("sizing", mode) for mode in modes):
        return False
    return ALTS not in (config.asset, *vary.get("asset", ())) and all(
        _is_known(key) or (key not in vary and plain.get(key) == value)
        for key, value in (_flat(config.model_dump()) | dict.fromkeys(vary)).items()
    )


def _is_known(key: str) -> bool:
    return key in PER_TRIAL or key in SHARED or key.startswith(SHARED_SECTIONS)


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found


def is_looked_up(config: Config, *, vary: Mapping[str, Iterable[Any]]) -> bool:
    """Return whether few trials of a sweep, if any, need an account of their own."""
    impacts = {config.costs.impact, *vary.get("costs.impact", ())}
    strategies = {config.strategy, *vary.get("strategy", ())}
    return impacts == {"none"} and strategies == {None}


def is_whole(config: Config) -> bool:
    """Return whether every position is all of equity in one coin, and cash between them."""
    size = config.size
    is_full = size.mode == "fraction" and min(size.fraction, size.max_weight) == 1
    is_left_alone = size.scale_in_days == 1 and size.rebalance_threshold == 0
    is_alone = config.asset != ALTS and not config.idle.asset
    return is_full and is_left_alone and is_alone and config.costs.impact == "none"


def weights(config: Config, tape: TrialTape, *, own: Floats | None = None) -> Floats:
    """Return the weight an entry at each bar's open would take, and one after the last bar.

    `own` are those of an own sizing, known at each bar's end.
    """
    line = entry_weights(config, opens=tape.time, ends=tape.bar_end, close=tape.close, own=own)
    first = weight_before(config, tape.open[0], per_year=tape.nominal_bars)
    return np.concatenate(([first], line))


def kept_part(market: Market, config: Config, *, stop: int) -> Part:
    """Return a row for what was known before the first bar, then all bars before `stop`.

    They bring no signals: only upkeep is asked of them.
    """
    before = market.tape.before
    parts = [part_of(market.tape.cut(slice(0, stop)), config)]
    if before is not None:
        last = before.cut(slice(len(before) - 1, None))
        parts.insert(0, part_of(last, config))
    signals, coins = (
        kind(*map(np.concatenate, zip(*(part[place] for part in parts), strict=True)))
        for place, kind in enumerate((Signals, Coins))
    )
    quiet = np.full(signals.session.size, NONE)
    return Part(
        signals._replace(
            trigger_session=quiet,
            lost_session=quiet,
            gate=np.ones(quiet.size, np.bool_),
            leave=np.full(quiet.size, STAY),
        ),
        coins,
        np.concatenate([part.gap_interest for part in parts]),
    )


class KeptPositions(NamedTuple):
    """The bars that positions are kept on, and at which opens they can begin."""

    bars: KeptBars
    possible: Integers


def positions_of(part: Part, weight: Floats, upkeep: Upkeep, tape: TrialTape) -> KeptPositions:
    """Return the bars of a part for positions of some weights, shape (bars + 1,)."""
    bars = weight.size - 1
    total = np.nan_to_num(weight[:, np.newaxis] * part.coins.on_weight).sum(axis=1)
    places = np.where(total > 0, np.arange(bars + 1), bars)
    part = part._replace(signals=part.signals._replace(weight=weight))
    return KeptPositions(
        bars=KeptBars(part, upkeep, tape.after_hole[:bars]),
        possible=np.ascontiguousarray(np.minimum.accumulate(places[::-1])[::-1]),
    )


def paths_on(positions: KeptPositions) -> Paths:
    """Return room for the paths of some positions, none of them laid."""
    bars, slices = positions.possible.size - 1, positions.bars.upkeep.scale_in_bars
    some, idles = bars > 0, positions.bars.upkeep.idles
    room = max(IDLE_CAPACITY if idles else CAPACITY, bars) + KEPT_SALES
    return Paths(
        possible=positions.possible,
        idles=idles,
        rows=np.empty((room if some else 0, COLUMNS)),
        places=np.full((2 * (bars + slices + 1) if some else 0, 3), NONE),
        sales=np.empty((KEPT_SALES if some else 0, 4), np.int64),
        state=np.zeros(STATES, np.int64),
        costs=np.full(3, np.nan),
    )


def needs_account(config: Config, positions: KeptPositions) -> bool:
    """Return whether the paths of a config cannot be shared by its trials.

    They can be where they depend on nothing before the entry. The money in a fill counts where
    fills pay for their size. An idle asset is sold at the same open: how much that leaves is
    known where all of equity goes from one to the other. And an order that is too small for
    the threshold is asked for again later, when the window may be over.
    """
    if config.costs.impact != "none":
        return True
    upkeep, weight = positions.bars.upkeep, positions.bars.part.signals.weight
    known = weight[np.isfinite(weight)] / upkeep.scale_in_bars
    if upkeep.idles:
        return bool(config.idle.weight < 1 or (known != 1).any())
    least = max(upkeep.threshold, LEAST_ORDER)
    return upkeep.is_single and bool(((known > 0) & (known <= least)).any())


def _no_positions() -> KeptPositions:
    flags, whole, some = np.empty(0, np.bool_), np.empty(0, np.int64), np.empty(0)
    table = np.empty((0, 1))
    signals = Signals(some, some, whole, whole, whole, whole, flags, whole, some, flags)
    coins = Coins(table, table, table, table, table, table)
    upkeep = Upkeep(1, 0.0, 1.0, idles=False, is_single=True)
    return KeptPositions(KeptBars(Part(signals, coins, some), upkeep, flags), whole)


NO_POSITIONS: Final = _no_positions()
