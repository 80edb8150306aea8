"""What would change a config's answer at its next bars: the closes and dates that matter."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.config.config import Config
from backtests.engines.account import Closing
from backtests.market.market import Market, closes_of
from strategies.registry import trigger_parts


@dataclass(frozen=True, slots=True)
class Change:
    """A close (or a date) at which the answer changes: of what, how, and to what.

    `direction` is "above" or "below" for a `level`; `on` is an instant (UTC) instead.
    """

    subject: str
    then: str
    direction: str = ""
    level: float = float("nan")
    on: pd.Timestamp | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Support:
    """The level under test, or held as support, and the close below which it is lost."""

    level: float
    lost_below: float
    is_held: bool


def support_of(config: Config, market: Market) -> Support | None:
    """Return the level followed after the last session; None where there is none."""
    signals = market.signals
    level = float(signals.support_level[-1])
    if np.isnan(level):
        return None
    started, held = np.flatnonzero(signals.breakout), np.flatnonzero(signals.support_held)
    is_held = bool(held.size) and (not started.size or bool(held[-1] > started[-1]))
    return Support(level, level * (1 - config.signal.tolerance), is_held)


def next_high(config: Config, market: Market) -> tuple[float, int]:
    """Return the highest close of the lookback, today's included, and its age in sessions.

    Tomorrow's close makes a new high above it.
    """
    closes, lookback = closes_of(market.index), config.signal.lookback
    recent = closes if lookback == "all" else closes[-lookback:]
    return float(recent.max()), int(recent[::-1].argmax()) + 1


def changes(config: Config, market: Market, closed: Closing, *, is_held: bool) -> Iterator[Change]:
    """Yield what would trigger a purchase, or prolong one, and what would end it."""
    index = market.index.instrument.label
    yield from _triggers(config, market, index, then="prolong the window" if is_held else "buy")
    if not is_held or closed.state is None:
        return
    rules, state = config.rules, closed.state
    if np.isfinite(state.window_end):
        yield Change("window", "sell", on=pd.Timestamp(int(state.window_end * 1e9), tz="UTC"))
    support = support_of(config, market)
    if rules.exit_on_support_lost and support is not None and support.is_held:
        yield Change(index, "sell", "below", support.lost_below, note="support")
    if rules.index_drawdown:
        bound = state.index_high * (1 - rules.index_drawdown)
        yield Change(index, "sell", "below", bound, note="index drawdown")
    yield from _stops(config, market, closed)


def _triggers(config: Config, market: Market, index: str, *, then: str) -> Iterator[Change]:
    names, signal = trigger_parts(config.rules.trigger)[1], config.signal
    high, age = next_high(config, market)
    passes = market.traded.lines["gate"][-1] > 0
    wait = "" if passes else "and the filters let it pass"
    if "new_high" in names:
        yield Change(index, then, "above", high, note=wait)
    elif "breakout" in names:
        young = f"from {signal.base} sessions on, now {age}" if age < signal.base else wait
        yield Change(index, then, "above", high, note=young)
    support = support_of(config, market)
    if "support_held" in names and support is not None and not support.is_held:
        run = closes_of(market.index)[::-1] >= support.level
        streak = int(run.argmin()) if not run.all() else run.size
        left = max(1, signal.confirm - streak)
        yield Change(
            index, then, "above", support.level, note=f"for {left} sessions more, as support"
        )


def _stops(config: Config, market: Market, closed: Closing) -> Iterator[Change]:
    rules, state, fills = config.rules, closed.state, closed.account.fills
    asset = market.coin.instrument.label
    if state is None or len(market.traded.coins) > 1:
        return
    bought = fills.loc[fills["side"] == "buy"]
    if rules.stop_loss and len(bought):
        paid = float(bought["price"].iloc[-1])
        yield Change(asset, "sell", "below", paid * (1 - rules.stop_loss), note="stop loss")
    if rules.trailing_stop and np.isfinite(state.highest_close):
        bound = state.highest_close * (1 - rules.trailing_stop)
        yield Change(asset, "sell", "below", bound, note="trailing stop")
