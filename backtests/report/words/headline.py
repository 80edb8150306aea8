"""The headline of a run: ahead or behind, at which exposure, and what it rests on."""

from math import isfinite, isinf, isnan

from backtests.analysis.cost_sensitivity import CostSensitivity
from backtests.analysis.episodes import FEW_EPISODES, FEWEST_EPISODES
from backtests.analysis.run_figures import Figures, Summary
from backtests.report.words import notation
from backtests.report.words import notation as written
from backtests.report.words.labels import list_words
from backtests.report.words.notation import RunFacts


def headline(facts: RunFacts, summary: Summary) -> str:
    """Return how the rule stands against holding, or why it cannot be said, in a sentence."""
    if facts.untested:
        return untested_filters(facts.untested)
    return _never_traded(summary) if summary.trades.empty else _standing(facts, summary)


def details(facts: RunFacts, summary: Summary) -> str:
    """Return what follows the headline: holding evenly at the same exposure, and other ways."""
    if facts.untested:
        return ""
    held = summary.figures["buy_and_hold"]
    if summary.trades.empty:
        return f"{_holding(facts, held)}{_others(facts, summary)}"
    return f"{_at_same_exposure(facts, summary)}{_others(facts, summary)}".strip()


def untested_filters(filters: tuple[str, ...]) -> str:
    """Return that a run tested nothing, because of these filters."""
    names = list_words(tuple(written.words(name) for name in filters))
    were = "filter {} was" if len(filters) == 1 else "filters {} were"
    return (
        f"This run tests nothing: the {were.format(names)} unknown on every bar, and while unknown "
        "no trigger may buy."
    )


def sample(facts: RunFacts, summary: Summary) -> str:
    """Return what the figures rest on: episodes, the best trade, and how the run ended."""
    if facts.untested:
        return ""
    if summary.trades.empty:
        return _ending(facts)
    return " ".join(
        text for text in (_basis(summary), _without_best(facts, summary), _ending(facts)) if text
    )


def break_even(costs: CostSensitivity, *, traded: str) -> str:
    """Return up to which costs the rule is ahead of holding."""
    bps = costs.break_even_bps
    if not any(row.costs_paid for row in costs.rows):
        return "The rule never traded, so costs change nothing."
    if isnan(bps):
        return f"Even without any costs the rule would not be ahead of holding {traded}."
    if isinf(bps):
        return f"No costs within reason would put the rule behind holding {traded}."
    return (
        f"The rule is ahead of holding {traded} as long as costs stay below {bps:,.0f} bps per "
        "side."
    )


def _standing(facts: RunFacts, summary: Summary) -> str:
    own, held = summary.figures["strategy"], summary.figures["buy_and_hold"]
    growths = [notation.growth_of(figures, days=facts.days) for figures in (own, held)]
    word = notation.standing(*growths)
    if word == "undefined":
        return f"The rule cannot be compared with holding {facts.traded}: no growth is defined."
    if word == "equals":
        return f"The rule equals holding {facts.traded}: both made {_rate(facts, own)}."
    money = [written.multiple(figures["total_return"]) for figures in (own, held)]
    length = f", or {money[0]} against {money[1]} the money"
    by = notation.gap_in_words(growths[0] - growths[1], days=facts.days)
    return (
        f"The rule {word} holding {facts.traded} by {by}: {written.percent(growths[0])} against "
        f"{_rate(facts, held)}{length if notation.is_annual(facts.days) else _span(facts)}."
    )


def _span(facts: RunFacts) -> str:
    return f" in {written.count_noun(round(facts.days), 'day')}, less than a year"


def _at_same_exposure(facts: RunFacts, summary: Summary) -> str:
    """Return what the coin made at the rule's average exposure without any timing.

    A smaller drawdown at a third of the exposure is no merit, so this stands in the headline.
    """
    own, held = summary.figures["strategy"], summary.figures["buy_and_hold"]
    even, exposure = summary.figures["exposure_matched"], own["exposure"]
    depths = [notation.as_written(figures["max_drawdown"]) for figures in (own, even, held)]
    growth = [notation.growth_of(figures, days=facts.days) for figures in (own, even)]
    if not all(map(isfinite, (*depths, *growth, exposure))):
        return ""
    share = notation.as_written(exposure)
    if share == 0:
        return ""
    if share >= 1:
        return (
            f" Its worst drawdown was {written.percent(depths[0])}, that of holding "
            f"{written.percent(depths[2])}."
        )
    return (
        f" Held evenly at the rule's average exposure of {written.percent(exposure)}, "
        f"{facts.traded}{_rest(facts)} made {_rate(facts, even)} with a worst drawdown of "
        f"{written.percent(depths[1])}: compared with this the rule "
        f"{_earned_and_fell(growth[0] - growth[1], depths[1] - depths[0])} "
        f"({written.percent(depths[0])}; holding in full {written.percent(depths[2])})."
    )


