"""What is said of runs: hundreds of random results, and real small runs, held to plain rules."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf, isfinite, isnan, nan

import numpy as np
import pandas as pd
import pytest

from backtests.analysis.bootstrap import Interval
from backtests.analysis.cost_sensitivity import CostRow, CostSensitivity
from backtests.analysis.episodes import BestSpell
from backtests.analysis.run_figures import Summary
from backtests.analysis.run_significance import COMPARED, EQUAL_EXPOSURE, STRATEGY, Significance
from backtests.config.config import load_config
from backtests.engines.account import Capacity
from backtests.engines.backtest import Run, run_inputs
from backtests.market.inputs import Inputs
from backtests.report.words.headline import break_even
from backtests.report.words.judgement import RunJudgement, judge_run
from backtests.report.words.notation import RunFacts, standing
from backtests.report.words.prose import run_facts
from feeds.instruments import coin
from tests.judged import judged
from tests.markets import coin_walk, index_walk

CASES = 400
CHANCE = re.compile(r"\b(luck|chance|interval|probability|bootstraps|shifts)\b")
FIGURES = ("cagr", "sharpe_ratio", "max_drawdown")


@dataclass(frozen=True, slots=True)
class Case:
    """A run's numbers and what is said of it."""

    facts: RunFacts
    summary: Summary
    found: Significance
    said: RunJudgement

    @property
    def text(self) -> str:
        said = self.said
        return " ".join(filter(None, (said.verdict, said.conclusion, said.sample, *said.notes)))

    @property
    def sentences(self) -> list[str]:
        return re.split(r"(?<=\D\.) ", self.text)

    @property
    def speaks(self) -> bool:
        return not self.said.silence

    @property
    def gap(self) -> Interval:
        return self.found.differences["buy_and_hold"]["cagr"]

    @property
    def sharpe(self) -> Interval:
        return self.found.intervals[STRATEGY]["sharpe_ratio"]

    @property
    def is_silent(self) -> bool:
        few = self.summary.episodes_traded < 3 or self.summary.trades.empty
        return bool(self.facts.untested) or few

    def growth(self, account: str) -> float:
        return self.written(self.summary.figures[account])

    def fell(self, account: str) -> float:
        return self.summary.figures[account]["max_drawdown"]

    @property
    def own(self) -> float:
        return self.growth("strategy")

    @property
    def held(self) -> float:
        return self.growth("buy_and_hold")

    @property
    def even(self) -> float:
        return self.growth("exposure_matched")

    @property
    def without(self) -> float:
        best = self.summary.best
        return self.written({"cagr": best.cagr, "total_return": best.total_return})

    def written(self, figures: dict[str, float]) -> float:
        # as a reader sees it, in percent with one decimal
        value = figures["cagr"] if self.facts.days >= 365 else figures["total_return"]
        return value if not isfinite(value) else round(value, 3)


def grown(rng: np.random.Generator, days: float) -> dict[str, float]:
    """Figures of an account: ruined, undefined, huge, nothing, or ordinary."""
    total = float(rng.choice([-1.0, nan, 1e9, 0.0, -0.3, 0.2, *rng.normal(1.0, 1.5, 6)]))
    total = max(total, -1.0)
    return {
        "total_return": total,
        "cagr": (1 + total) ** (365.25 / days) - 1,
        "max_drawdown": float(rng.choice([-1.0, 0.0, nan, *-rng.random(9)])),
        "exposure": float(rng.choice([0.0, 1.0, nan, *rng.random(9)])),
    }


def interval(rng: np.random.Generator, estimate: float) -> Interval:
    if rng.random() < 0.1 or isnan(estimate):
        return Interval(estimate, nan, nan)
    low, high = estimate - rng.exponential(0.3), estimate + rng.exponential(0.3)
    return Interval(estimate, low, high)


def trades(count: int) -> pd.DataFrame:
    return pd.DataFrame({"return": np.zeros(count)})


def best(rng: np.random.Generator, days: float, *, spells: int) -> BestSpell:
    if spells == 0:
        return BestSpell(pd.NaT, pd.NaT, nan, nan, nan, 0)
    without = grown(rng, days)
    start = pd.Timestamp("2020-11-14", tz="UTC")
    gain = float(rng.normal(1, 2))
    return BestSpell(start, pd.NaT, gain, without["total_return"], without["cagr"], spells)


