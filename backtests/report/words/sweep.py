"""What a judgement says, statistic by statistic: by its name in the field, and in plain words."""

import itertools
import textwrap
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from backtests.analysis.episodes import FEW_EPISODES, FEWEST_EPISODES
from backtests.report.words.notation import count_noun, percent, percent_number, ratio
from backtests.search.judging.judge import Judgement
from backtests.search.rows import ROWS_KEPT

CONFIDENCE: Final = 0.95
TOO_FEW_EPISODES: Final = 10  # to conclude anything, whatever the figures
UNJUDGED: Final = "Too few trials or bars to judge the best row."
NAME_WIDTH: Final = 27
VALUE_WIDTH: Final = 24


def rows_kept(trials: int) -> str:
    """Return what a folder without a row per trial holds instead."""
    return (
        f"The folder keeps the best {ROWS_KEPT:,} rows by each figure, not all {trials:,} "
        '(sweep.keep = "best"). Any trial can be run again by its number.'
    )


class Statistic(NamedTuple):
    """One statistic: its name, its value, and what it means and what would be good."""

    name: str
    value: str
    meaning: str


def verdict(judgement: Judgement) -> str:
    """Return one sentence that says whether the best row means anything."""
    sample = (
        f"The best row rests on {count_noun(judgement.trades, 'trade')} in "
        f"{count_noun(judgement.episodes, 'independent episode')} of the index"
    )
    if not judgement.trades:
        return "The best row never trades, so there is nothing to judge."
    if judgement.episodes < FEWEST_EPISODES:
        return f"{sample}, and fewer than {FEWEST_EPISODES} tell nothing."
    if judgement.episodes < TOO_FEW_EPISODES:
        return f"{sample}, too few to tell skill from luck: {_beside_luck(judgement)}."
    words = _against_luck(judgement)
    if judgement.episodes >= FEW_EPISODES:
        return words[0].upper() + words[1:]
    return f"On only {judgement.episodes} independent episodes of the index, {words}"


def lines(judgement: Judgement, *, width: int = 100) -> list[str]:
    """Return the verdict and the statistics as lines for a terminal."""
    return _in_columns(verdict(judgement), statistics(judgement), width=width)


def statistics(found: Judgement) -> tuple[Statistic, ...]:
    """Return the statistics of a judgement, first what it rests on, then what was tested.

    Nothing is said of chance where nothing was traded, or on fewer than `FEWEST_EPISODES`.
    """
    if not found.trades or found.episodes < FEWEST_EPISODES:
        return (*_sample(found), *_earnings(found))
    return (
        *_sample(found),
        *_earnings(found),
        *_deflation(found),
        *_overfitting(found),
        *_superiority(found),
    )


def _in_columns(verdict: str, rows: Sequence[Statistic], *, width: int) -> list[str]:
    """Return the verdict and the statistics, in three aligned columns, at most `width` wide."""
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


def _sample(found: Judgement) -> Iterator[Statistic]:
    yield Statistic("Trials", f"{found.trials:,}", _trials_meaning(found))
    yield Statistic(
        "Effective number of trials",
        f"{found.effective_trials:,.1f}",
        "How many independent trials they amount to, by the correlation of those drawn "
        "(participation ratio).",
    )
    yield Statistic(
        "Trials compared", f"{found.compared:,} of {found.reach:,}", _comparisons(found)
    )
    bars, shared = found.bars, found.shared_bars
    yield Statistic(
        "Bars", f"{bars.count:,}", f"The best row's, {bars.first} to {bars.last}.{_spans(found)}"
    )
    if shared != bars:
        yield Statistic(
            "Bars compared",
            f"{shared.count:,}",
            "Cross-validation and the tests against holding use the bars all compared trials "
            f"share, {shared.first} to {shared.last}.",
        )
    yield Statistic(
        "Trades",
        f"{found.trades:,} in {count_noun(found.episodes, 'episode')}",
        "Signals close together are one episode of the index. These, not bars, are the sample; "
        "below 10 nothing can be concluded, below 20 little.",
    )


def _trials_meaning(found: Judgement) -> str:
    if found.search != "guided":
        return "All tried, the ones before this sweep included. The luckiest of them sets the bar."
    return (
        "A guided search goes where the best is, and its own trials crowd there. So all "
        f"{found.counted:,} settings it could have chosen count, and what luck does is measured "
        "on settings drawn at random."
    )


def _comparisons(found: Judgement) -> str:
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


