"""A zoo of functions that see the future, and some that do not, as quants write them.

Each takes the index's bars, a row per session, and answers true or false per row. They need pandas
alone, so that other packages' audits can be tried on them where this one is not installed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

Function = Callable[[pd.DataFrame], pd.Series]


@dataclass(frozen=True, slots=True)
class Specimen:
    """A function; `reach` is how many later rows it sees, None where it sees all or none."""

    name: str
    function: Function
    reach: int | None = None


def shifted(index: pd.DataFrame) -> pd.Series:
    """The next close is higher."""
    return index["close"].shift(-1) > index["close"]


def centred(index: pd.DataFrame) -> pd.Series:
    """Above a mean that reaches ten sessions ahead."""
    return index["close"] > index["close"].rolling(21, center=True).mean()


def z_scored(index: pd.DataFrame) -> pd.Series:
    """High by the mean and deviation of the whole file."""
    return (index["close"] - index["close"].mean()) / index["close"].std() > 1


def back_filled(index: pd.DataFrame) -> pd.Series:
    """The close is below one that was filled in from up to four sessions later."""
    every_fifth = np.arange(len(index)) % 5 == 4
    return index["close"].where(every_fifth).bfill() > index["close"]


def left_labelled(index: pd.DataFrame) -> pd.Series:
    """A week's last close, known from its first day on."""
    weekly = index["close"].resample("W-FRI", label="left", closed="right").last()
    return weekly.reindex(index.index, method="ffill") > index["close"]


def labelled_ahead(index: pd.DataFrame) -> pd.Series:
    """It gains 2 % in the next twenty sessions."""
    return index["close"].shift(-20) / index["close"] > 1.02


def between_extremes(index: pd.DataFrame) -> pd.Series:
    """In the upper fifth of the whole file's range."""
    low, high = index["close"].min(), index["close"].max()
    return (index["close"] - low) / (high - low) > 0.8


def scaled_on_all(index: pd.DataFrame) -> pd.Series:
    """Above a trend fitted on all rows."""
    rows = np.arange(len(index))
    if len(index) < 2:
        return index["close"] > np.inf
    slope, start = np.polyfit(rows, index["close"], 1)
    return index["close"] > start + slope * rows


def seeded_by_the_last(index: pd.DataFrame) -> pd.Series:
    """Random, from the last close."""
    rng = np.random.default_rng(int(index["close"].iloc[-1] * 1e4))
    return pd.Series(rng.random(len(index)) < 0.1, index.index)


def unseeded(index: pd.DataFrame) -> pd.Series:
    """Random, another time each."""
    return pd.Series(np.random.default_rng().random(len(index)) < 0.1, index.index)


def merged_on_date(index: pd.DataFrame) -> pd.Series:
    """M2 rose, by the month it is of, not that in which it was published."""
    m2 = m2_by_date()
    return (m2.diff() > 0).reindex(index.index, method="ffill").fillna(False).astype(bool)


ZOO: Final = (
    Specimen("shift by one", shifted, 1),
    Specimen("centred window", centred, 10),
    Specimen("z-score of the whole sample", z_scored),
    Specimen("back-fill", back_filled, 4),
    Specimen("resample labelled left", left_labelled, 5),
    Specimen("label 20 bars ahead", labelled_ahead, 20),
    Specimen("min and max of the whole file", between_extremes),
    Specimen("scaler fitted on all", scaled_on_all),
    Specimen("random seed from the last bar", seeded_by_the_last),
    Specimen("random without a seed", unseeded),
)


def m2_by_date() -> pd.Series:
    """Return a made-up money supply by the first of the month it is of."""
    months = pd.date_range("2015-01-01", "2020-12-01", freq="MS")
    steps = np.random.default_rng(5).normal(0, 50, len(months))
    return pd.Series(15_000 + steps.cumsum(), months).round(1)


# clean ones: what sees no future, and is easily taken for it


def above_mean(index: pd.DataFrame, *, window: int = 50) -> pd.Series:
    """Above its mean."""
    return index["close"] > index["close"].rolling(window).mean()


def expanding_z(index: pd.DataFrame, *, window: int = 60) -> pd.Series:
    """High by what was known."""
    seen = index["close"].expanding(window)
    return (index["close"] - seen.mean()) / seen.std() > 1


def smoothed(index: pd.DataFrame, *, window: int = 20) -> pd.Series:
    """A fast mean above a slow one."""
    fast = index["close"].ewm(span=window).mean()
    return fast > index["close"].ewm(span=3 * window).mean()


def lagged(index: pd.DataFrame, *, window: int = 10) -> pd.Series:
    """Higher than some sessions ago."""
    return index["close"] > index["close"].shift(window)


def record(index: pd.DataFrame, *, window: int = 252) -> pd.Series:
    """A record of the last so many sessions."""
    return index["close"] > index["close"].shift(1).rolling(window, min_periods=2).max()


def filled_forward(index: pd.DataFrame, *, window: int = 5) -> pd.Series:
    """Above the last close that was noted."""
    noted = index["close"].where(np.arange(len(index)) % window == 0).ffill()
    return index["close"] > noted


def last_month(index: pd.DataFrame, *, window: int = 1) -> pd.Series:
    """Above the close of the month before."""
    by_month = index["close"].groupby(index.index.to_period("M")).last().shift(window)
    before = by_month.reindex(index.index.to_period("M"))
    return index["close"] > before.to_numpy()


def seeded(index: pd.DataFrame, *, window: int = 7) -> pd.Series:
    """Random, from a number of its own."""
    drawn = np.random.default_rng(window).random(len(index))
    return pd.Series(drawn < 0.05, index.index)


def counted(index: pd.DataFrame, *, window: int = 3) -> pd.Series:
    """So many rising sessions in a row, by a loop."""
    run, found = 0, []
    for step in index["close"].diff():
        run = run + 1 if step > 0 else 0
        found.append(run >= window)
    return pd.Series(found, index.index)


def quantile(index: pd.DataFrame, *, window: int = 100) -> pd.Series:
    """In the upper tenth of the last so many returns."""
    returns = index["close"].pct_change()
    return returns > returns.rolling(window).quantile(0.9)


def volatile(index: pd.DataFrame, *, window: int = 20) -> pd.Series:
    """A wide day after calm ones."""
    wide = (index["high"] - index["low"]) / index["close"]
    return wide > 1.5 * wide.rolling(window).median().shift(1)


def never(index: pd.DataFrame, *, window: int = 1) -> pd.Series:
    """Nothing, or very rarely."""
    return index["close"].pct_change() > 0.2 * window


CLEAN: Final = (
    above_mean, expanding_z, smoothed, lagged, record, filled_forward, last_month, seeded, counted,
    quantile, volatile, never,
)  # fmt: skip
