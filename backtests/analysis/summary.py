"""All figures of a run side by side."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from backtests.analysis import metrics
from backtests.analysis.drawdowns import drawdowns
from backtests.analysis.episodes import episode_starts, episodes_entered
from backtests.analysis.exposure import Exposure, evenly_held_returns, exposure_of
from backtests.analysis.spells import BestSpell, best_spell
from backtests.analysis.trades import round_trips
from backtests.backtest import Result
from backtests.engine import Account
from feeds.sessions import NEW_YORK

INDEX_PERIODS_PER_YEAR = 252

Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of the strategy and of all it is compared with.

    `figures` maps "strategy", "buy_and_hold", "exposure_matched" (the coin held evenly at the
    strategy's average exposure), "control", "index" and the run's other accounts to figure
    name -> fraction, count or money (NaN where undefined). `drawdowns` holds every spell of the
    strategy and of buy-and-hold, deepest first. `best` is the time in the market that gained
    most. `episodes` counts the clusters of triggers in the run, `episodes_traded` those in
    which the strategy bought.
    """

    figures: dict[str, Figures]
    drawdowns: dict[str, pd.DataFrame]
    trades: pd.DataFrame
    episodes: int
    episodes_traded: int
    best: BestSpell


def summarise(result: Result) -> Summary:
    """Return the figures of a result."""
    accounts = {
        "strategy": result.strategy,
        "buy_and_hold": result.buy_and_hold,
        "control": result.control,
    }
    every = {**accounts, **result.others}
    spells = {name: drawdowns(account.returns) for name, account in every.items()}
    trips = {name: _trades(result, account) for name, account in every.items()}
    figures = {
        name: _account_figures(result, account, spells=spells[name], trades=trips[name])
        for name, account in every.items()
    }
    own = exposure_of(result)
    best = best_spell(result, own)
    figures["strategy"]["cagr_without_best"] = best.cagr
    figures["exposure_matched"] = _even_figures(result, own)
    figures["index"] = _index_figures(result)
    episodes = episode_starts(_trigger_sessions(result))
    trades = trips["strategy"]
    return Summary(
        figures=figures,
        drawdowns={name: spells[name] for name in ("strategy", "buy_and_hold")},
        trades=trades,
        episodes=len(episodes),
        episodes_traded=episodes_entered(
            result.market.available_at[episodes], trades["entry_time"]
        ),
        best=best,
    )


def _even_figures(result: Result, exposure: Exposure) -> Figures:
    """Return the figures of the coin held evenly at the strategy's average exposure."""
    returns = evenly_held_returns(exposure)
    spells = drawdowns(pd.Series(returns, index=result.strategy.bars.index))
    figures = metrics.return_figures(
        returns,
        periods_per_year=result.periods_per_year,
        days=result.days,
        cash_return=result.cash_return,
    )
    more = {
        "exposure": exposure.mean_weight,
        "final_equity": result.strategy.initial_cash * (1 + figures["total_return"]),
    }
    return figures | _drawdown_days(spells) | more


def _account_figures(
    result: Result, account: Account, *, spells: pd.DataFrame, trades: pd.DataFrame
) -> Figures:
    returns = account.returns.to_numpy()
    ppy = result.periods_per_year
    figures = metrics.return_figures(
        returns, periods_per_year=ppy, days=result.days, cash_return=result.cash_return
    )
    figures |= _drawdown_days(spells)
    figures["time_in_market"] = float(account.invested.mean())
    figures["exposure"] = exposure_of(result, account).mean_weight
    figures["turnover"] = metrics.turnover(account.fills, equity=account.equity, days=result.days)
    tape = result.market.traded
    opens = pd.DataFrame(tape.matrix("open"), index=tape.times, columns=list(tape.coins))
    figures["costs_paid"] = metrics.costs_paid(account.fills, opens=opens)
    figures["trades"] = len(trades)
    figures["win_rate"] = float((trades["return"] > 0).mean()) if len(trades) else np.nan
    figures["average_trade"] = float(trades["return"].mean()) if len(trades) else np.nan
    figures["final_equity"] = float(account.equity.iloc[-1])
    return figures


def _index_figures(result: Result) -> Figures:
    closes = _by_session(result.market.index.frame["close"].iloc[result.market.traded_sessions])
    returns = closes.pct_change().iloc[1:]
    days = (closes.index[-1] - closes.index[0]) / pd.Timedelta(days=1)
    figures = metrics.return_figures(
        np.asarray(returns, np.float64), periods_per_year=INDEX_PERIODS_PER_YEAR, days=days
    )
    return figures | _drawdown_days(drawdowns(returns.tz_localize("UTC")))


def _drawdown_days(spells: pd.DataFrame) -> Figures:
    """Return the days of the deepest drawdown and of the longest, which need not be the same."""
    days = spells["days"]
    deepest, longest = (float(days.iloc[0]), float(days.max())) if len(spells) else (0.0, 0.0)
    return {"max_drawdown_days": deepest, "longest_drawdown_days": longest}


def _by_session(closes: pd.Series) -> pd.Series:
    """Return the last close of each session; closes of sessions come back as they are."""
    times = pd.DatetimeIndex(closes.index)
    if times.tz is None:
        return closes
    return closes.groupby(times.tz_convert(NEW_YORK).tz_localize(None).normalize()).last()


def _trades(result: Result, account: Account) -> pd.DataFrame:
    tape = result.market.traded
    closes = dict(zip(tape.coins, tape.matrix("close")[-1].tolist(), strict=True))
    return round_trips(account.fills, last_time=tape.times[-1], last_closes=closes)


def _trigger_sessions(result: Result) -> np.ndarray[Any, np.dtype[np.int64]]:
    sessions = result.market.traded.lines["trigger_session"]
    return sessions[sessions >= 0].astype(np.int64)
