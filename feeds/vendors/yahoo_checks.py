"""Whether Yahoo's answer is whole, and the one asked for.

It says what it is of and when its bars begin; the calendar says when they end.
"""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from feeds.bars import COLUMNS, Bars
from feeds.checks import missing_bars
from feeds.errors import DataError, NotServed
from feeds.sessions import BAR_LENGTHS, NEW_YORK, session_closes, sessions_between
from feeds.vendors.registry import one_line

if TYPE_CHECKING:
    from feeds.instruments import Kind
    from feeds.vendors.yahoo_session import ChartAnswer

log = logging.getLogger(__name__)

# A holiday week may lie between the day Yahoo names as the first and the first bar.
FIRST_BAR_SLACK: Final = pd.Timedelta(days=10)
LONG_GONE: Final = pd.Timedelta(days=30)
HOURS_OF_A_SESSION: Final = 7
# One session's hours, or a quiet night of a coin.
MOST_LATE_HOURS: Final = 8
# Yahoo lacks a day here and there; more than this share is a broken answer.
MOST_MISSING: Final = 0.02
# Seconds since 1970: no bar is of before 1900 or after 2200.
FIRST_SECOND, LAST_SECOND = -2_208_988_800, 7_258_118_400
NULL: Final = type(None)
# CBOE's indices are dated in Chicago, whose days hold the same sessions.
ZONES: Final[dict["Kind", tuple[str, ...]]] = {
    "index": (NEW_YORK, "America/Chicago"),
    "coin": ("UTC",),
}
AGAIN: Final = "Try again; if it stays, use --source files."


@dataclass(frozen=True, slots=True)
class Chart:
    """Yahoo's own table: what it is of, and float64 columns by each bar's opening in UTC.

    `frame` is in Yahoo's order, NaN where it gives null.
    """

    meta: dict[str, Any]
    frame: pd.DataFrame

    def label_rows(self, timeframe: str) -> pd.DataFrame:
        """Return the rows in order of time, daily ones by midnight in Yahoo's zone."""
        frame = self.frame.sort_index(kind="stable")
        if timeframe != "1d":
            return frame
        opens = pd.DatetimeIndex(frame.index).tz_convert(self.meta["exchangeTimezoneName"])
        return frame.set_axis(opens.normalize())


def chart_of(answer: "ChartAnswer", origin: str) -> Chart:
    """Return the answer as a table, or raise `DataError` if it is none."""
    result = answer.result
    meta, times = result.get("meta"), result.get("timestamp")
    quote = result["indicators"]["quote"][0]
    columns = {name: quote[name] for name in COLUMNS}
    is_table = (
        isinstance(times, list)
        and all(type(time) is int and FIRST_SECOND < time < LAST_SECOND for time in times)
        and all(isinstance(values, list) for values in columns.values())
        and all(type(value) in (int, float, NULL) for v in columns.values() for value in v)
        and {len(values) for values in columns.values()} == {len(times)}
    )
    if not is_table or not isinstance(meta, dict):
        raise DataError(f"{origin}: the answer is not a table of times and prices. {AGAIN}")
    opens = pd.DatetimeIndex(np.array(times, dtype="M8[s]")).as_unit("ns").tz_localize("UTC")
    frame = pd.DataFrame({n: np.array(v, dtype=np.float64) for n, v in columns.items()}, opens)
    return Chart(meta, frame)


def require_subject(chart: Chart, *, symbol: str, kind: "Kind", origin: str) -> None:
    """Raise if the bars are another symbol's, not in dollars, or dated in another zone."""
    for key, word, wanted in (
        ("symbol", "of", (symbol,)),
        ("currency", "priced in", ("USD",)),
        ("exchangeTimezoneName", "dated in", ZONES[kind]),
    ):
        received = chart.meta.get(key)
        if received not in wanted:
            raise DataError(
                f"{origin}: must be {word} {wanted[0]}, received {one_line(repr(received), 40)}. "
                "Use another symbol, or --source files."
            )


