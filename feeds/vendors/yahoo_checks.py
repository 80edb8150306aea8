"""Is Yahoo's answer whole? It says when its bars begin; the calendar says when they end."""

import logging
from typing import TYPE_CHECKING, Final

import pandas as pd

from feeds.bars import Bars
from feeds.checks import missing_bars
from feeds.errors import DataError, NotServed
from feeds.sessions import BAR_LENGTHS, NEW_YORK, session_closes, sessions_between

if TYPE_CHECKING:
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


def require_beginning(
    answer: "ChartAnswer",
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
    granularity = answer.meta.get("dataGranularity", timeframe)
    if granularity not in (timeframe, "60m" if timeframe == "1h" else timeframe):
        raise DataError(
            f"{origin}: asked for {timeframe} bars, Yahoo sent {granularity} ones. Try again; if "
            "it stays, use --source files."
        )
    first_trade = answer.meta.get("firstTradeDate")
    if first_trade is None:
        return
    expected = max(start, pd.Timestamp(first_trade, unit="s", tz="UTC"))
    first = pd.Timestamp(frame.index[0]).tz_convert("UTC")
    if first > expected + FIRST_BAR_SLACK:
        raise DataError(
            f"{origin}: bars begin {first:%Y-%m-%d}, though Yahoo has them from "
            f"{expected:%Y-%m-%d}. Try again; if it stays, use --source files."
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
            f"{bars.origin}: {len(missing)} days missing, the first {missing[0]:%Y-%m-%d}. "
            "Try again; if it stays, use --source files."
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
