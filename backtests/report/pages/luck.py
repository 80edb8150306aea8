"""The page's section on luck: what may be concluded, and the intervals it rests on."""

from math import isnan
from typing import Final

from backtests.analysis.bootstrap import Interval
from backtests.analysis.significance import EQUAL_EXPOSURE, Significance
from backtests.report.pages.section import Section
from backtests.report.words import notation as written
from backtests.report.words.judgement import RunJudgement
from backtests.report.words.labels import FIGURES

SERIES: Final = {
    "strategy": "Strategy",
    "buy_and_hold": "Buy-and-hold",
    "exposure_matched": "Held evenly",
    "control": "Control",
}
CAVEAT: Final = (
    "How sure the figures are, if the bars at hand are a fair sample of those to come. What may be "
    'concluded is said above, under "What may be said".'
)


def significance_section(found: Significance, judged: RunJudgement) -> Section:
    """Return the section of one run: without figures where nothing may be said of chance."""
    title = "Could it be luck?"
    if judged.silence:
        return Section(name="significance", title=title, paragraphs=(judged.silence,))
    return Section(
        name="significance",
        title=title,
        paragraphs=(CAVEAT,),
        headings=("Figure", *SERIES.values()),
        rows=(*_rows(found), *_difference_rows(found), *_equal_exposure_rows(found)),
        notes=judged.notes,
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
            f"{FIGURES[figure].label}, strategy minus this one",
            written.UNDEFINED,
            *(_interval(figure, found.differences[name][figure]) for name in list(SERIES)[1:]),
        )
        for figure in figures
    ]


def _equal_exposure_rows(found: Significance) -> list[tuple[str, ...]]:
    """Return the rule minus the control at equal exposure, in the control's column."""
    absent = [written.UNDEFINED] * (len(SERIES) - 1)
    return [
        (
            f"{FIGURES[figure].label}, strategy minus this one, at equal exposure",
            *absent,
            _interval(figure, interval),
        )
        for figure, interval in found.differences[EQUAL_EXPOSURE].items()
        if figure != "max_drawdown"
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
