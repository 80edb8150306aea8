"""Results by regime: what was earned while index, volatility or liquidity stood one way or another.

Each bar belongs to the state that was known when it opened, before any of its return was earned.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from backtests.analysis import metrics
from backtests.analysis.matched_placebo import HALVINGS, halving_eras
from backtests.engines.backtest import Run
from backtests.market.elapsed_time import SECONDS_PER_YEAR
from backtests.market.regime_series import LIQUIDITY, VIX
from feeds.arrays import DAY_IN_NANOSECONDS, Flags, Floats, Integers
from feeds.series import Series
from feeds.sessions import NEW_YORK, latest_known, values_at

TREND_SESSIONS: Final = 200
# weekly values, as in the ready-made filter: a quarter
LIQUIDITY_VALUES: Final = 13
VOLATILITY_DAYS: Final = 30
# a median of fewer values is that of a few weeks
FEWEST_VALUES: Final = 90
# what became known so long ago is known no more
STALE_DAYS: Final = 30
UNKNOWN: Final = -1
ONE_DAY: Final = pd.Timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Regimes:
    """One way to tell bars apart, by its `kind`.

    `states`, shape (bars,), number into `names`; `UNKNOWN` where nothing was known. An era is
    named by the day of the halving it begins with, the first one by "".
    """

    kind: str
    names: tuple[str, ...]
    states: Integers


@dataclass(frozen=True, slots=True)
class RegimeReturn:
    """What one account made on the bars of a regime, one after another, as fractions.

    `cagr` is NaN where they add up to less than a year; `max_drawdown` is that of these bars.
    """

    total_return: float
    cagr: float
    max_drawdown: float


@dataclass(frozen=True, slots=True)
class RegimeFigures:
    """One regime's results; `name` is "" for bars of which it was not known.

    `share` is its part of the run's time, `time_in_market` the share of its bars at whose end the
    strategy held something.
    """

    kind: str
    name: str
    is_known: bool
    bars: int
    share: float
    strategy: RegimeReturn
    buy_and_hold: RegimeReturn
    time_in_market: float


def regime_figures(
    result: Run, *, regimes: Sequence[Regimes] = (), first: int = 0
) -> list[RegimeFigures]:
    """Return the results by regime: a row per state that has bars, the unknown one last.

    Of the bars from row `first` on. `regimes` are those of the result, told apart anew if none
    are given.
    """
    bars = _Bars.of(result, first)
    return [
        _figures(bars, each, state, first)
        for each in regimes or regimes_of(result)
        for state in (*range(len(each.names)), UNKNOWN)
        if (each.states[first:] == state).any()
    ]


def regimes_of(result: Run) -> tuple[Regimes, ...]:
    """Return every regime that a run's bars can be told apart by."""
    return tuple(_regimes(result))


def _regimes(result: Run) -> Iterator[Regimes]:
    market, series = result.market, result.regime_series.found
    opens = pd.DatetimeIndex(market.traded.times).as_unit("ns")
    instants = opens.asi8
    yield Regimes("index_trend", ("above", "below"), _index_trend(result, instants))
    kinds: dict[str, tuple[tuple[str, str], Callable[[Floats], Floats]]] = {
        VIX: (("high", "low"), _above_median),
        LIQUIDITY: (("rising", "falling"), _has_risen),
    }
    for name, (names, judge) in kinds.items():
        if name in series:
            yield Regimes(name.lower(), names, _series_states(series[name], judge, instants))
    yield Regimes("volatility", ("high", "low"), _volatility(result, instants))
    # a halving's day has to end before it is known
    eras = halving_eras(opens.tz_localize(None) - ONE_DAY)
    yield Regimes("era", ("", *HALVINGS), eras)


def _index_trend(result: Run, instants: Integers) -> Integers:
    """Return 0 where the index was above the mean of its last sessions' closes, else 1."""
    market = result.market
    times = pd.DatetimeIndex(market.index.frame.index)
    days = times if times.tz is None else times.tz_convert(NEW_YORK).normalize()
    is_last = np.append(days[1:] != days[:-1], True)  # of an hourly index a session's last bar
    closes = market.index.frame["close"].to_numpy()[is_last]
    mean = pd.Series(closes).rolling(TREND_SESSIONS).mean().to_numpy()
    known_at = market.available_at.as_unit("ns").asi8[is_last]
    return _states_at(instants, _second(closes > mean, mean), known_at)


