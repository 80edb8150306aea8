"""What may be said of chance: against holding, of the timing, of the index, and on what it rests.

Nothing is said of chance where nothing was tested or traded, or on fewer than
`FEWEST_EPISODES` episodes. Where an interval holds 0 the sentence stays with these bars. That
the index adds something is said only where `Significance.better` says so.
"""

from math import inf, isnan
from typing import Final

from backtests.analysis.bootstrap import Interval
from backtests.analysis.episodes import FEW_EPISODES, FEWEST_EPISODES
from backtests.analysis.run_figures import Summary
from backtests.analysis.run_significance import EQUAL_EXPOSURE, LEVEL, Significance
from backtests.market.elapsed_time import DAYS_PER_YEAR
from backtests.report.words import notation
from backtests.report.words import notation as written
from backtests.report.words.notation import RunFacts

HALF: Final = 0.5


def silence(facts: RunFacts, summary: Summary, found: Significance) -> str:
    """Return why nothing may be concluded from a run; empty where something may."""
    count = summary.episodes_traded
    if facts.untested:
        reason = "nothing was tested"
    elif summary.trades.empty:
        reason = "the rule never traded"
    elif count < FEWEST_EPISODES:
        reason = (
            f"the rule bought in {notation.episodes_in_words(count)} of the index, and fewer than "
            f"{FEWEST_EPISODES} tell nothing"
        )
    elif isnan(found.intervals["strategy"]["cagr"].low):
        reason = "too few bars vary"
    else:
        return ""
    return f"No conclusion is drawn: {reason}."


def conclusion(facts: RunFacts, summary: Summary, found: Significance) -> str:
    """Return one paragraph: against holding, against chance, against the coin's own signal."""
    return silence(facts, summary, found) or " ".join(
        (
            _against_holding(facts, found),
            _timing(facts, summary, found),
            _own_signal(facts, found),
            _caveat(facts, summary),
        )
    )


def timing(facts: RunFacts, summary: Summary, found: Significance) -> str:
    """Return whether the timing could be luck, or why nothing is said of chance."""
    return silence(facts, summary, found) or _timing(facts, summary, found)


def notes(facts: RunFacts, summary: Summary, found: Significance) -> tuple[str, ...]:
    """Return how the intervals were drawn, and the other figures of chance, in sentences."""
    if silence(facts, summary, found):
        return ()
    return _how(facts, found), _shifts(facts, found), _record(facts, found)


def _against_holding(facts: RunFacts, found: Significance) -> str:
    gap = found.differences["buy_and_hold"]["cagr"]
    holding, sure = f"holding {facts.traded}", _sure(facts, gap, found)
    if gap.low > 0 and found.tried > 1:
        return (
            f"In these bars the rule earned more than {holding}{sure}, but so may the best of "
            f"{found.tried:,} tries by luck."
        )
    if gap.low > 0:
        return f"The rule earned more than {holding}, by more than chance explains{sure}."
    if gap.high < 0:
        return (
            f"The rule earned less than {holding}, by more than chance explains{sure}"
            f"{_mostly_out(found)}."
        )
    if isnan(gap.estimate):
        return f"Whether the rule earned more or less than {holding} cannot be told."
    return (
        f"In these bars the rule earned {_earnings(gap)} {holding}; whether it would again cannot "
        f"be told{sure}."
    )


def _mostly_out(found: Significance) -> str:
    """Return that a rule earned less because little was held, where that is so."""
    if not found.exposure < HALF:
        return ""
    return f"; its average exposure was only {written.percent(found.exposure)}"


def _timing(facts: RunFacts, summary: Summary, found: Significance) -> str:
    p_value, tried = found.shift_p_value, found.tried
    if isnan(p_value):
        return "Its timing cannot be tested."
    share = f"{written.percent(p_value)} of all shifts of its positions in time did as well"
    if found.has_timing:
        return (
            f"Its timing is better than chance makes likely: only {share}"
            f"{_behind_even(facts, summary)}."
        )
    if p_value <= LEVEL:
        return (
            f"Its timing is not distinguishable from luck, as the best of {tried:,} tries reaches "
            f"this by luck: {share}."
        )
    return f"Its timing is not distinguishable from luck: {share}."


def _behind_even(facts: RunFacts, summary: Summary) -> str:
    """Return that holding evenly made more all the same, where it did."""
    own, even = (
        notation.growth_of(summary.figures[name], days=facts.days)
        for name in ("strategy", "exposure_matched")
    )
    if not own < even:
        return ""
    return "; yet holding evenly, which swings less, made more at the same average exposure"


def _own_signal(facts: RunFacts, found: Significance) -> str:
    gap = found.differences[EQUAL_EXPOSURE]["cagr"]
    control = f"the same rule on {facts.traded}'s own price"
    sure = _sure(facts, gap, found)
    if found.better == "undefined":
        idle = found.control_exposure == 0
        why = "never held anything" if idle else "cannot be compared at equal exposure"
        return f"The control, {control}, {why}: we cannot say whether the index adds anything."
    if found.better == "index":
        return (
            f"At equal exposure it earned more than {control}{sure}: the index adds something "
            "that this price does not have."
        )
    if found.better == "coin":
        return (
            f"At equal exposure {control} earned more{sure}, and the timing of that control is "
            f"better than chance makes likely: {facts.traded}'s own price is the better signal."
        )
    return f"{_indecision(facts, found, control)}: we cannot show that the index adds anything."


