"""All figures of a run side by side."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from backtests.analysis import metrics
from backtests.analysis.episodes import (
    BestSpell,
    best_spell,
    episode_starts,
    episodes_entered,
    trigger_sessions,
)
from backtests.analysis.exposure import (
    Exposure,
    evenly_held_returns,
    exposure_of,
    since_row,
)
from backtests.analysis.metrics import drawdowns
from backtests.analysis.trades import round_trips
from backtests.engines.account import Account, Capacity
from backtests.engines.backtest import Run
from backtests.market.elapsed_time import (
    SECONDS_PER_YEAR,
    SESSIONS_PER_YEAR,
    Timescale,
    bars_per_year,
    interest,
    time_taken,
)
from backtests.market.tape import NANOSECONDS
from feeds.arrays import Floats
from feeds.sessions import NEW_YORK, latest_known

Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of the strategy and of all it is compared with.

    `figures` maps "strategy", "buy_and_hold", "exposure_matched" (the coin held evenly at the
    strategy's average exposure), "control", "index" and the run's other accounts to figure
    name -> fraction, count or money (NaN where undefined). `drawdowns` holds every spell of the
    strategy and of buy-and-hold, deepest first. `best` is the time in the market that gained
    most. `episodes` counts the clusters of triggers in the run, `episodes_traded` those in
    which the strategy bought. `index_periods_per_year` are the sessions per year the index's
    figures are made annual by.
    """

    figures: dict[str, Figures]
    drawdowns: dict[str, pd.DataFrame]
    trades: pd.DataFrame
    index_periods_per_year: float
    episodes: int
    episodes_traded: int
    best: BestSpell
    capacity: Capacity


def summarise(result: Run) -> Summary:
    """Return the figures of a result."""
    stretch, sides = _stretch(result), _sides(result)
    spells = {name: drawdowns(side.account.returns) for name, side in sides.items()}
    figures = {
        name: _account_figures(result, side, stretch, spells=spells[name])
        for name, side in sides.items()
    }
    own, trades = sides["strategy"].exposure, sides["strategy"].trades
    best = best_spell(result, own)
    figures["strategy"]["cagr_without_best"] = best.cagr
    figures["exposure_matched"] = _even_figures(result, own, stretch)
    figures["index"] = _index_figures(result, stretch, _index_returns(result))
    episodes = episode_starts(trigger_sessions(result))
    return Summary(
        figures=figures,
        drawdowns={name: spells[name] for name in ("strategy", "buy_and_hold")},
        trades=trades,
        index_periods_per_year=index_periods_per_year(result),
        episodes=len(episodes),
        episodes_traded=episodes_entered(
            result.market.available_at[episodes], trades["entry_time"]
        ),
        best=best,
        capacity=result.capacity,
    )


def recent_figures(
    result: Run, spans: Sequence[int]
) -> dict[int, tuple[pd.Timestamp, dict[str, Figures]]]:
    """Return by years when the last so many of a run opened, and its figures over them alone.

    They begin with a day. As if the starting cash had been put in then, into what each account
    held: all figures but the CAGR without the best trade; of trades those entered since. Spans
    longer than the run are left out.
    """
    times = pd.DatetimeIndex(result.strategy.bars.index)
    end = pd.Timestamp(result.market.traded.lines["bar_end"][-1], unit="s", tz="UTC")
    sides, index, found = _sides(result), _index_returns(result), {}
    for years in spans:
        first = int(times.searchsorted((end - pd.DateOffset(years=years)).ceil("D")))
        if first == 0:
            continue
        stretch = _stretch(result, first)
        figures = {
            name: _recent_side(result, side, stretch, opened=times[first])
            for name, side in sides.items()
        }
        own = sides["strategy"].exposure
        figures["exposure_matched"] = _even_figures(result, own, stretch)
        figures["index"] = _index_figures(result, stretch, index)
        found[years] = (times[first], figures)
    return found


def _recent_side(
    result: Run, side: "_Side", stretch: "_Stretch", *, opened: pd.Timestamp
) -> Figures:
    account, trades = side.account, side.trades
    since = replace(side, trades=trades[trades["entry_time"] >= opened])
    spells = drawdowns(account.returns.iloc[stretch.first :])
    figures = _account_figures(result, since, stretch, spells=spells)
    scaled = account.initial_cash / float(account.equity.iloc[stretch.first - 1])
    for money in ("final_equity", "costs_paid"):
        figures[money] *= scaled
    return figures


@dataclass(frozen=True, slots=True)
class _Side:
    """One account of a run, with what it held and its trades."""

    account: Account
    exposure: Exposure
    trades: pd.DataFrame


def _sides(result: Run) -> dict[str, _Side]:
    accounts = {
        "strategy": result.strategy,
        "buy_and_hold": result.buy_and_hold,
        "control": result.control,
        **result.others,
    }
    return {
        name: _Side(account, exposure_of(result, account), _trades(result, account))
        for name, account in accounts.items()
    }


@dataclass(frozen=True, slots=True)
class _Stretch:
    """The bars from row `first` to the last, when it opened (seconds, UTC) and their time."""

    first: int
    opened: float
    scale: Timescale


