"""The tearsheet's section on luck: intervals, placebos, and what may be concluded."""

import math
from collections.abc import Callable
from typing import Final

from backtests import format as written
from backtests.analysis.bootstrap import Interval
from backtests.analysis.significance import Significance
from backtests.report.section import Section

FIGURES: Final[dict[str, tuple[str, Callable[[float], str]]]] = {
    "cagr": ("CAGR", written.percent),
    "sharpe_ratio": ("Sharpe ratio", written.ratio),
    "max_drawdown": ("Worst drawdown", written.percent),
}
SERIES: Final = {
    "strategy": "Strategy",
    "buy_and_hold": "Buy-and-hold",
    "exposure_matched": "Same exposure, always",
    "control": "Control",
}


def significance_section(found: Significance) -> Section:
    """Return the section; its first paragraph says what can and cannot be concluded."""
    return Section(
        name="significance",
        title="Signal or luck?",
        paragraphs=(found.conclusion, _shifts(found), _record(found)),
        headings=("", *(label for label, _ in FIGURES.values())),
        rows=(
            *(
                (label, *_cells(found.intervals[name]))
                for name, label in SERIES.items()
                if name in found.intervals
            ),
            *(
                (f"Strategy minus {SERIES[name].lower()}", *_cells(found.differences[name]))
                for name in SERIES
                if name in found.differences
            ),
        ),
        notes=(
            f"Estimate, and in brackets its {found.confidence * 100:.0f} % interval from "
            f"{found.draws:,} stationary-bootstrap samples in blocks of "
            f"{found.block_bars:.0f} bars "
            "on average, the same samples for all. Same exposure, always: the coin at the "
            f"strategy's average weight ({written.percent(found.time_in_market)}) on every bar.",
        ),
    )


def _cells(intervals: dict[str, Interval]) -> tuple[str, ...]:
    return tuple(
        f"{text(intervals[name].estimate)} ({text(intervals[name].low)} to "
        f"{text(intervals[name].high)})"
        for name, (_, text) in FIGURES.items()
    )


def _shifts(found: Significance) -> str:
    if not found.shifts:
        return "The positions cannot be shifted in time: the run has too few bars."
    return (
        f"Moved along the coin's history by every possible number of bars ({found.shifts:,} "
        f"shifts), the same positions grew at least as much in "
        f"{written.percent(found.shift_p_value)} of cases; the middle one made "
        f"{written.percent(found.shift_median_cagr)} a year."
    )


def _record(found: Significance) -> str:
    days = found.minimum_track_record_days
    needed = (
        "no length of record would show it, as the measured ratio is not positive"
        if not math.isfinite(days)
        else f"a record of {days / 365.25:,.1f} years would show it at that confidence"
    )
    return (
        "The probability that the true Sharpe ratio is above 0, skewness and tails counted, is "
        f"{written.percent(found.probabilistic_sharpe_ratio)}; {needed}. It treats bars as the "
        "sample, though only the episodes are independent."
    )
