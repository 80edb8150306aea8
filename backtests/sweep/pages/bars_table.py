"""What the sheet of a sweep says about its bars: which, from where, and what was wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from backtests import format as written
from backtests.report.cell import Cell, number
from backtests.report.prose import SAMPLE_SOURCE
from backtests.sweep.pages.labels import listed
from feeds.bars import Bars
from feeds.history import source_in_words

# heading and whether its cells are numbers
COLUMNS: Final = (
    ("Symbol", False), ("Bars of", False), ("Source", False), ("Origin", False),
    ("First bar", False), ("Last bar", False), ("Bars", True),
)  # fmt: skip
MOST_NAMED: Final = 4


@dataclass(frozen=True, slots=True)
class BarsTable:
    """The bars in a line of text and in rows, and what a reader should know about them."""

    line: str
    rows: tuple[tuple[Cell, ...], ...]
    warnings: tuple[str, ...]
    is_sample: bool


def bars_table(bars: Sequence[Bars], *, warnings: Sequence[str] = ()) -> BarsTable:
    """Return what is said of the bars, in the order given, each once; so of all warnings.

    The bars' own cautions are warnings, too.
    """
    once = list({(one.instrument.symbol, one.timeframe, one.sha256): one for one in bars}.values())
    return BarsTable(
        line=_line(once),
        rows=tuple(_row(one) for one in once),
        warnings=tuple(
            dict.fromkeys((*(note for one in once for note in one.cautions), *warnings))
        ),
        is_sample=any(one.source == SAMPLE_SOURCE for one in once),
    )


def _line(bars: Sequence[Bars]) -> str:
    if not bars:
        return ""
    sources = listed(list(dict.fromkeys(one.source for one in bars)))
    if len(bars) > MOST_NAMED:
        first, last = min(map(_first, bars)), max(map(_last, bars))
        lengths = listed(list(dict.fromkeys(one.timeframe for one in bars)))
        return f"{len(bars)} symbols, bars of {lengths}, {first} to {last}; source {sources}"
    spans = (
        f"{one.instrument.label} {one.timeframe} {_first(one)} to {_last(one)}, "
        f"{written.count(len(one))} bars"
        for one in bars
    )
    return f"{'; '.join(spans)}; source {sources}"


def _row(bars: Bars) -> tuple[Cell, ...]:
    texts = (
        bars.instrument.symbol,
        bars.timeframe,
        source_in_words(bars),
        bars.origin,
        _first(bars),
        _last(bars),
    )
    return (*(Cell(text, sort=text) for text in texts), number(len(bars), written.count))


def _first(bars: Bars) -> str:
    return written.date(bars.frame.index[0])


def _last(bars: Bars) -> str:
    return written.date(bars.frame.index[-1])
