"""Where bars end: a file that ends before the others is not a death, a coin that stopped is."""

from collections.abc import Sequence
from typing import Final

import pandas as pd

from feeds.bars import Bars

# Files downloaded within a month of each other end on different days; nothing died.
SAME_END: Final = pd.Timedelta(days=30)
NAMED: Final = 6


def common_end(coins: Sequence[Bars]) -> pd.Timestamp:
    """Return the last bar that all coins still trading have.

    A coin whose bars end more than 30 days before the newest bar of any has stopped trading.
    """
    ends = [_last(bars) for bars in coins]
    return min(end for end in ends if end >= max(ends) - SAME_END)


def ending_notes(coins: Sequence[Bars], *, until: pd.Timestamp | None = None) -> tuple[str, ...]:
    """Return what a basket's ends mean for a run that goes no further than `until`."""
    newest, common = max(map(_last, coins)), common_end(coins)
    notes = []
    if common < newest and (until is None or common < until):
        longest = next(bars for bars in coins if _last(bars) == newest)
        notes.append(
            f"the run ends on {common:%Y-%m-%d}, the last day all coins have; "
            f"{longest.instrument.label} has bars to {newest:%Y-%m-%d}"
        )
    last = common if until is None else min(common, until)
    dead = [f"{b.instrument.label} ({_last(b):%Y-%m-%d})" for b in coins if _last(b) < last]
    if dead:
        more = f" and {len(dead) - NAMED} more" if len(dead) > NAMED else ""
        notes.append(
            "stopped trading before the end, and sold as delisted where held: "
            f"{', '.join(dead[:NAMED])}{more}"
        )
    return tuple(notes)


def _last(bars: Bars) -> pd.Timestamp:
    return pd.Timestamp(bars.frame.index[-1])
