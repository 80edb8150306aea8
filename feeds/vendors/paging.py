"""From an exchange's pages to one whole history, or to a reason why it is not whole.

Instants are milliseconds since 1970, UTC, as exchanges give them. A row is
`[open instant, open, high, low, close, volume]`.

Exchanges answer "the bars from `since` on" in three shapes:

- from the first bar there is, at most a page (Binance);
- only the window of one page that begins at `since`, which is empty before the coin was
  listed (Coinbase, Bitstamp);
- the newest page whatever `since` says (Kraken), which looks like a coin listed lately.

`opening` tells them apart by asking for the page just before the first bar it was given:
nothing there is a listing, earlier bars there are the true beginning, and later bars there
mean that the exchange does not look back at all, which only a short history survives.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from feeds.errors import DataError, NotServed

Row = list[float]

# No bar opens before 1970 or after 2200.
LAST_INSTANT: Final = 7_258_118_400_000

# How late the last bar may be: exchanges publish it with a delay, and leave out an hour
# in which nobody traded.
LATEST_ARRIVAL_MS: Final = 6 * 3_600_000
REMEDY: Final = "Try again; if it stays, use another exchange or --source files."


class AskPage(Protocol):
    """Asks for one page: the bars from `since` on, up to `end` where one is given."""

    def __call__(self, since: int, end: int | None = None, /) -> list[Row]:
        """Return the rows the exchange gives, in any order."""
        ...


@dataclass(frozen=True, slots=True)
class PageSpan:
    """What to fetch: bars that open from `since` to `end`, both included, `step` apart.

    `page_bars` is the number of bars in a full page; `origin` names vendor and symbol;
    `has_ended` tells that bars may stop anywhere before `end`.
    """

    since: int
    end: int
    step: int
    page_bars: int
    origin: str
    has_ended: bool = False


def checked_rows(page: object, origin: str) -> list[Row]:
    """Return a page as rows of six numbers, prices that are not known as NaN.

    Raises
    ------
    DataError
        If it is none.
    """
    if not isinstance(page, list):
        raise DataError(f"{origin}: a page is no list of bars. {REMEDY}")
    rows = []
    for row in page:
        if not isinstance(row, list) or len(row) < 6 or not _is_instant(row[0]):
            raise DataError(f"{origin}: a bar is not a time and five numbers. {REMEDY}")
        rows.append([row[0], *(float("nan") if value is None else value for value in row[1:6])])
    return rows


def opening(ask: AskPage, span: PageSpan) -> int:
    """Return the opening instant of the first bar there is at or after `span.since`.

    Raises
    ------
    NotServed
        If there is none, or the exchange serves only its newest bars.
    """
    first = _first_bar(ask, span)
    while first >= span.since + span.step:
        before = _sort(ask(first - span.page_bars * span.step, first - 1))
        earlier = [row for row in before if row[0] < first]
        if earlier:
            first = max(int(earlier[0][0]), span.since)
            continue
        held = (span.end - first) // span.step + 1
        if before and held >= span.page_bars - 1:
            raise NotServed(
                f"{span.origin}: serves only its newest {held} bars, not what was before them. "
                "Use another exchange, or a start within them."
            )
        break
    return first


def whole_history(
    ask: AskPage,
    span: PageSpan,
    *,
    watch: Callable[[int, int], None] = lambda _bars, _reached: None,
) -> list[Row]:
    """Return every row from `span.since`, where a bar is known to be, to `span.end`, ascending.

    A bar in progress after it comes along, for the caller to leave out with a note. Each
    page is asked for from the last bar on. An empty page before the end is asked for once
    more, because an outage looks the same. `watch` is told bars and instant reached.

    Raises
    ------
    NotServed
        If the pages stop before the end.
    DataError
        If they contradict each other or are off the timeframe.
    """
    rows: dict[int, Row] = {}
    cursor, asked_again = span.since, False
    while cursor <= span.end:
        page = [row for row in _sort(ask(cursor)) if row[0] >= cursor]
        if not page:
            if asked_again:
                break
            asked_again = True
            continue
        asked_again = False
        _merge(rows, page, span)
        cursor = int(page[-1][0]) + span.step
        watch(len(rows), int(page[-1][0]))
    if not span.has_ended and _is_missing(cursor, span):
        raise NotServed(
            f"{span.origin}: no bars after {_write(cursor - span.step)}, though they must go on "
            f"to {_write(span.end)}: an empty or repeated page, or the coin no longer trades "
            f"there. {REMEDY}"
        )
    return [rows[instant] for instant in sorted(rows)]


def _first_bar(ask: AskPage, span: PageSpan) -> int:
    cursor = span.since
    while cursor <= span.end:
        page = [row for row in _sort(ask(cursor)) if row[0] >= span.since]
        if page:
            return int(page[0][0])
        cursor += span.page_bars * span.step
    raise NotServed(
        f"{span.origin}: no bars from {_write(span.since)} to {_write(span.end)}. {REMEDY}"
    )


def _merge(rows: dict[int, Row], page: list[Row], span: PageSpan) -> None:
    for row in page:
        instant = int(row[0])
        if instant % span.step:
            raise DataError(
                f"{span.origin}: a bar opens at {_write(instant)}, off the timeframe. {REMEDY}"
            )
        if not _is_same(rows.setdefault(instant, row), row) and instant <= span.end:
            raise DataError(
                f"{span.origin}: two different bars of {_write(instant)} arrived. {REMEDY}"
            )


def _is_instant(value: object) -> bool:
    return type(value) is int and 0 <= value < LAST_INSTANT


def _is_missing(cursor: int, span: PageSpan) -> bool:
    return cursor + max(LATEST_ARRIVAL_MS, span.step) <= span.end


def _is_same(one: Row, other: Row) -> bool:
    """Return whether two rows are equal, where a price is unknown in both too."""
    return all(a == b or (a != a and b != b) for a, b in zip(one, other, strict=True))  # noqa: PLR0124


def _sort(page: list[Row]) -> list[Row]:
    return sorted(page, key=lambda row: row[0])


def _write(instant: int) -> str:
    import pandas as pd

    return f"{pd.Timestamp(instant, unit='ms'):%Y-%m-%d %H:%M}"
