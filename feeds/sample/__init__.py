"""The bundled sample: real monthly prices, filled with simulated days, for runs without network.

A simulated day is a height in the range of its month: 0 is the month's low, 1 its high.
"""

import csv
import math
import zlib
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from typing import Final

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

from feeds.arrays import Floats, Integers
from feeds.bars import PRICES, Bars
from feeds.errors import DataError, NotServed
from feeds.instruments import SAMPLE_SOURCE, Instrument, nearest_index
from feeds.raw_table import RawTable
from feeds.sessions import sessions_between
from feeds.validation import validate_bars

LABEL: Final = "sample: monthly figures real, days simulated"
ORIGIN: Final = "feeds/sample/monthly.csv"

# One digit more than the table: simulated prices do not depend on the last bit of some
# platform's `log` or `exp`, and the table's own figures come back unchanged.
SIGNIFICANT_DIGITS: Final = 6
POWERS_OF_TEN: Final = np.array([float(10**n) for n in range(16)])
STEPS_PER_DAY: Final = 24
# A month that ran straight from one extreme to the other has no variance by Rogers and
# Satchell; this much keeps days of both signs in it.
LEAST_VARIANCE: Final = 0.02
# How long the three legs of a month take: its length times a factor between these.
LEG_PACE: Final = (0.5, 1.5)


@dataclass(frozen=True, slots=True)
class Months:
    """Consecutive months of one symbol: first days, prices of shape (months, 4), last day.

    `last_day` is the end of the last month, or earlier: LUNA ended in the midst of one.
    """

    starts: pd.DatetimeIndex
    prices: Floats
    last_day: pd.Timestamp


class Sample:
    """The months of `monthly.csv` as daily bars: RUT on sessions, coins on every day.

    Opens, highs, lows and closes of whole months are the real ones; everything inside a
    month is one seeded path among many. Good for trying the program, not for a verdict.
    """

    name = SAMPLE_SOURCE

    def load(self, instrument: Instrument, *, timeframe: str) -> Bars:
        """Return the daily bars of `instrument`, the first note being `LABEL`.

        Raises
        ------
        DataError
            If the timeframe is not "1d", or (`NotServed`) the symbol is not in the table.
        """
        _require_daily(timeframe)
        months = _months(instrument)
        bars = validate_bars(
            RawTable(_daily(months, instrument), ORIGIN),
            instrument=instrument,
            timeframe=timeframe,
            source=self.name,
        )
        return replace(bars, notes=(LABEL, *bars.notes))


def coins() -> list[str]:
    """Return the names of the coins in the table."""
    return [symbol.removesuffix("-USD") for symbol in _table() if symbol.endswith("-USD")]


def _require_daily(timeframe: str) -> None:
    if timeframe != "1d":
        raise DataError(
            f"`data.timeframe` must be 1d with the bundled sample, received {timeframe}: it is "
            f"daily only. Set 1d, or bring {timeframe} bars with --source files --data-dir DIR."
        )


def _months(instrument: Instrument) -> Months:
    table = _table()
    coins = instrument.kind == "coin"
    alike = [symbol for symbol in sorted(table) if symbol.endswith("-USD") == coins]
    if instrument.symbol not in alike:
        raise NotServed(
            f"`{instrument.parameter}` {instrument.label} has no bars: it is not in the bundled "
            f"sample. There are: {', '.join(s.removesuffix('-USD') for s in alike)}. "
            "Choose one, or bring your own with --source files --data-dir DIR."
            f"{nearest_index(instrument.symbol) if not coins else ''}"
        )
    return table[instrument.symbol]