def _spans(found: Judgement) -> str:
    return "" if found.same_spans else " Trials were ranked each on its own bars, which differ."


def _earnings(found: Judgement) -> Iterator[Statistic]:
    earned, held = found.earned, found.held
    yield Statistic(
        "Sharpe ratio",
        f"{ratio(earned.sharpe_ratio)}, holding {ratio(held.sharpe_ratio)}",
        f"The best row's and that of holding {found.asset} on the same bars.{_luckiest(found)}",
    )
    yield Statistic(
        "CAGR",
        f"{percent(earned.cagr)}, holding {percent(held.cagr)}",
        "Growth per year of both.",
    )


def _luckiest(found: Judgement) -> str:
    if not found.trades or found.episodes < FEWEST_EPISODES:
        return ""
    return (
        f" The luckiest of {found.counted:,} trials without skill is expected to reach "
        f"{ratio(found.luckiest)}."
    )


def _deflation(found: Judgement) -> Iterator[Statistic]:
    yield Statistic(
        "Deflated Sharpe ratio",
        percent(found.deflated),
        f"Probability that the true Sharpe ratio exceeds what the luckiest of {found.counted:,} "
        "trials without skill is expected to reach. Good: above 95 %.",
    )
    yield Statistic(
        "Deflated Sharpe ratio, effective trials",
        percent(found.deflated_effective),
        "The same if only the effective number of trials counted: the kindest reading, and too "
        "kind, because trials that move together still differ at their extremes.",
    )


def _overfitting(found: Judgement) -> Iterator[Statistic]:
    split = found.overfitting
    yield Statistic(
        "Probability of backtest overfitting (PBO, by CSCV)",
        f"{percent(split.probability)} ({percent_number(split.low)} to {percent(split.high)})",
        "How often the trial with the best Sharpe ratio in one half of the bars was in the lower "
        "half of the field in the other; in brackets 95 % bounds. Good: all below 50 %.",
    )
    yield Statistic(
        "Probability of loss out of sample",
        percent(split.loss_probability),
        "How often that trial had a Sharpe ratio below 0 in the other half. Good: near 0 %.",
    )
    yield Statistic(
        "Degradation slope",
        ratio(split.degradation),
        "What a Sharpe ratio higher by 1 in one half was worth in the other. Good: near 1; "
        "below 0, more promise brought less.",
    )


def _superiority(found: Judgement) -> Iterator[Statistic]:
    test = found.superiority
    yield Statistic(
        "Hansen's SPA p-value",
        f"{_p(test.consistent)} ({_p(test.lower)} to {_p(test.upper)})",
        "How often luck would show as large a lead in growth (log returns) over holding as the "
        "best compared trial has, if none had one; in brackets the lower and upper p-value. Good: "
        "below 0.05.",
    )
    yield Statistic(
        "White's reality check",
        _p(test.reality_check),
        "The same without regard to how much each trial varies. Good: below 0.05.",
    )


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _against_luck(judgement: Judgement) -> str:
    if not judgement.sharpe_ratio > judgement.luckiest:
        return f"the best row is no better than luck alone would show: {_beside_luck(judgement)}."
    speaks = {
        "its deflated Sharpe ratio": judgement.deflated >= CONFIDENCE,
        "the choice of the best in other bars": judgement.overfitting.high < 0.5,
        "its growth against buy-and-hold": judgement.superiority.consistent <= 1 - CONFIDENCE
        and judgement.earned.cagr > judgement.held.cagr,
    }
    if all(speaks.values()):
        return (
            "nothing here speaks for luck alone, but the best row is still the best of "
            f"{judgement.counted:,}: try it on other bars before trusting it."
        )
    if not any(speaks.values()):
        return (
            "the best row is better than luck alone would show, but not by enough to rule "
            f"luck out: {_beside_luck(judgement)}."
        )
    return (
        f"the evidence is divided: {_list(speaks, True)} for the best row, "
        f"{_list(speaks, False)} not."
    )


def _beside_luck(judgement: Judgement) -> str:
    return (
        f"its Sharpe ratio is {ratio(judgement.sharpe_ratio)}, and the luckiest of "
        f"{judgement.counted:,} without skill is expected to reach {ratio(judgement.luckiest)}"
    )


def _list(speaks: dict[str, bool], wanted: bool) -> str:
    names = [name for name, does in speaks.items() if does is wanted]
    if wanted:
        return f"{' and '.join(names)} {'speaks' if len(names) == 1 else 'speak'}"
    return f"{' and '.join(names)} {'does' if len(names) == 1 else 'do'}"
