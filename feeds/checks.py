"""What a reader should know about bars before trusting them: findings, never repairs."""

from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
import pandas as pd

from feeds.bars import PRICES, Bars
from feeds.errors import DataError
from feeds.message_text import (
    BAR_NOUNS,
    count_noun,
    length_text,
    listed_times,
    number_text,
    time_texts,
)
from feeds.sessions import (
    BAR_LENGTHS,
    HOLIDAYS_KNOWN_FROM,
    NEW_YORK,
    bar_ends,
    session_hours,
    sessions_between,
)

Check = Literal["gap", "stale", "last_bar", "jump", "frozen", "silent_index"]

SPLIT_SIZED: Final = 1.4  # a 3:2 split, the smallest common one, makes 1.5
STALE_COIN_BARS: Final = 2
STALE_SESSIONS: Final = 2
SILENT_INDEX: Final = pd.Timedelta(days=7)
# So long one close repeats itself by chance at most in the thinnest markets.
FROZEN_DAYS: Final = 3
FROZEN_SESSIONS: Final = 5
BARS_PER_SESSION: Final = {"1d": 1, "1h": 7}
# Whoever comes back after so long may be somebody else (see feeds.universe).
LONG_GAP: Final = pd.Timedelta(days=7)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One thing a check found: which check, how many bars it concerns, and the text."""

    check: Check
    count: int
    text: str


@dataclass(frozen=True, slots=True)
class Disagreement:
    """How far two sources' closes are apart where both have a bar.

    `median` and `worst` are relative differences (absolute value), NaN without common bars;
    `worst_at` is the bar of the worst, `only_first` and `only_second` count the bars that
    one of them lacks within the common range.
    """

    bars: int
    first: pd.Timestamp | None
    last: pd.Timestamp | None
    median: float
    worst: float
    worst_at: pd.Timestamp | None
    only_first: int
    only_second: int


def with_findings(bars: Bars, *, now: pd.Timestamp | None = None) -> Bars:
    """Return the bars with every finding added to their notes.

    `now` is given for live bars only: a file or the sample is not stale, it ends.
    """
    texts = (finding.text for finding in findings(bars, now=now))
    return replace(bars, notes=tuple(dict.fromkeys((*bars.notes, *texts))))


def findings(bars: Bars, *, now: pd.Timestamp | None = None) -> tuple[CheckResult, ...]:
    """Return what the checks find: gaps, jumps, frozen prices, the last bar, staleness."""
    found = [_gaps(bars), _jumps(bars), _frozen(bars), _last_bar(bars)]
    if now is not None:
        found.append(_stale(bars, now))
    return tuple(finding for finding in found if finding is not None)


def silent_index(
    available_at: pd.DatetimeIndex, *, symbol: str, until: pd.Timestamp
) -> CheckResult | None:
    """Find an index that ends long before the coin it is to give signals for."""
    silent = until - available_at[-1]
    if silent <= SILENT_INDEX:
        return None
    text = (
        f"{symbol}: no index bars in the last {silent.days} days of the run, so no signal "
        f"could fire there, and its figures end with {available_at[-1]:%Y-%m-%d}"
    )
    return CheckResult("silent_index", silent.days, text)


def cross_check(first: Bars, second: Bars) -> Disagreement:
    """Compare the closes of two sources of one instrument, bar by bar.

    Raises
    ------
    DataError
        If the bars are not of the same length, or not dated alike.
    """
    if first.timeframe != second.timeframe or first.instrument.kind != second.instrument.kind:
        raise DataError(
            "a cross-check needs two sources of the same bars, received "
            f"{first.instrument.symbol} {first.timeframe} and "
            f"{second.instrument.symbol} {second.timeframe}."
        )
    common = first.frame.index.intersection(second.frame.index)
    if common.empty:
        return Disagreement(0, None, None, np.nan, np.nan, None, 0, 0)
    one, other = (bars.frame.loc[common, "close"].to_numpy() for bars in (first, second))
    apart = np.abs(one / other - 1)
    lone = [len(bars.frame.loc[common[0] : common[-1]]) - len(common) for bars in (first, second)]
    return Disagreement(
        bars=len(common),
        first=common[0],
        last=common[-1],
        median=float(np.median(apart)),
        worst=float(apart.max()),
        worst_at=common[int(apart.argmax())],
        only_first=lone[0],
        only_second=lone[1],
    )


def missing_bars(bars: Bars) -> pd.DatetimeIndex:
    """Return the bars that should lie between the first and the last and do not.

    For an index on hours these are the sessions with fewer bars than hours begun, each as
    often as bars are missing; its first and last session may be cut and are not judged. Nor
    are days before 1970, of which the calendar does not know all holidays.
    """
    times = pd.DatetimeIndex(bars.frame.index)
    if bars.instrument.kind == "coin":
        step = BAR_LENGTHS[bars.timeframe]
        expected = pd.date_range(times[0], times[-1], freq=step, unit="ns")
        return expected[~expected.isin(times)] if len(expected) != len(times) else times[:0]
    if bars.timeframe == "1d":
        first = max(times[0], HOLIDAYS_KNOWN_FROM)
        return sessions_between(first, times[-1]).difference(times)
    return _missing_hours(times)


def _missing_hours(times: pd.DatetimeIndex) -> pd.DatetimeIndex:
    dates = times.tz_convert(NEW_YORK).tz_localize(None).normalize()
    sessions = sessions_between(dates[0], dates[-1])[1:-1]
    opens, closes = session_hours(sessions)
    expected = np.ceil((closes - opens) / pd.Timedelta(hours=1)).astype(np.int64)
    held = dates.value_counts().reindex(sessions, fill_value=0).to_numpy()
    return sessions.repeat(np.maximum(expected - held, 0))


def _gaps(bars: Bars) -> CheckResult | None:
    missing = missing_bars(bars)
    if missing.empty:
        return None
    verb, whose = ("is", "its") if len(missing) == 1 else ("are", "their")
    text = (
        f"{bars.instrument.symbol}: {count_noun(len(missing), _noun(bars))} {verb} missing inside "
        f"the range ({listed_times(missing)}); nothing was put in {whose} place"
    )
    return CheckResult("gap", len(missing), text + _long_gap(bars))


def _noun(bars: Bars) -> str:
    if bars.timeframe != "1d":
        return BAR_NOUNS[bars.timeframe]
    return "day" if bars.instrument.kind == "coin" else "session"


def _long_gap(bars: Bars) -> str:
    times = pd.DatetimeIndex(bars.frame.index)
    gaps = np.diff(times.asi8) - BAR_LENGTHS[bars.timeframe].value
    longest = int(gaps.argmax())
    if bars.instrument.kind != "coin" or gaps[longest] < LONG_GAP.value:
        return ""
    ends = " to ".join(time_texts(times[[longest, longest + 1]]))
    gap = length_text(pd.Timedelta(int(gaps[longest])))
    return f". The longest gap is {gap} ({ends}): a ticker that comes back may be another coin"


def _jumps(bars: Bars) -> CheckResult | None:
    opens = bars.frame["open"].to_numpy()[1:]
    ratio = opens / bars.frame["close"].to_numpy()[:-1]
    rows = np.flatnonzero((ratio >= SPLIT_SIZED) | (ratio <= 1 / SPLIT_SIZED))
    if rows.size == 0:
        return None
    worst = int(rows[np.abs(np.log(ratio[rows])).argmax()])
    times = pd.DatetimeIndex(bars.frame.index[rows + 1])
    text = (
        f"{bars.instrument.symbol}: {count_noun(int(rows.size), 'split-sized jump')} between a "
        f"close and the next open ({listed_times(times)}), the largest by a factor of "
        f"{ratio[worst]:.4g}; a split or a redenomination may not be adjusted for"
    )
    return CheckResult("jump", int(rows.size), text)


def _frozen(bars: Bars) -> CheckResult | None:
    """Find closes that stay the same for 5 sessions of an index, 3 days of a coin, or longer."""
    close = bars.frame["close"].to_numpy()
    starts = np.flatnonzero(np.concatenate(([True], close[1:] != close[:-1])))
    lengths = np.diff(np.append(starts, close.size))
    rows = np.flatnonzero(lengths >= _frozen_bars(bars))
    if rows.size == 0:
        return None
    worst = int(rows[lengths[rows].argmax()])
    first = int(starts[worst])
    last = first + int(lengths[worst]) - 1
    ends = " to ".join(time_texts(pd.DatetimeIndex(bars.frame.index[[first, last]])))
    runs = "" if rows.size == 1 else f"{rows.size} times, the longest "
    text = (
        f"{bars.instrument.symbol}: the close stands still {runs}for "
        f"{count_noun(int(lengths[worst]), _noun(bars))} at {number_text(close[first])} "
        f"({ends}); a frozen price makes signals and fills that could not be"
    )
    return CheckResult("frozen", int(rows.size), text)


def _frozen_bars(bars: Bars) -> int:
    if bars.instrument.kind == "index":
        return FROZEN_SESSIONS * BARS_PER_SESSION.get(bars.timeframe, 1)
    return int(pd.Timedelta(days=FROZEN_DAYS) / BAR_LENGTHS[bars.timeframe])


def _last_bar(bars: Bars) -> CheckResult | None:
    prices = np.column_stack([bars.frame[name].to_numpy()[-2:] for name in PRICES])
    if len(prices) < 2:
        return None
    before, last = prices
    if (before == last).all():
        reason = "repeats the bar before it"
    elif np.ptp(last) == 0 < np.ptp(before):
        reason = "has a single price"
    else:
        return None
    when = listed_times(pd.DatetimeIndex(bars.frame.index[-1:]))
    text = f"{bars.instrument.symbol}: the last bar ({when}) {reason}; it may be a placeholder"
    return CheckResult("last_bar", 1, text)


def _stale(bars: Bars, now: pd.Timestamp) -> CheckResult | None:
    last = pd.DatetimeIndex(bars.frame.index[-1:])
    end = bar_ends(last, kind=bars.instrument.kind, timeframe=bars.timeframe)[0]
    if bars.instrument.kind == "coin":
        late = int((now - end) / BAR_LENGTHS[bars.timeframe])
        is_stale = late > STALE_COIN_BARS
    else:
        late = _sessions_closed(end, now)
        is_stale = late > STALE_SESSIONS
    if not is_stale:
        return None
    text = (
        f"{bars.instrument.symbol}: stale, the last bar served is of "
        f"{listed_times(last)}; later ones are missing or trading has ended"
    )
    return CheckResult("stale", late, text)


def _sessions_closed(after: pd.Timestamp, now: pd.Timestamp) -> int:
    first, last = (time.tz_localize(None).normalize() for time in (after, now))
    _, closes = session_hours(sessions_between(first, last))
    return int(((closes > after) & (closes <= now)).sum())
