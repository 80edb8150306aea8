"""Growth after events: from the first open that can be traded on, and the path around them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from backtests.analysis.bootstrap import widened_confidence
from backtests.analysis.bootstrap_draws import stationary_indices
from backtests.analysis.episodes import Episodes
from backtests.analysis.event_effects import Placement, outcomes, random_starts
from feeds.arrays import DAY_IN_NANOSECONDS, Flags, Floats, Integers
from feeds.bars import Bars
from feeds.sessions import bar_ends, session_hours

NO_ENTRY: Final = -1
PATH_DAYS: Final = np.arange(-60.0, 181.0)
BAND_DRAWS: Final = 1_000
_RESAMPLES = 0
_PLACEBOS = 1_000_000  # beyond any horizon that is used as a key


@dataclass(frozen=True, slots=True)
class AssetPrices:
    """Opens of one coin, or of every member of a basket, on one grid of instants.

    `times` are ascending instants in nanoseconds since 1970 (UTC), the last one the end of
    the last bar. `prices` has shape (times, coins): the open at each instant, the last close
    from a coin's last bar on (a dead coin keeps its loss), NaN before its first bar. `lows`
    is the lowest price between each instant and the next; `trades` is whether a coin has a
    bar that opens there, and so can be bought.
    """

    name: str
    times: Integers
    prices: Floats
    lows: Floats
    trades: Flags


def asset_prices(
    name: str, coins: Mapping[str, Bars], *, chosen: pd.DataFrame | None = None
) -> AssetPrices:
    """Put the bars of one or more coins on one grid; the order of `coins` does not matter.

    `chosen` is which of them are in a basket, from the instants its rows are dated by (the
    bars' ends, UTC) until the next; a coin is bought at no other time.
    """
    members = [coins[symbol] for symbol in sorted(coins)]
    grids = [_instants(bars) for bars in members]
    times = np.unique(np.concatenate(grids))
    prices = np.full((times.size, len(members)), np.nan)
    lows = prices.copy()
    trades = np.zeros(prices.shape, np.bool_)
    for column, (bars, grid) in enumerate(zip(members, grids, strict=True)):
        rows = np.searchsorted(times, grid)
        close = bars.frame["close"].to_numpy()
        prices[rows, column] = np.append(bars.frame["open"].to_numpy(), close[-1])
        trades[rows[:-1], column] = True
        lows[rows, column] = np.append(bars.frame["low"].to_numpy(), close[-1])
    if chosen is not None:
        known = np.searchsorted(pd.DatetimeIndex(chosen.index).as_unit("ns").asi8, times, "right")
        in_basket = np.vstack([np.zeros(len(members), np.bool_), chosen[sorted(coins)].to_numpy()])
        trades &= in_basket[known]
    # a hole inside a coin's life, and its time after death, show the last price there was
    filled = pd.DataFrame(prices).ffill().to_numpy()
    return AssetPrices(name, times, filled, np.where(np.isnan(lows), filled, lows), trades)


def index_prices(name: str, bars: Bars) -> AssetPrices:
    """Return the prices of an index of daily bars, as an asset that can be bought.

    A session is dated by its opening instant and bought at its close: the published opens of old
    indices are the closes before, which nobody could trade once they were known.
    """
    sessions = pd.DatetimeIndex(bars.frame.index)
    opens, closes = session_hours(sessions)
    close = bars.frame["close"].to_numpy(np.float64)
    prices = np.append(close, close[-1])[:, np.newaxis]
    lows = np.append(bars.frame["low"].to_numpy(np.float64), close[-1])[:, np.newaxis]
    trades = np.ones(prices.shape, np.bool_)
    trades[-1] = False
    times = np.append(opens.as_unit("ns").asi8, closes[-1:].as_unit("ns").asi8)
    return AssetPrices(name, times, prices, np.minimum(lows, prices), trades)


def entry_positions(asset: AssetPrices, *, available_at: Integers) -> Integers:
    """Return the row of the first open tradable on each session's close, else `NO_ENTRY`.

    A bar that ends when the close becomes known, or later, takes the decision; the open
    after it fills. A session known before the first bar has opened cannot be traded, nor one
    whose open would come after the last bar.
    """
    rows = np.searchsorted(asset.times[1:], available_at, side="left") + 1
    early = available_at <= asset.times[0]
    late = rows >= asset.times.size - 1
    return np.where(early | late, NO_ENTRY, rows)


def forward_growth(asset: AssetPrices, entries: Integers, *, days: float) -> Floats:
    """Return log growth from each entry's open to the open `days` later, shape (entries,).

    A basket is equal money in every member that trades at the entry, untouched until the
    end. Measured before costs. Negative days look back. NaN without an entry, or where the
    data end before (or begin after) the other end.
    """
    return growth_paths(asset, entries, days=np.array([days]))[:, 0]


def growth_paths(asset: AssetPrices, entries: Integers, *, days: Floats) -> Floats:
    """Return log growth from each entry to each of `days` later, shape (entries, days)."""
    found = np.full((entries.size, days.size), np.nan)
    valid = np.flatnonzero(entries != NO_ENTRY)
    begin = entries[valid]
    for column, distance in enumerate(days):
        target = asset.times[begin] + int(distance * DAY_IN_NANOSECONDS)
        end = np.searchsorted(asset.times, target, side="left")
        inside = (end < asset.times.size) & (target >= asset.times[0])
        held = np.where(asset.trades[begin[inside]], asset.prices[begin[inside]], np.nan)
        found[valid[inside], column] = _log_mean(asset.prices[end[inside]] / held)
    return found


def delayed_growth(asset: AssetPrices, entries: Integers, *, delay: float, days: float) -> Floats:
    """Return log growth over `days` from `delay` days after each entry, shape (entries,).

    A delay below 0 begins before the event was known. A basket is bought anew then.
    """
    moved = np.full(entries.size, NO_ENTRY)
    valid = np.flatnonzero(entries != NO_ENTRY)
    target = asset.times[entries[valid]] + int(delay * DAY_IN_NANOSECONDS)
    begin = np.searchsorted(asset.times, target, side="left")
    inside = (target >= asset.times[0]) & (begin < asset.times.size - 1)
    moved[valid[inside]] = begin[inside]
    return forward_growth(asset, moved, days=days)


def adverse_excursion(asset: AssetPrices, entries: Integers, *, days: float) -> Floats:
    """Return the deepest low below the entry's open within `days`, as a fraction <= 0.

    For a basket, the mean of its members' deepest lows, which need not fall on one day:
    a bound on the worst. NaN without an entry or where the data end before.
    """
    found = np.full(entries.size, np.nan)
    for row, entry in enumerate(entries):
        if entry == NO_ENTRY:
            continue
        end = int(np.searchsorted(asset.times, asset.times[entry] + int(days * DAY_IN_NANOSECONDS)))
        if end < asset.times.size:
            own = asset.trades[entry]
            deepest = asset.lows[entry:end, own].min(axis=0) / asset.prices[entry, own]
            found[row] = min(0.0, float(deepest.mean()) - 1) if own.any() else np.nan
    return found


def _log_mean(ratios: Floats) -> Floats:
    """Return the log of the mean over the coins that have a ratio, NaN where none has."""
    known = np.isfinite(ratios)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.log(np.where(known, ratios, 0.0).sum(axis=1) / known.sum(axis=1)))


def _instants(bars: Bars) -> Integers:
    opens = pd.DatetimeIndex(bars.frame.index).as_unit("ns")
    last = bar_ends(opens[-1:], kind="coin", timeframe=bars.timeframe).as_unit("ns")
    return np.concatenate((opens.asi8, last.asi8))


def event_paths(
    asset: AssetPrices,
    entries: Integers,
    own: Episodes,
    *,
    sessions: pd.DatetimeIndex,
    placement: Placement,
    days: Floats = PATH_DAYS,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the mean path with its bands, and every episode's path.

    Both are simple returns from the entry's open, index `day`. `mean` compounds (it is the
    geometric mean) and takes only episodes whose whole path is known; `low` and `high` are
    its bootstrap interval day by day, `random_low`, `random_mean` and `random_high` those of
    as many random episodes. Days before 0 lie before the event was known.
    """
    growth = growth_paths(asset, entries, days=days)
    traded = own.starts[entries[own.starts] != NO_ENTRY]
    paths = pd.DataFrame(
        np.expm1(growth[traded]).T,
        index=pd.Index(days.astype(int), name="day"),
        columns=[f"{session:%Y-%m-%d}" for session in sessions[traded]],
    )
    bands = _bands(growth, own, placement)
    table = pd.DataFrame({name: np.expm1(band) for name, band in bands.items()}, index=paths.index)
    return table, paths


def _bands(growth: Floats, own: Episodes, placement: Placement) -> dict[str, Floats]:
    complete = np.isfinite(growth).all(axis=1)
    whole = growth[complete]
    sample = outcomes(np.where(complete, 0.0, np.nan), own)
    undefined = np.full(growth.shape[1], np.nan)
    bands = dict.fromkeys(
        ("mean", "low", "high", "random_low", "random_mean", "random_high"), undefined
    )
    if sample.starts.size == 0:
        return bands
    chosen = whole[sample.starts]
    bands["mean"] = chosen.mean(axis=0)
    if len(chosen) > 2:
        rows = stationary_indices(
            len(chosen), block=1.0, draws=BAND_DRAWS, rng=placement.rng(_RESAMPLES)
        )
        confidence = widened_confidence(placement.confidence, size=len(chosen))
        bands["low"], bands["high"] = _quantiles(_mean_paths(chosen, rows), confidence)
    starts = random_starts(sample, placement=placement, key=_PLACEBOS)[:BAND_DRAWS]
    if starts.size:
        drawn = _mean_paths(whole, starts)
        bands["random_mean"] = drawn.mean(axis=0)
        bands["random_low"], bands["random_high"] = _quantiles(drawn, placement.confidence)
    return bands


def _mean_paths(paths: Floats, rows: Integers) -> Floats:
    """Return the mean path of each draw, shape (draws, days)."""
    total = paths[rows[:, 0]]
    for column in range(1, rows.shape[1]):
        total = total + paths[rows[:, column]]
    return np.asarray(total / rows.shape[1])


def _quantiles(drawn: Floats, confidence: float) -> Floats:
    tail = (1 - confidence) / 2
    return np.quantile(drawn, [tail, 1 - tail], axis=0)
