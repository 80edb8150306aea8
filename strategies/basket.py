"""The altcoin basket: which coins are in, at which weights, point in time.

Pure functions of panels of shape (bars, coins), coins sorted by symbol. A row uses bars up
to its own only. A weighting or a ranking is one registered function.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from feeds.arrays import Flags, Floats
from strategies.registry import Kind, built_in, find
from strategies.rule_settings import BasketSettings
from strategies.user_functions import amounts


@dataclass(frozen=True, slots=True)
class BasketPanel:
    """What is known of each coin at each bar's end, shape (bars, coins).

    `alive` is whether the coin has a bar; prices of others are the last there was. `money`
    is the traded value of the bar, `market_cap` that at its end; NaN where unknown.
    `decides` is whether the members are chosen when a bar ends, shape (bars,).
    """

    alive: Flags
    close: Floats
    money: Floats
    market_cap: Floats
    bars_per_day: float
    decides: Flags

    def bars(self, days: float) -> int:
        """Return how many bars `days` are, at least 1."""
        return max(1, round(days * self.bars_per_day))


def basket_weights(panel: BasketPanel, qualified: Flags, *, settings: BasketSettings) -> Floats:
    """Return the target weight of each coin within the basket, shape (bars, coins).

    `qualified` is which coins are `members`. Rows add up to 1, or to less where caps leave money
    over, or to 0 where no coin qualifies.
    """
    raw = np.where(qualified, _ranks("weighting", panel, settings), 0.0)
    raw = np.nan_to_num(raw, nan=0.0)
    return cap_weights(_shares(raw), cap=settings.max_coin_weight)


def members(panel: BasketPanel, *, settings: BasketSettings) -> Flags:
    """Return which coins are in: trading, old enough, and among the `top` of the ranking.

    The ranking is made of bars that have ended, at the end of a month (or week) where the
    basket is set right then, and stands until the next: who was traded most in a month is
    known only when it is over.
    """
    age = np.cumsum(panel.alive, axis=0)
    old_enough = age > settings.min_age_days * panel.bars_per_day
    qualified = panel.alive & old_enough & np.isfinite(_ranks("weighting", panel, settings))
    if settings.select in {"all", "auto"}:
        return qualified
    rank = np.where(qualified, _ranks("selection", panel, settings), np.nan)
    # ties go to the first by symbol; a coin of unknown rank is never among the top
    order = np.argsort(np.argsort(-np.nan_to_num(rank, nan=-np.inf), axis=1, kind="stable"), axis=1)
    chosen = np.isfinite(rank) & (order < settings.top)
    return _as_decided(chosen, panel.decides) & qualified


def _ranks(kind: Kind, panel: BasketPanel, settings: BasketSettings) -> Floats:
    """Return a number for each bar and coin by the function the settings name."""
    entry = find(kind, settings.weights if kind == "weighting" else settings.select)
    if entry.is_own:
        own = settings.parameters(entry.name)
        return amounts(entry, [panel], parameters=own, shape=panel.close.shape)
    found: Floats = entry.function(panel, settings)
    return found


def _as_decided(chosen: Flags, decides: Flags) -> Flags:
    """Return each row as it stood at the latest deciding one; nothing before the first."""
    latest = np.maximum.accumulate(np.where(decides, np.arange(decides.size), -1))
    return np.where(latest[:, np.newaxis] >= 0, chosen[latest], False)


def cap_weights(shares: Floats, *, cap: float) -> Floats:
    """Return shares with none above `cap`; the excess goes to the others in proportion."""
    shares = shares.copy()
    for _ in range(shares.shape[1]):
        over = shares > cap
        excess = np.where(over, shares - cap, 0.0).sum(axis=1, keepdims=True)
        shares = np.minimum(shares, cap)
        room = np.where((shares < cap) & (shares > 0), shares, 0.0)
        total = room.sum(axis=1, keepdims=True)
        if not ((excess > 0) & (total > 0)).any():
            break
        shares = shares + np.divide(room, total, out=np.zeros_like(room), where=total > 0) * excess
    return np.minimum(shares, cap)


@built_in("weighting", "equal")
def equal(panel: BasketPanel, settings: BasketSettings) -> Floats:
    """Weigh all alike."""
    del settings
    return np.ones_like(panel.close)


@built_in("weighting", "inverse_vol", settings=("basket.weight_lookback_days",))
def inverse_vol(panel: BasketPanel, settings: BasketSettings) -> Floats:
    """Weigh by one over the standard deviation (ddof 1) of the last returns."""
    deviation = _returns(panel).rolling(panel.bars(settings.weight_lookback_days)).std(ddof=1)
    return (1 / deviation.replace(0.0, np.nan)).to_numpy()


@built_in("weighting", "market_cap")
def market_cap(panel: BasketPanel, settings: BasketSettings) -> Floats:
    """Weigh by market capitalisation; a coin without one is not in."""
    del settings
    return np.where(panel.market_cap > 0, panel.market_cap, np.nan)


@built_in("weighting", "momentum", settings=("basket.weight_lookback_days",))
def momentum(panel: BasketPanel, settings: BasketSettings) -> Floats:
    """Weigh by the gain over the lookback; losers get nothing."""
    back = panel.bars(settings.weight_lookback_days)
    alive = pd.DataFrame(panel.close).where(panel.alive)
    return alive.pct_change(back, fill_method=None).clip(lower=0.0).to_numpy()


@built_in("selection", "market_cap", settings=("basket.top",))
def by_market_cap(panel: BasketPanel, settings: BasketSettings) -> Floats:
    """Rank by market capitalisation."""
    return market_cap(panel, settings)


@built_in("selection", "dollar_volume", settings=("basket.top", "basket.volume_window_days"))
def by_dollar_volume(panel: BasketPanel, settings: BasketSettings) -> Floats:
    """Rank by the mean traded value of the last days.

    Of the bars there are, if they are at least half: one missing bar is no reason to leave a
    coin out for as long as the window.
    """
    window = panel.bars(settings.volume_window_days)
    money = pd.DataFrame(panel.money)
    return money.rolling(window, min_periods=(window + 1) // 2).mean().to_numpy()


def deciding_bars(ends: pd.DatetimeIndex, *, every: str) -> Flags:
    """Return the bars at whose end members are chosen: all, if the basket is never set right."""
    return np.ones(len(ends), np.bool_) if every == "never" else rebalance_bars(ends, every=every)


def rebalance_bars(ends: pd.DatetimeIndex, *, every: str) -> Flags:
    """Return the bars at whose end a week (Monday 00:00 UTC) or month is over."""
    if every == "never":
        return np.zeros(len(ends), np.bool_)
    naive = ends.tz_localize(None)
    periods = naive.to_period("W-SUN" if every == "weekly" else "M")
    numbers = np.asarray(periods.asi8)
    return np.asarray(np.concatenate(([False], np.diff(numbers) > 0)))


def _returns(panel: BasketPanel) -> pd.DataFrame:
    alive = pd.DataFrame(panel.close).where(panel.alive)
    return alive.pct_change(fill_method=None)


def _shares(raw: Floats) -> Floats:
    total = raw.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(raw, total, out=np.zeros_like(raw), where=total > 0))
