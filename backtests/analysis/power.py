"""How often a verdict would come out if the true effect were known: its errors and its power."""

from typing import Final

import numpy as np
import pandas as pd

from backtests.analysis.effects import CONFIDENCE, LEVEL, effect_bounds
from feeds.arrays import Floats

SHARES: Final = (0.0, 0.2, 0.5, 1.0)  # of the claimed effect


def verdict_rates(drawn: Floats, *, claimed: float, confidence: float = CONFIDENCE) -> pd.DataFrame:
    """Return how often each verdict comes out if the true effect is a share of the claimed one.

    Every arrangement of random dates is taken once for the real one, with the effect added to it,
    and judged against all of them: an interval that ends below the claimed effect ("ruled_out"),
    else significant at `LEVEL` ("supported", before the question whether one episode carries it),
    or neither ("too_little").

    Parameters
    ----------
    drawn
        Mean log growth on random dates, shape (draws,).
    claimed
        The claimed effect, a fraction above 0.

    Returns
    -------
    A row per share of `SHARES`, indexed by the effect as a fraction; empty without draws.
    """
    if drawn.size == 0 or not claimed > 0:
        return pd.DataFrame(columns=["supported", "ruled_out", "too_little"], dtype=np.float64)
    ordered = np.sort(drawn)
    _, reach = effect_bounds(0.0, drawn, confidence=confidence)
    rows = {}
    for share in SHARES:
        size = np.log1p(claimed * share)
        actual = drawn + size
        above = drawn.size - np.searchsorted(ordered, actual, side="left")
        is_ruled_out = actual + reach < np.log1p(claimed)
        is_supported = ~is_ruled_out & ((1 + above) / (1 + drawn.size) <= LEVEL)
        supported, ruled_out = float(is_supported.mean()), float(is_ruled_out.mean())
        rows[claimed * share] = (supported, ruled_out, 1 - supported - ruled_out)
    return pd.DataFrame.from_dict(
        rows, orient="index", columns=["supported", "ruled_out", "too_little"]
    )
