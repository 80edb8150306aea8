"""The page's section on luck: what may be concluded, and the intervals it rests on."""

from math import isinf, isnan
from typing import Final

from backtests import format as written
from backtests.analysis.bootstrap import Interval
from backtests.analysis.significance import Significance
from backtests.report.figures import FIGURES
from backtests.report.section import Section

SERIES: Final = {
    "strategy": "Strategy",
    "buy_and_hold": "Buy-and-hold",
    "exposure_matched": "Same exposure, held evenly",
    "control": "Control",
}
CAVEAT: Final = (
    "How sure the figures are, if the bars at hand are a fair sample of those to come. What may be "
    "concluded stands at the top of the page."
)


def significance_section(found: Significance) -> Section:
    """Return the section of one run."""
    return Section(
        name="significance",
        title="Could it be luck?",
        paragraphs=(CAVEAT,),
        headings=("Figure", *SERIES.values()),
        rows=(*_rows(found), *_difference_rows(found)),
        notes=(_how(found), _timing(found), _record(found)),
    )


def _rows(found: Significance) -> list[tuple[str, ...]]:
    figures = found.intervals["strategy"]
    return [
        (
            FIGURES[figure].label,
            *(_interval(figure, found.intervals[name][figure]) for name in SERIES),
        )
        for figure in figures
    ]


def _difference_rows(found: Significance) -> list[tuple[str, ...]]:
    figures = found.intervals["strategy"]
    return [
        (
            f"{FIGURES[figure].label}: strategy minus it",
            written.UNDEFINED,
            *(_interval(figure, found.differences[name][figure]) for name in list(SERIES)[1:]),
        )
        for figure in figures
    ]


def _interval(figure: str, interval: Interval) -> str:
    if isnan(interval.estimate):
        return written.UNDEFINED
    write = FIGURES[figure].text
    bounds = f"({write(interval.low)} to {write(interval.high)})"
    # a narrow column breaks between the two and nowhere else
    return f"{_unbroken(write(interval.estimate))} {_unbroken(bounds)}"


def _unbroken(text: str) -> str:
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def _how(found: Significance) -> str:
    return (
        f"In brackets: where {written.percent(found.confidence, decimals=0)} of "
        f"{written.count(found.draws)} stationary bootstraps lie, in blocks of about "
        f"{written.count(found.block_bars)} bars drawn together for all. Same exposure: the coin "
        "at the strategy's average weight on every bar."
    )


def _timing(found: Significance) -> str:
    if not found.shifts or isnan(found.shift_p_value):
        return "The same positions could not be moved in time: nothing to compare the timing with."
    return (
        f"Moved in time in {written.count(found.shifts)} ways, the same positions did at least as "
        f"well in {written.percent(found.shift_p_value)} of them; the middle one earned "
        f"{written.percent(found.shift_median_cagr)} a year."
    )


def _record(found: Significance) -> str:
    days = found.minimum_track_record_days
    needed = (
        "no length of record would show it"
        if isinf(days) or isnan(days)
        else f"a record of {written.count(days)} days would be needed to show it"
    )
    return (
        f"Probability that the true Sharpe ratio is above 0: "
        f"{written.percent(found.probabilistic_sharpe_ratio)}; at a confidence of "
        f"{written.percent(found.confidence, decimals=0)} {needed}."
    )