def _rest(facts: RunFacts) -> str:
    return f", the rest in {facts.idle}," if facts.idle else ""


def _earned_and_fell(earned: float, fell: float) -> str:
    earning = notation.comparison(
        earned, larger="earned more", smaller="earned less", alike="earned the same"
    )
    falling = notation.comparison(
        fell, larger="fell deeper", smaller="fell less", alike="fell as deep"
    )
    if (earning, falling) == ("earned more", "fell deeper"):
        return "earned more, but fell deeper"
    if (earning, falling) == ("earned less", "fell less"):
        return "earned less, but also fell less"
    return f"{earning} and {falling}"


def _others(facts: RunFacts, summary: Summary) -> str:
    """Return what else was held all the time: a basket's first members, the idle coin."""
    texts = []
    if "first_members" in summary.figures:
        texts.append(
            "Holding means the basket itself, all the time at its weights; the members of the "
            f"first day ({list_words(facts.first_members)}), left untouched, "
            f"{_make(facts, summary.figures['first_members'])}."
        )
    if "idle" in summary.figures:
        texts.append(
            f"Holding {facts.idle} all the time, as the rule does while the signal is off, "
            f"{_make(facts, summary.figures['idle'])}."
        )
    return "".join(f" {text}" for text in texts)


def _never_traded(summary: Summary) -> str:
    if not summary.episodes:
        return "The rule never traded, as no trigger came: the run says nothing about the idea."
    count = written.count_noun(summary.episodes, "episode")
    return (
        f"The rule never traded: triggers fell into {count}, but nothing was bought, so the run "
        "says nothing about the idea."
    )


def _holding(facts: RunFacts, held: Figures) -> str:
    return f"Holding {facts.traded} {_make(facts, held)}."


def _make(facts: RunFacts, figures: Figures) -> str:
    growth = notation.growth_of(figures, days=facts.days)
    if not isfinite(growth):
        return "made an undefined amount"
    fell = figures["max_drawdown"]
    deepest = f" with a worst drawdown of {written.percent(fell)}" if isfinite(fell) else ""
    return f"{notation.growth_phrase(growth, days=facts.days)}{deepest}"


def _basis(summary: Summary) -> str:
    count = summary.episodes_traded
    bought = f"{written.count(count)} of them" if count else "none of them"
    few = "; so few say little" if FEWEST_EPISODES <= count < FEW_EPISODES else ""
    return (
        f"The triggers fell into {notation.episodes_in_words(summary.episodes)} of the index, and "
        f"the rule bought in {'it' if summary.episodes == count == 1 else bought}{few}."
    )


def _without_best(facts: RunFacts, summary: Summary) -> str:
    best, figures = summary.best, summary.figures
    if best.spells == 0 or isnan(best.total_return):
        return ""
    noun = _noun(facts)
    if best.spells == 1:
        return f"The whole result is that of one {noun}."
    growth = notation.growth_of(
        {"cagr": best.cagr, "total_return": best.total_return}, days=facts.days
    )
    own, even = (
        notation.growth_of(figures[name], days=facts.days)
        for name in ("strategy", "exposure_matched")
    )
    without = f"{notation.growth_phrase(growth, days=facts.days)}"
    start = f"{'bought' if facts.is_single else 'from'} {written.date(best.start)[:10]}"
    which = f"({start}, {written.points(best.gain)} %)"
    if own > 0 >= growth:
        return (
            f"One {noun} carries the whole gain: without it {which} the rule would have {without}."
        )
    if own > even >= growth:
        return (
            f"One {noun} carries the lead over holding evenly: without it {which} the rule would "
            f"have {without}."
        )
    return f"Without its best {noun} {which} the rule would have {without}."


def _noun(facts: RunFacts) -> str:
    """Return what a stretch with the signal on is called."""
    if facts.is_single:
        return "trade"
    return "time with the signal on" if facts.idle else "time in the market"


def _ending(facts: RunFacts) -> str:
    if facts.pending:
        return f"At the next open an order is due: {written.words(facts.pending)}."
    return "The last position is still open, marked at the last close." if facts.is_open else ""


def _rate(facts: RunFacts, figures: Figures) -> str:
    return notation.rate(notation.growth_of(figures, days=facts.days), days=facts.days)
