"""The equity of every account of a run on the same rows, from the starting cash on."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd

from backtests.analysis.exposure import evenly_held_returns, exposure_of
from backtests.analysis.periods import weekly
from backtests.engines.backtest import Run
from feeds.arrays import Floats

FEWEST_WEEKS: Final = 26  # of a correlation


def compared_equity(result: Run) -> dict[str, pd.Series]:
    """Return in money what a run is compared with, a row per bar, by the names of its figures.

    The coin held evenly is counted from open to open as its figures are: a row is what there is
    at the next open, the last one at the last close. The index is what the starting cash would be
    at its level known at each bar's end.
    """
    cash, times = result.strategy.initial_cash, result.strategy.bars.index
    even = cash * np.cumprod(1 + evenly_held_returns(exposure_of(result)))
    market = result.market
    return {
        "buy_and_hold": result.buy_and_hold.equity,
        "exposure_matched": pd.Series(even, index=times),
        "control": result.control.equity,
        "index": cash * (market.index_level / market.index_before),
        **{name: account.equity for name, account in result.others.items()},
    }


def with_start(
    table: pd.DataFrame, start: Mapping[str, float] | float, *, length: pd.Timedelta
) -> pd.DataFrame:
    """Return a table of states at each bar's end with a row before: the state at the first open.

    Its `time` is one bar's `length` earlier: every row stands at the open of the bar that ends
    with it, and such a bar would end where the first one opens. So the change from row to row is
    the return of each bar, the first one's too.
    """
    before = pd.DatetimeIndex([table.index[0] - length])
    opening = pd.DataFrame(start, index=before, columns=table.columns)
    return pd.concat([opening, table]).rename_axis("time").reset_index()


def weekly_correlation(equities: Sequence[pd.Series]) -> Floats:
    """Return the correlation of weekly returns of each pair of curves, a row and column each.

    Weeks end on Sundays. Each pair is compared over the weeks that both cover; NaN under
    `FEWEST_WEEKS`, or where one of them never moved.
    """
    weeks = pd.concat([weekly(each) for each in equities], axis=1, sort=True)
    weeks.columns = pd.RangeIndex(len(equities))
    return weeks.pct_change(fill_method=None).corr(min_periods=FEWEST_WEEKS).to_numpy()