def _indecision(facts: RunFacts, found: Significance, control: str) -> str:
    """Return how the two compare where neither signal is shown to be the better one."""
    gap = found.differences[EQUAL_EXPOSURE]["cagr"]
    sure = _sure(facts, gap, found)
    if gap.low > 0:
        return (
            f"At equal exposure the rule earned more than {control}{sure}, but by a timing that "
            "may be luck"
        )
    if gap.high < 0:
        return f"At equal exposure {control} earned more{sure}"
    return (
        f"At equal exposure the rule earned {_earnings(gap)} {control} in these bars; whether it "
        f"would again cannot be told{sure}"
    )


def _sure(facts: RunFacts, gap: Interval, found: Significance) -> str:
    """Return a difference's interval in brackets; nothing under a year, as it is per year."""
    if not notation.is_annual(facts.days) or isnan(gap.low):
        return ""
    return f" {notation.interval_in_words(gap, confidence=found.confidence)}"


def _earnings(gap: Interval) -> str:
    return notation.comparison(
        gap.estimate, larger="more than", smaller="less than", alike="as much as"
    )


def _caveat(facts: RunFacts, summary: Summary) -> str:
    count = notation.episodes_in_words(summary.episodes_traded)
    bars = f"not on {written.count_noun(facts.bars, 'bar')}"
    if summary.episodes_traded >= FEW_EPISODES:
        return f"All of this rests on {count} of the index, {bars}."
    return (
        f"All of this rests on {count} of the index, {bars}: only a very large effect could show."
    )


def _how(facts: RunFacts, found: Significance) -> str:
    return (
        f"In brackets: where {written.percent(found.confidence, decimals=0)} of "
        f"{written.count(found.draws)} stationary bootstraps lie, in blocks of about "
        f"{written.count_noun(round(found.block_bars), 'bar')} drawn together for all. Held "
        f"evenly: {facts.traded} at the rule's average exposure on every bar.{_equally(found)}"
    )


def _equally(found: Significance) -> str:
    """Return how rule and control are brought to one exposure, where both have one."""
    if not (found.exposure > 0 and found.control_exposure > 0):
        return ""
    return (
        f" At equal exposure: of the rule ({written.percent(found.exposure)}) and the control "
        f"({written.percent(found.control_exposure)}) the one with more exposure counts only in "
        "part, the rest of its money idle."
    )


def _shifts(facts: RunFacts, found: Significance) -> str:
    if not found.shifts or isnan(found.shift_p_value):
        return "The same positions could not be moved in time: nothing to compare the timing with."
    middle = found.shift_median_cagr
    if not notation.is_annual(facts.days):
        middle = (1 + middle) ** (facts.days / DAYS_PER_YEAR) - 1
    rate = notation.growth_phrase(middle, days=facts.days)
    median = "" if isnan(middle) else f"; the middle one {rate}"
    text = (
        f"Moved in time in {written.count(found.shifts)} ways, the same positions did at least as "
        f"well in {written.percent(found.shift_p_value)} of them{median}."
    )
    if isnan(found.control_shift_p_value):
        return text
    return f"{text} For the control it is {written.percent(found.control_shift_p_value)}."


def _record(facts: RunFacts, found: Significance) -> str:
    """Return what the Sharpe ratio's error says, never more than its interval allows."""
    interval, probability = _sharpe(found), found.probabilistic_sharpe_ratio
    share = written.percent(found.confidence, decimals=0)
    if isnan(interval.low) or isnan(probability):
        return "The Sharpe ratio is undefined, or too few bars vary to say how sure it is."
    weight = _weight(found)
    days = found.minimum_track_record_days
    if interval.low > 0 and probability >= found.confidence:
        shows = ""
        if days <= facts.days:
            shows = f"; at a confidence of {share} a record of {_length(days)} shows this"
        return (
            f"The true Sharpe ratio is above 0 with a probability of {written.percent(probability)}"
            f"{shows}.{weight}"
        )
    if interval.high < 0:
        return f"The Sharpe ratio is below 0, by more than chance explains.{weight}"
    needed = ""
    if facts.days < days < inf:
        needed = (
            f": at a confidence of {share} a record of {_length(days)} would be needed, and this "
            f"one has {_length(facts.days)}"
        )
    return (
        f"Whether the true Sharpe ratio is above 0 cannot be told from these bars{needed}.{weight}"
    )


def _weight(found: Significance) -> str:
    if not found.effective_bars < found.bars:
        return ""
    return (
        f" Because good and bad times cluster, these {written.count_noun(found.bars, 'bar')} tell "
        f"as much about it as {written.count(found.effective_bars)} independent ones."
    )


def _sharpe(found: Significance) -> Interval:
    return found.intervals["strategy"]["sharpe_ratio"]


def _length(days: float) -> str:
    years = days / DAYS_PER_YEAR
    return f"{years:,.1f} years" if years >= 1 else written.count_noun(round(days), "day")