@lru_cache(maxsize=1)
def _table() -> dict[str, Months]:
    rows: dict[str, list[dict[str, str]]] = {}
    text = files(__name__).joinpath("monthly.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        rows.setdefault(row["symbol"], []).append(row)
    return {symbol: _parse(own) for symbol, own in rows.items()}


def _parse(rows: list[dict[str, str]]) -> Months:
    starts = pd.DatetimeIndex([row["month"] for row in rows])
    prices = np.array([[float(row[name]) for name in PRICES] for row in rows])
    last_day = rows[-1]["last_day"]
    month_end = starts[-1] + pd.offsets.MonthEnd()
    return Months(starts, prices, pd.Timestamp(last_day) if last_day else month_end)


def _daily(months: Months, instrument: Instrument) -> pd.DataFrame:
    days = _days(months, instrument)
    opens, highs, lows, closes = months.prices.T
    spans = np.log(highs / lows)
    starts, ends = (
        np.divide(np.log(levels / lows), spans, out=np.zeros_like(spans), where=spans > 0)
        for levels in (opens, closes)
    )
    month_of_day = months.starts.searchsorted(days, side="right") - 1
    counts = np.bincount(month_of_day)
    heights = [
        daily_heights(f"{instrument.symbol} {month:%Y-%m}", days=count, start=start, end=end)
        for month, count, start, end in zip(months.starts, counts, starts, ends, strict=True)
    ]
    low, span = lows[month_of_day, np.newaxis], spans[month_of_day, np.newaxis]
    prices = _round(low * np.exp(span * np.concatenate(heights)))
    return pd.DataFrame(prices, columns=list(PRICES)).assign(date=days)


def _days(months: Months, instrument: Instrument) -> pd.DatetimeIndex:
    first, last = months.starts[0], months.last_day
    if instrument.has_sessions("1d"):
        return sessions_between(first, last)
    return pd.date_range(first, last)


def _round(prices: Floats) -> Floats:
    decimals = SIGNIFICANT_DIGITS - 1 - np.floor(np.log10(prices)).astype(np.int64)
    scale = POWERS_OF_TEN[np.maximum(decimals, 0)]
    rounded: Floats = np.rint(prices * scale) / scale
    return rounded


def daily_heights(key: str, *, days: int, start: float, end: float) -> Floats:
    """Return one month's days as heights in the month's range.

    A Brownian bridge runs from `start` over both extremes to `end`, the nearer way round,
    and is reflected at 0 and 1. A day opens where the day before closed.

    Parameters
    ----------
    key
        The only source of randomness: the same key gives the same days.
    days
        Number of days, at least 1.
    start, end
        Heights of the first open and the last close, in [0, 1].

    Returns
    -------
    Open, high, low and close, shape (days, 4), in [0, 1]: the first open is `start`, the
    largest high 1, the smallest low 0 and the last close `end`.
    """
    steps = days * STEPS_PER_DAY
    draws = _uniforms(key, count=steps + 3)
    levels = np.array([start, 0.0, 1.0, end] if end > start else [start, 1.0, 0.0, end])
    anchors = _anchors(levels, steps=steps, draws=draws[:3])
    variance = max((1 - start) * (1 - end) + start * end, LEAST_VARIANCE)
    walk = _walk(draws[3:], variance=variance)
    bridge = walk + np.interp(np.arange(steps + 1), anchors, levels - walk[anchors])
    path = np.abs((bridge + 1) % 2 - 1)
    spans = sliding_window_view(path, STEPS_PER_DAY + 1)[::STEPS_PER_DAY]
    return np.column_stack((spans[:, 0], spans.max(axis=1), spans.min(axis=1), spans[:, -1]))


def _uniforms(key: str, *, count: int) -> Floats:
    # NumPy keeps a bit generator's raw output between versions, but not the numbers
    # `Generator` makes of it; 53 bits are what a float64 in [0, 1) holds.
    raw = np.random.PCG64(zlib.crc32(key.encode())).random_raw(count)
    return (raw >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _walk(draws: Floats, *, variance: float) -> Floats:
    # Steps are uniform, of variance 1/3 before scaling: a day's sum of them is near normal.
    steps = (2 * draws - 1) * math.sqrt(3 * variance / draws.size)
    return np.concatenate(([0.0], np.cumsum(steps)))


def _anchors(levels: Floats, *, steps: int, draws: Floats) -> Integers:
    """Return the four steps at which the path stands at `levels`, strictly ascending."""
    slow, quick = LEG_PACE
    legs = np.abs(np.diff(levels)) * (slow + (quick - slow) * draws)
    first, second = np.rint(steps * np.cumsum(legs[:2]) / legs.sum()).astype(np.int64)
    first = min(max(first, 1), steps - 2)
    second = min(max(second, first + 1), steps - 1)
    return np.array([0, first, second, steps])
