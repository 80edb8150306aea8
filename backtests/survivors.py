"""A basket picked by hand from the coins that are left flatters itself: say so."""

from backtests.config import ALTS, Config
from backtests.endings import common_end
from backtests.inputs import Inputs


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