def _volatility(result: Run, instants: Integers) -> Integers:
    """Return 0 where the coin's volatility was above the median of its values so far, else 1."""
    closes = result.market.coin.frame["close"]
    if result.market.coin.timeframe != "1d":
        closes = closes.resample("1D").last().dropna()
    growth = np.log(closes).diff()
    spread = growth.rolling(VOLATILITY_DAYS).std().dropna()
    ends = pd.DatetimeIndex(spread.index).as_unit("ns").asi8 + DAY_IN_NANOSECONDS
    return _states_at(instants, _above_median(spread.to_numpy()), ends)


def _series_states(
    series: Series, judge: Callable[[Floats], Floats], instants: Integers
) -> Integers:
    known_at = pd.DatetimeIndex(series.frame["available_at"]).as_unit("ns").asi8
    return _states_at(instants, judge(series.frame["value"].to_numpy(np.float64)), known_at)


def _above_median(values: Floats) -> Floats:
    median = pd.Series(values).expanding(FEWEST_VALUES).median().to_numpy()
    return _second(values > median, median)


def _has_risen(values: Floats) -> Floats:
    before = pd.Series(values).shift(LIQUIDITY_VALUES).to_numpy()
    return _second(values > before, before)


def _second(is_first: Flags, bound: Floats) -> Floats:
    """Return 0 for the first of two states and 1 for the second, NaN without a bound."""
    return np.where(np.isnan(bound), np.nan, (~is_first).astype(np.float64))


def _states_at(instants: Integers, states: Floats, known_at: Integers) -> Integers:
    """Return the state known at each instant, `UNKNOWN` where none is or it is stale."""
    if not known_at.size:
        return np.full(instants.size, UNKNOWN)
    latest = latest_known(known_at, at=instants)
    found = values_at(states, positions=latest)
    age = instants - known_at[np.maximum(latest, 0)]
    is_known = np.isfinite(found) & (age <= STALE_DAYS * DAY_IN_NANOSECONDS)
    return np.where(is_known, np.nan_to_num(found), UNKNOWN).astype(np.int64)


@dataclass(frozen=True, slots=True)
class _Bars:
    """What each bar of a run from some row on took and brought, shape (bars,) each."""

    years: Floats
    strategy: Floats
    buy_and_hold: Floats
    invested: Flags

    @classmethod
    def of(cls, result: Run, first: int) -> "_Bars":
        lines = result.market.traded.lines
        opened = lines["time"][first]
        return cls(
            # as with cash, the time of missing bars belongs to the next one
            years=np.diff(lines["bar_end"][first:], prepend=opened) / SECONDS_PER_YEAR,
            strategy=result.strategy.returns.to_numpy()[first:],
            buy_and_hold=result.buy_and_hold.returns.to_numpy()[first:],
            invested=result.strategy.invested.to_numpy()[first:],
        )


def _figures(bars: _Bars, regimes: Regimes, state: int, first: int) -> RegimeFigures:
    chosen = regimes.states[first:] == state
    years = float(bars.years[chosen].sum())
    return RegimeFigures(
        kind=regimes.kind,
        name=regimes.names[state] if state != UNKNOWN else "",
        is_known=state != UNKNOWN,
        bars=int(chosen.sum()),
        share=years / float(bars.years.sum()),
        strategy=_return(bars.strategy[chosen], years=years),
        buy_and_hold=_return(bars.buy_and_hold[chosen], years=years),
        time_in_market=float(bars.invested[chosen].mean()),
    )


def _return(returns: Floats, *, years: float) -> RegimeReturn:
    return RegimeReturn(
        total_return=metrics.total_return(returns),
        cagr=metrics.cagr(returns, years=years) if years >= 1 else np.nan,
        max_drawdown=metrics.max_drawdown(returns),
    )