def _stretch(result: Run, first: int = 0) -> _Stretch:
    lines = result.market.traded.lines
    opens, ends = lines["time"][first:], lines["bar_end"][first:]
    return _Stretch(first, float(opens[0]), time_taken(opens, ends, rate=_cash_rate(result)))


def _even_figures(result: Run, exposure: Exposure, stretch: _Stretch) -> Figures:
    """Return the figures of the coin held evenly at the strategy's average exposure."""
    scale = stretch.scale
    held = since_row(exposure, stretch.first)
    returns = evenly_held_returns(held)
    spells = drawdowns(pd.Series(returns, index=result.strategy.bars.index[stretch.first :]))
    figures = metrics.return_figures(
        returns,
        periods_per_year=scale.periods_per_year,
        years=scale.years,
        cash_return=scale.cash_returns,
        # from open to open: the return of a hole is that of the bar before it
        left_out=np.append(scale.after_hole[1:], False),
    )
    more = {
        "exposure": held.mean_weight,
        "final_equity": result.strategy.initial_cash * (1 + figures["total_return"]),
    }
    return figures | _drawdown_days(spells) | more


def _account_figures(
    result: Run, side: _Side, stretch: _Stretch, *, spells: pd.DataFrame
) -> Figures:
    account, trades = side.account, side.trades
    first, scale, fills = stretch.first, stretch.scale, account.fills
    equity = account.equity.iloc[first:]
    fills = fills[fills["time"] >= equity.index[0]]
    figures = metrics.return_figures(
        account.returns.to_numpy()[first:],
        periods_per_year=scale.periods_per_year,
        years=scale.years,
        cash_return=scale.cash_returns,
        left_out=scale.after_hole,
    )
    figures |= _drawdown_days(spells)
    figures["time_in_market"] = float(account.invested.iloc[first:].mean())
    figures["exposure"] = since_row(side.exposure, first).mean_weight
    figures["turnover"] = metrics.turnover(fills, equity=equity, years=scale.years)
    figures["costs_paid"] = metrics.costs_paid(fills, opens=result.market.traded.opens)
    figures["trades"] = len(trades)
    figures["win_rate"] = float((trades["return"] > 0).mean()) if len(trades) else np.nan
    figures["average_trade"] = float(trades["return"].mean()) if len(trades) else np.nan
    figures["final_equity"] = float(equity.iloc[-1])
    return figures


def index_periods_per_year(result: Run) -> float:
    """Return the sessions per year in the run: 252, or those there are if they are fewer."""
    sessions = len(_index_returns(result)[0])
    return bars_per_year(sessions, years=result.years, nominal=SESSIONS_PER_YEAR)


def _index_figures(result: Run, stretch: _Stretch, index: tuple[pd.Series, Floats]) -> Figures:
    """Return the index's figures from its sessions; cash earns from one close to the next."""
    scale = stretch.scale
    returns, known = index
    is_in = known > stretch.opened
    returns, known = returns[is_in], known[is_in]
    years = np.diff(known, prepend=stretch.opened) / SECONDS_PER_YEAR
    figures = metrics.return_figures(
        returns.to_numpy(),
        periods_per_year=bars_per_year(len(returns), years=scale.years, nominal=SESSIONS_PER_YEAR),
        years=scale.years,
        cash_return=interest(years, rate=_cash_rate(result)),
    )
    return figures | _drawdown_days(drawdowns(returns))


def _cash_rate(result: Run) -> float:
    return result.config.costs.cash_rate


def _drawdown_days(spells: pd.DataFrame) -> Figures:
    """Return the days of the deepest drawdown and of the longest, which need not be the same."""
    days = spells["days"]
    deepest, longest = (float(days.iloc[0]), float(days.max())) if len(spells) else (0.0, 0.0)
    return {"max_drawdown_days": deepest, "longest_drawdown_days": longest}


def _index_returns(result: Run) -> tuple[pd.Series, Floats]:
    """Return each session's return in the run, and when (seconds, UTC) its close was known.

    The first session is measured from the level known at the first bar's open; an index without
    one by then begins with its first close.
    """
    market = result.market
    known = market.available_at.as_unit("ns")
    before = int(latest_known(known.asi8, at=market.traded.times[:1].asi8)[0])
    rows = np.arange(max(before, 0), market.traded_sessions.stop)
    sessions = _session_dates(pd.DatetimeIndex(market.index.frame.index))[rows]
    is_last = np.append(sessions[1:] != sessions[:-1], True)
    is_last[0] = True  # the level at the start, even within a session
    rows = rows[is_last]
    closes = market.index.frame["close"].to_numpy()[rows]
    returns = pd.Series(
        np.diff(closes) / closes[:-1], index=sessions[is_last][1:].tz_localize("UTC")
    )
    return returns, known.asi8[rows[1:]] / NANOSECONDS


def _session_dates(times: pd.DatetimeIndex) -> pd.DatetimeIndex:
    return times if times.tz is None else times.tz_convert(NEW_YORK).tz_localize(None).normalize()


def _trades(result: Run, account: Account) -> pd.DataFrame:
    tape = result.market.traded
    last_closes = tape.last_closes
    return round_trips(account.fills, last_time=tape.times[-1], last_closes=last_closes)
