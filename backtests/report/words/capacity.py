"""Whether the fills could have been made, in words, from numbers alone."""

from math import isfinite, isnan

import pandas as pd

from backtests.engines.capacity import Capacity
from backtests.report.words import notation as written


def capacity(found: Capacity) -> str:
    """Return the largest share of a day's volume, and up to which account the result stands."""
    if not found.fills:
        return ""
    if isnan(found.largest):
        return (
            "The dollar volume of the days with fills is unknown, so nobody can say for how much "
            f"money this result stands.{_impact(found)}"
        )
    unknown = f" The volume is unknown for {found.unknown} of {found.fills} fills."
    return (
        f"The largest fill took {_share(found.largest)} of its day's dollar volume "
        f"({written.coin(found.symbol)}, {written.date(found.time or pd.NaT)}).{_account(found)}"
        f"{unknown if found.unknown else ''}{_impact(found)}"
    )


def _account(found: Capacity) -> str:
    if not isfinite(found.largest_account):
        return ""
    return (
        f" Up to a starting cash of about {written.rounded(found.largest_account)} every "
        f"{'fill' if not found.unknown else 'fill of known volume'} stays within "
        f"{written.percent(found.limit, decimals=0)} of its day."
    )


def _impact(found: Capacity) -> str:
    if isnan(found.impact):
        return ""
    if found.uncharged == found.fills:
        return " No fill was charged impact: the volume, or the prices before, are unknown."
    paid = f" The fills paid {written.money(found.impact)} for moving the price"
    if not found.uncharged:
        return f"{paid}."
    return (
        f"{paid}; {found.uncharged} of {found.fills} paid nothing, because volume or earlier "
        "prices are unknown."
    )


def _share(share: float) -> str:
    return "less than 0.1 %" if share < 0.001 else written.percent(share)
