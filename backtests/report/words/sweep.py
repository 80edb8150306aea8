"""What a judgement says, statistic by statistic: by its name in the field, and in plain words."""

import itertools
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from backtests.analysis.episodes import FEWEST_EPISODES
from backtests.report.words.notation import counted, percent, percent_number, ratio

if TYPE_CHECKING:
    from backtests.search.judging.judgement import Judgement

NAME_WIDTH: Final = 27
VALUE_WIDTH: Final = 24


class Finding(NamedTuple):
    """One statistic: its name, its value, and what it means and what would be good."""

    name: str
    value: str
    meaning: str


def findings(found: "Judgement") -> tuple[Finding, ...]:
    """Return the findings of a judgement, first what it rests on, then what was tested.

    Nothing is said of chance where nothing was traded, or on fewer than `FEWEST_EPISODES`.
    """
    if not found.trades or found.episodes < FEWEST_EPISODES:
        return (*_sample(found), *_earnings(found))
    return (
        *_sample(found),
        *_earnings(found),
        *_deflated(found),
        *_overfitting(found),
        *_superiority(found),
    )


def in_columns(verdict: str, rows: Sequence[Finding], *, width: int) -> list[str]:
    """Return the verdict and the findings, in three aligned columns, at most `width` wide."""
    last = width - NAME_WIDTH - VALUE_WIDTH - 4
    lines = [*textwrap.wrap(verdict, width), ""]
    for row in rows:
        cells = [
            textwrap.wrap(text, size)
            for text, size in zip(row, (NAME_WIDTH, VALUE_WIDTH, last), strict=True)
        ]
        for name, value, meaning in itertools.zip_longest(*cells, fillvalue=""):
            lines.append(f"{name:<{NAME_WIDTH}}  {value:<{VALUE_WIDTH}}  {meaning}".rstrip())
    return lines


def _sample(found: "Judgement") -> Iterator[Finding]:
    yield Finding("Trials", f"{found.trials:,}", _tried(found))
    yield Finding(
        "Effective number of trials",
        f"{found.effective_trials:,.1f}",
        "How many independent trials they amount to, by the correlation of those drawn "
        "(participation ratio).",
    )
    yield Finding("Trials compared", f"{found.compared:,} of {found.reach:,}", _compared(found))
    bars, shared = found.bars, found.shared_bars
    yield Finding(
        "Bars", f"{bars.count:,}", f"The best row's, {bars.first} to {bars.last}.{_spans(found)}"
    )
    if shared != bars:
        yield Finding(
            "Bars compared",
            f"{shared.count:,}",
            "Cross-validation and the tests against holding use the bars all compared trials "
            f"share, {shared.first} to {shared.last}.",
        )
    yield Finding(
        "Trades",
        f"{found.trades:,} in {counted(found.episodes, 'episode')}",
        "Signals close together are one episode of the index. These, not bars, are the sample; "
        "below 10 nothing can be concluded, below 20 little.",
    )


def _tried(found: "Judgement") -> str:
    if found.search != "guided":
        return "All tried, the ones before this sweep included. The luckiest of them sets the bar."
    return (
        "A guided search goes where the best is, and its own trials crowd there. So all "
        f"{found.counted:,} settings it could have chosen count, and what luck does is measured "
        "on settings drawn at random."
    )


def _compared(found: "Judgement") -> str:
    drawn = (
        "All of them"
        if found.drawn == found.reach
        else f"{found.drawn:,} drawn at random, with the best row and the one that grew most. With "
        "all of them overfitting and p-values would tend to be higher"
    )
    left = (
        f" {found.left_out:,} have fewer than half of the best row's bars and are left out."
        if found.left_out
        else ""
    )
    return f"{drawn}.{left}"


def _spans(found: "Judgement") -> str:
    return "" if found.same_spans else " Trials were ranked each on its own bars, which differ."


def _earnings(found: "Judgement") -> Iterator[Finding]:
    earned, held = found.earned, found.held
    yield Finding(
        "Sharpe ratio",
        f"{ratio(earned.sharpe_ratio)}, holding {ratio(held.sharpe_ratio)}",
        f"The best row's and that of holding {found.asset} on the same bars.{_luckiest(found)}",
    )
    yield Finding(
        "CAGR",
        f"{percent(earned.cagr)}, holding {percent(held.cagr)}",
        "Growth per year of both.",
    )


def _luckiest(found: "Judgement") -> str:
    if not found.trades or found.episodes < FEWEST_EPISODES:
        return ""
    return (
        f" The luckiest of {found.counted:,} trials without skill is expected to reach "
        f"{ratio(found.luckiest)}."
    )


def _deflated(found: "Judgement") -> Iterator[Finding]:
    yield Finding(
        "Deflated Sharpe ratio",
        percent(found.deflated),
        f"Probability that the true Sharpe ratio exceeds what the luckiest of {found.counted:,} "
        "trials without skill is expected to reach. Good: above 95 %.",
    )
    yield Finding(
        "Deflated Sharpe ratio, effective trials",
        percent(found.deflated_effective),
        "The same if only the effective number of trials counted: the kindest reading, and too "
        "kind, because trials that move together still differ at their extremes.",
    )


def _overfitting(found: "Judgement") -> Iterator[Finding]:
    split = found.overfitting
    yield Finding(
        "Probability of backtest overfitting (PBO, by CSCV)",
        f"{percent(split.probability)} ({percent_number(split.low)} to {percent(split.high)})",
        "How often the trial with the best Sharpe ratio in one half of the bars was in the lower "
        "half of the field in the other; in brackets 95 % bounds. Good: all below 50 %.",
    )
    yield Finding(
        "Probability of loss out of sample",
        percent(split.loss_probability),
        "How often that trial had a Sharpe ratio below 0 in the other half. Good: near 0 %.",
    )
    yield Finding(
        "Degradation slope",
        ratio(split.degradation),
        "What a Sharpe ratio higher by 1 in one half was worth in the other. Good: near 1; "
        "below 0, more promise brought less.",
    )


def _superiority(found: "Judgement") -> Iterator[Finding]:
    test = found.superiority
    yield Finding(
        "Hansen's SPA p-value",
        f"{_p(test.consistent)} ({_p(test.lower)} to {_p(test.upper)})",
        "How often luck would show as large a lead in growth (log returns) over holding as the "
        "best compared trial has, if none had one; in brackets the lower and upper p-value. Good: "
        "below 0.05.",
    )
    yield Finding(
        "White's reality check",
        _p(test.reality_check),
        "The same without regard to how much each trial varies. Good: below 0.05.",
    )


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
