"""Where bars end: a file that ends before the others is not a death, a coin that stopped is."""

from collections.abc import Sequence
from typing import Final

import pandas as pd

from backtests.config.config import ALTS, Config
from backtests.market.inputs import Inputs
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


def survivor_note(config: Config, inputs: Inputs) -> str | None:
    """Return a warning if a basket's coins were chosen by how they ended, else None.

    Of coins listed years ago most are dead or dwarfed; a list without a single death was
    made by somebody who knew how it ended, and one named by hand most likely was. A basket
    of the top coins of each day was not.
    """
    if config.asset != ALTS or config.basket.select != "all":
        return None
    ends = [bars.frame.index[-1] for bars in inputs.coins]
    died = sum(end < common_end(inputs.coins) for end in ends)
    if died and not config.basket.members:
        return None
    if died:
        return (
            f"HAND-PICKED: the {len(ends)} coins of the basket were named by hand; {died} stopped "
            "trading before the end, but most coins listed with them are dead or dwarfed, so the "
            "result is too good. `basket.select` takes the largest of each day instead"
        )
    return (
        f"SURVIVORS: none of the {len(ends)} coins of the basket stopped trading before the end, "
        "so the list looks picked from those that are left; the result is too good by what the "
        "others lost"
    )