def require_agreement(chart: Chart, *, timeframe: str, origin: str) -> list[str]:
    """Return a note on bars that arrived twice; raise if two of one day contradict each other.

    yfinance silently takes the first. The last two may differ: while a market is open, Yahoo
    adds the day in progress once more, as of now.
    """
    rows = chart.label_rows(timeframe)
    is_added = len(rows) > 1 and rows.index[-1] == rows.index[-2]
    settled = rows.iloc[:-2] if is_added else rows
    repeats = settled[settled.index.duplicated(keep=False)]
    if repeats.empty:
        return []
    once = repeats.reset_index().drop_duplicates()
    if len(once) > repeats.index.nunique():
        raise DataError(
            f"{origin}: two different bars of {repeats.index[0]:%Y-%m-%d %H:%M} arrived. {AGAIN}"
        )
    count = len(repeats) - len(once)
    return [f"{origin}: left out, the same bar twice: {count} {'bars' if count > 1 else 'bar'}"]


def require_beginning(
    chart: Chart,
    frame: pd.DataFrame,
    *,
    start: pd.Timestamp,
    timeframe: str,
    origin: str,
) -> None:
    """Raise if the bars begin later than Yahoo has them, or are not of the timeframe asked for.

    Yahoo answers a range it finds too long with weekly bars, and names the day of the first
    trade in every answer.
    """
    granularity = chart.meta.get("dataGranularity", timeframe)
    if granularity not in (timeframe, "60m" if timeframe == "1h" else timeframe):
        raise DataError(
            f"{origin}: asked for {timeframe} bars, Yahoo sent "
            f"{one_line(granularity, 20)} ones. {AGAIN}"
        )
    first_trade = chart.meta.get("firstTradeDate")
    if first_trade is None:
        return
    expected = max(start, pd.Timestamp(first_trade, unit="s", tz="UTC"))
    first = pd.Timestamp(frame.index[0]).tz_convert("UTC")
    if first > expected + FIRST_BAR_SLACK:
        raise DataError(
            f"{origin}: bars begin {first:%Y-%m-%d}, though Yahoo has them from "
            f"{expected:%Y-%m-%d}. {AGAIN}"
        )


def require_end(bars: Bars, now: pd.Timestamp) -> None:
    """Raise if more than the very last bars are missing; that those are out late is only logged.

    Raises
    ------
    NotServed
        If the last bar is over a month old: delisted or renamed.
    DataError
        If the answer stops short of `now`.
    """
    last = pd.Timestamp(bars.frame.index[-1])
    missing = _missing_at_end(bars, now)
    allowed = 1 if bars.timeframe == "1d" else MOST_LATE_HOURS
    if missing > allowed:
        gone = now.tz_localize(None) - last.tz_localize(None) > LONG_GONE
        reason = "no longer traded or renamed" if gone else "the answer is not whole"
        error = NotServed if gone else DataError
        raise error(
            f"{bars.origin}: bars end {last:%Y-%m-%d %H:%M}, {missing} are missing since: "
            f"{reason}. Try again; if it stays, use another symbol or --source files."
        )
    if missing:
        log.info("%s: ends %s, newer bars are not out yet", bars.origin, f"{last:%Y-%m-%d %H:%M}")


def require_few_gaps(bars: Bars) -> None:
    """Raise if more than 2 % of daily bars are missing inside the range, beyond a handful.

    Fewer are left to the checks on arrival, which report every gap.
    """
    if bars.timeframe != "1d":
        return
    missing = missing_bars(bars)
    if len(missing) > max(5, MOST_MISSING * (len(bars) + len(missing))):
        raise DataError(
            f"{bars.origin}: {len(missing)} days missing, the first {missing[0]:%Y-%m-%d}. {AGAIN}"
        )


def _missing_at_end(bars: Bars, now: pd.Timestamp) -> int:
    last = pd.Timestamp(bars.frame.index[-1])
    if bars.instrument.kind == "coin":
        length = BAR_LENGTHS[bars.timeframe]
        return int((now.floor(length) - last) / length) - 1
    session = last if last.tz is None else last.tz_convert(NEW_YORK).tz_localize(None).normalize()
    later = sessions_between(session + pd.Timedelta(days=1), now.tz_localize(None).normalize())
    over = int((session_closes(later) <= now).sum()) if len(later) else 0
    return over * (1 if bars.timeframe == "1d" else HOURS_OF_A_SESSION)
