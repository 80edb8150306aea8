"""The present instant, as something a test can replace."""

from collections.abc import Callable

import pandas as pd

Clock = Callable[[], pd.Timestamp]


def utc_now() -> pd.Timestamp:
    """Return the present instant, UTC."""
    return pd.Timestamp.now(tz="UTC")