def random_case(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    days = float(rng.choice([20, 200, 364, 366, 900, 4000]))
    accounts = ("strategy", "buy_and_hold", "exposure_matched", "control", "index")
    figures = {name: grown(rng, days) for name in accounts}
    if rng.random() < 0.1:
        figures["strategy"] = dict(figures["buy_and_hold"])
    if rng.random() < 0.2:
        figures["idle"] = grown(rng, days)
    if rng.random() < 0.2:
        figures["first_members"] = grown(rng, days)
    episodes = int(rng.choice([0, 1, 2, 3, 6, 19, 20, 25]))
    traded = int(rng.integers(0, episodes + 1)) if rng.random() < 0.5 else episodes
    count = traded + int(rng.integers(0, 3)) if traded else 0
    summary = Summary(
        figures=figures,
        drawdowns={},
        trades=trades(count),
        index_periods_per_year=252.0,
        capacity=Capacity(
            count, 0, 0, 0.1, 0.004, "BTC-USD", pd.Timestamp("2020-11-14", tz="UTC"), 1e6
        ),
        episodes=episodes,
        episodes_traded=traded,
        best=best(rng, days, spells=min(count, max(traded, 0))),
    )
    facts = RunFacts(
        traded=str(rng.choice(["BTC", "the altcoin basket"])),
        days=days,
        bars=round(days),
        untested=("etf_flows", "m2")[: int(rng.choice([0, 0, 0, 0, 1, 2]))],
        first_members=("BNB", "SOL"),
        idle="ETH",
        is_single=bool(rng.random() < 0.5),
        is_open=bool(rng.random() < 0.5),
        pending="rebalance" if rng.random() < 0.2 else "",
    )
    return case_of(facts, summary, significance_of(rng, summary, days))


def significance_of(rng: np.random.Generator, summary: Summary, days: float) -> Significance:
    own = summary.figures["strategy"]["cagr"]
    gaps = {name: own - summary.figures[name]["cagr"] for name in COMPARED}
    gaps[EQUAL_EXPOSURE] = float(rng.choice([0.0, nan, *rng.normal(0, 0.3, 8)]))
    p_values = [nan, 0.0004, 0.01, 0.05, 0.051, 0.5, 1.0]
    shifts = int(rng.choice([0, round(days) - 1, round(days) - 1]))
    return Significance(
        episodes=summary.episodes,
        bars=round(days),
        confidence=float(rng.choice([0.95, 0.9])),
        tried=int(rng.choice([1, 1, 100])),
        block_bars=float(rng.choice([1.0, 40.3])),
        draws=1000,
        intervals={
            name: {figure: interval(rng, float(rng.normal(0.2, 0.5))) for figure in FIGURES}
            for name in (STRATEGY, *COMPARED)
        },
        differences={name: {f: interval(rng, gap) for f in FIGURES} for name, gap in gaps.items()},
        shifts=shifts,
        shift_p_value=float(rng.choice(p_values)) if shifts else nan,
        shift_median_cagr=float(rng.choice([nan, 0.0, *rng.normal(0.1, 0.3, 4)])),
        control_shift_p_value=float(rng.choice(p_values)),
        probabilistic_sharpe_ratio=float(rng.choice([nan, 0.4, 0.94, 0.99])),
        minimum_track_record_days=float(rng.choice([nan, inf, 100.0, 1500.0, 9000.0])),
        effective_bars=float(rng.choice([nan, days / 3, days * 2])),
        exposure=summary.figures["strategy"]["exposure"],
        control_exposure=float(rng.choice([0.0, 0.2, 0.9])),
    )


def case_of(facts: RunFacts, summary: Summary, found: Significance) -> Case:
    return Case(facts, summary, found, judge_run(facts, summary, found))


Rule = Callable[[Case], bool]

# What must never be, by name: true where a run's sentences break it.
OF_CHANCE: dict[str, Rule] = {
    "speaks of chance where nothing was tested or traded, or on fewer than 3 episodes": lambda c: (
        c.is_silent and CHANCE.search(c.text) is not None
    ),
    "is silent without a reason": lambda c: (
        bool(c.said.silence)
        and not c.is_silent
        and not isnan(c.found.intervals[STRATEGY]["cagr"].low)
    ),
    "the index adds something, or does not, against the numbers": lambda c: (
        ("the index adds something" in c.text) != (c.speaks and c.found.better == "index")
    ),
    "the index adds something beside a timing that may be luck": lambda c: (
        "the index adds something" in c.text
        and ("from luck" in c.text or "Its timing is better than chance" not in c.text)
    ),
    "timing against its p-value": lambda c: (
        ("Its timing is better than chance" in c.text)
        != (c.speaks and c.found.shift_p_value * c.found.tried <= 0.05)
    ),
    "beyond chance although the interval holds 0": lambda c: (
        "by more than chance explains" in c.said.conclusion and c.gap.low <= 0 <= c.gap.high
    ),
    "an interval that holds 0 without `in these bars`": lambda c: (
        c.speaks and c.gap.low <= 0 <= c.gap.high and "In these bars" not in c.said.conclusion
    ),
    "a probability beside an interval that denies it": lambda c: (
        "with a probability of" in c.text and not c.sharpe.low > 0
    ),
    "shown and not to be told": lambda c: (
        "cannot be told from these bars" in c.text and "shows this" in c.text
    ),
    "a record is asked for that is there": lambda c: (
        "would be needed" in c.text and not c.facts.days < c.found.minimum_track_record_days < inf
    ),
}
OF_GROWTH: dict[str, Rule] = {
    "trails against the growth": lambda c: "trails" in c.text and not c.own < c.held,
    "beats against the growth": lambda c: "beats" in c.text and not c.own > c.held,
    "another growth than may be said": lambda c: (
        re.search("beats|trails", c.said.verdict) is not None
        and f"{c.own * 100:,.1f} % against {c.held * 100:,.1f} %".replace("-", "\N{MINUS SIGN}")
        not in c.said.verdict
    ),
    "beats holding and earned less than it": lambda c: (
        "beats" in c.text and f"earned less than holding {c.facts.traded}" in c.text
    ),
    "trails holding and earned more than it": lambda c: (
        "trails" in c.text and f"earned more than holding {c.facts.traded}" in c.text
    ),
    "annualised under a year": lambda c: (
        c.facts.days < 365 and re.search(r"per year|CAGR", c.text) is not None
    ),
    "a gain is carried that is none": lambda c: (
        "carries the whole gain" in c.text and not (c.own > 0 and c.without <= 0)
    ),
    "a gain is carried, and it is not said": lambda c: (
        not c.facts.untested
        and c.summary.best.spells > 1
        and c.own > 0
        and c.without <= 0
        and "carries the whole gain" not in c.text
    ),
    "a lead is carried that is none": lambda c: (
        "carries the lead" in c.text and not (c.own > c.even and c.without <= c.even)
    ),
    "earned more than evenly held against the growth": lambda c: (
        re.search("earned more(, but| and) fell", c.text) is not None and not c.own > c.even
    ),
    "evenly held made more against the growth": lambda c: (
        "which swings less, made more" in c.text and not c.even > c.own
    ),
    "fell deeper against the drawdowns": lambda c: (
        "fell deeper" in c.text and not c.fell("strategy") < c.fell("exposure_matched")
    ),
    "a drawdown is set against holding's alone": lambda c: (
        "holding in full" in c.text and "Held evenly" not in c.text
    ),
}
OF_LANGUAGE: dict[str, Rule] = {
    "an undefined number": lambda c: bool(re.search(r"\bnan\b|\binf\b|\N{EN DASH}", c.text)),
    "a sentence that begins with That": lambda c: bool(re.search(r"(^|\. )That\b", c.text)),
    "a for per": lambda c: bool(
        re.search(r"(points|%|bps) a (year|side|bar|coin|trade)\b", c.text)
    ),
    "a hyphen for a minus sign": lambda c: bool(re.search(r"(?<![\w.-])-\.?\d", c.text)),
    "punctuation": lambda c: bool(re.search(r"  | [,.;:]|\.\.|,,|\(\)|[^.]$", c.text)),
    "a sentence without a capital": lambda c: any(
        not sentence[0].isupper() for sentence in re.split(r"(?<=\.) (?=\D)", c.text)
    ),
    "a number and its noun": lambda c: bool(
        re.search(r"\b1 (bars|days|independent episodes)|\b\d*[02-9] (bar|day|trade)\b", c.text)
    ),
    "twice the same sentence": lambda c: len(c.sentences) != len(set(c.sentences)),
}
RULES = OF_CHANCE | OF_GROWTH | OF_LANGUAGE


def broken(case: Case) -> list[str]:
    return [name for name, rule in RULES.items() if rule(case)]


def test_words_on_random_results_contradict_neither_numbers_nor_each_other() -> None:
    cases = map(random_case, range(CASES))
    found = [(rule, case.text) for case in cases for rule in broken(case)]
    assert found == []


def test_words_on_random_results_say_everything_they_can_at_least_once() -> None:
    said = " ".join(random_case(seed).text for seed in range(CASES))
    for words in (
        "trails", "beats", "equals", "tests nothing", "never traded", "the index adds something",
        "own price is the better signal", "cannot show that the index adds", "from luck",
        "better than chance", "In these bars", "by more than chance explains", "of 100 tries",
        "carries the whole gain", "carries the lead", "Without its best", "with a probability of",
        "would be needed", "No conclusion is drawn", "less than a year", "fell deeper",
    ):  # fmt: skip
        assert words in said, words


@pytest.mark.parametrize("seed", range(24))
def test_words_on_real_small_runs_contradict_nothing(seed: int) -> None:
    result = small_run(seed)
    summary, found, said = judged(result)
    assert broken(Case(run_facts(result), summary, found, said)) == []


def small_run(seed: int) -> Run:
    """A run of random settings on walks: short and long, one coin, a basket, filters, stops."""
    rng = np.random.default_rng(seed)
    days = int(rng.choice([90, 250, 600, 1000]))
    settings = {
        "signal.min_history": 20,
        "signal.base": int(rng.choice([1, 5, 300])),
        "rules.trigger": str(rng.choice(["any", "breakout", "support_held"])),
        "rules.hold_days": int(rng.choice([0, 5, 20, 90])),
        "rules.trailing_stop": float(rng.choice([0.0, 0.1])),
        "size.fraction": float(rng.choice([1.0, 0.4])),
        "costs.cash_rate": float(rng.choice([0.0, 0.05])),
        "significance.tried": int(rng.choice([1, 50])),
    }
    if seed % 4 == 1:
        settings |= {"asset": "ALTS", "basket.min_age_days": 10}
    if seed % 4 == 2:
        settings |= {"filters.index_trend.window": int(rng.choice([20, 5000]))}
    config = load_config(None, flags=settings)
    names = ("ADA", "SOL", "XRP") if config.asset == "ALTS" else ("ETH",)
    coins = [
        replace(coin_walk(days, seed=seed + place, start="2018-06-01"), instrument=coin(name))
        for place, name in enumerate(names)
    ]
    return run_inputs(config, Inputs(index_walk(1000, seed=seed), tuple(coins)), engine="fast")


@pytest.mark.parametrize(
    ("own", "held", "word"),
    [
        (0.21, 0.2, "beats"),
        (0.2, 0.21, "trails"),
        (0.2, 0.2 + 1e-12, "equals"),
        (0.2001, 0.2004, "equals"),  # both 20.0 %
        (0.2004, 0.2006, "trails"),  # 20.0 % and 20.1 %
        (nan, 0.2, "undefined"),
    ],
)
def test_standing_follows_what_is_seen_of_both(own: float, held: float, word: str) -> None:
    assert standing(own, held) == word


@pytest.mark.parametrize(
    ("bps", "words"),
    [
        (nan, "Even without any costs"),
        (inf, "No costs within reason"),
        (35.2, "as long as costs stay below 35 bps per side"),
    ],
)
def test_break_even_says_up_to_which_costs_the_rule_is_ahead(bps: float, words: str) -> None:
    rows = (CostRow(1.0, 15.0, 0.1, 0.1, 0.1, 100.0, 0.0),)
    assert words in break_even(CostSensitivity(rows, bps), traded="BTC")


def test_break_even_of_a_rule_that_never_traded_says_so() -> None:
    rows = (CostRow(1.0, 15.0, 0.0, 0.0, 0.1, 0.0, 0.0),)
    assert "never traded" in break_even(CostSensitivity(rows, inf), traded="BTC")
