"""The replay of a run: each order with what was known the evening before it."""

from typing import Any, Final

import numpy as np
import pandas as pd

from backtests.engines.backtest import Run
from backtests.report.charts.hover_text import session_states
from backtests.report.charts.index_price import run_levels
from backtests.report.words import notation as written
from feeds.sessions import latest_known

MOST_STEPS: Final = 1_000  # a page is no file of fills
MOST_COINS: Final = 6  # whose orders a step names one by one


def replay_steps(result: Run) -> list[dict[str, Any]]:
    """Return a step per bar with fills: when, what was ordered, and what was known by then."""
    fills = result.strategy.fills
    evenings = _Evenings(result)
    steps = sorted(fills.groupby("time").indices.values(), key=lambda rows: int(rows[0]))
    return [_step(result, fills.iloc[rows], evenings) for rows in steps[:MOST_STEPS]]


def _step(result: Run, fills: pd.DataFrame, evenings: "_Evenings") -> dict[str, Any]:
    time = pd.Timestamp(fills["time"].iloc[0])
    row = int(result.strategy.bars.index.get_indexer(pd.DatetimeIndex([time]))[0])
    return {
        "at": int(time.timestamp() * 1000),
        "date": written.date(time),
        "texts": {
            "Order": _orders(fills),
            "Known that evening": evenings.index_in_words(row),
            "Price": evenings.coin_in_words(row),
            "Account at the bar's end": _account(result, row),
        },
    }


def _orders(fills: pd.DataFrame) -> str:
    why = written.words(str(fills["reason"].iloc[0]))
    if len(fills) > MOST_COINS:
        sides = fills["side"].value_counts()
        counts = [f"{sides[side]} {side}s" for side in ("sell", "buy") if side in sides]
        return f"{' and '.join(counts)} ({why})"
    return f"{'; '.join(_order(fill) for fill in fills.to_dict('records'))} ({why})"


def _order(fill: dict[Any, Any]) -> str:
    verb = "bought" if fill["side"] == "buy" else "sold"
    units, price = written.price(fill["units"]), written.price(fill["price"])
    return f"{verb} {units} {written.coin(fill['symbol'])} at {price}"


def _account(result: Run, row: int) -> str:
    bar = result.strategy.bars.iloc[row]
    held = written.percent(bar["weight"])
    return f"equity {written.money(bar['equity'])}, {held} of it in the market"


class _Evenings:
    """What was known of index and coin when each bar opened."""

    def __init__(self, result: Run) -> None:
        market = result.market
        self._frame = market.index.frame
        self._label = market.index.instrument.label
        self._signals = market.signals
        self._states = session_states(market.signals, run_levels(result))
        known = market.available_at.as_unit("ns").asi8
        opens = pd.DatetimeIndex(result.strategy.bars.index).as_unit("ns").asi8
        self._sessions = latest_known(known, at=opens)
        self._asset, self._coin = result.asset, market.traded_bars

    def index_in_words(self, row: int) -> str:
        """Return the latest session, its close, how far the record was, and what was the case."""
        session = int(self._sessions[row])
        if session < 0:
            return f"no bar of {self._label} was known yet"
        close, prior = self._frame["close"].iloc[session], self._signals.prior_high[session]
        day = written.date(pd.Timestamp(self._frame.index[session]))
        state = self._states[session] or "no level under test, none held"
        return f"{self._label} {written.price(close)} on {day}{_from_record(close, prior)}; {state}"

    def coin_in_words(self, row: int) -> str:
        """Return the open that was filled at, and the close before it."""
        opened = f"{self._asset} opened at {written.price(self._coin['open'].iloc[row])}"
        if row == 0:
            return opened
        return f"{opened}; the close before was {written.price(self._coin['close'].iloc[row - 1])}"


def _from_record(close: float, prior: float) -> str:
    if np.isnan(prior):
        return ""
    gap = written.percent(abs(close / prior - 1))
    return (
        f", {gap} {'above' if close > prior else 'below'} the prior high of {written.price(prior)}"
    )
