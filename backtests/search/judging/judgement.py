"""The judgement of a sweep's best row: its figures, and the verdict in one sentence."""

from dataclasses import asdict, dataclass
from typing import Any, Final

from backtests.analysis.episodes import FEW_EPISODES, FEWEST_EPISODES
from backtests.analysis.overfitting import Overfitting, Superiority
from backtests.report.words.notation import counted, ratio
from backtests.report.words.sweep import Finding, findings, in_columns

CONFIDENCE: Final = 0.95
TOO_FEW_EPISODES: Final = 10  # to conclude anything, whatever the figures
UNJUDGED: Final = "Too few trials or bars to judge the best row."


@dataclass(frozen=True, slots=True)
class Bars:
    """How many bars, and the days of the first and the last."""

    count: int
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Earned:
    """What an account earned a year; NaN where undefined."""

    sharpe_ratio: float
    cagr: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """The statistics of one sweep's best trial; Sharpe ratios a year, probabilities 0 to 1.

    `trials` counts everything tried, `counted` what the deflated ratio takes for it: of a
    guided search all settings in its `reach`. The field is `drawn` of the `reach` and the
    leading rows; `left_out` of them have too few of the best row's `bars`, and the others,
    `compared`, are cross-validated and tested on `shared_bars`, of which there are
    `periods_per_year`. `same_spans` says whether all
    have the same bars. `effective_trials` is how many independent ones `counted` amount to.
    `held` is what holding the best row's coin earned on its `bars`.
    """

    best: int
    asset: str
    search: str
    trials: int
    counted: int
    effective_trials: float
    reach: int
    drawn: int
    compared: int
    left_out: int
    trades: int
    episodes: int
    bars: Bars
    shared_bars: Bars
    periods_per_year: float
    same_spans: bool
    earned: Earned
    held: Earned
    luckiest: float
    deflated: float
    deflated_effective: float
    overfitting: Overfitting
    superiority: Superiority

    @property
    def sharpe_ratio(self) -> float:
        """The best row's, on its own bars, as the table has it."""
        return self.earned.sharpe_ratio

    def plain(self) -> dict[str, Any]:
        """Return all figures as plain numbers and texts, without the splits."""
        found = asdict(self)
        del found["overfitting"]["in_sample"], found["overfitting"]["out_of_sample"]
        return {**found, "verdict": self.verdict()}

    def verdict(self) -> str:
        """Return one sentence that says whether the best row means anything."""
        if not self.trades:
            return "The best row never trades, so there is nothing to judge."
        if self.episodes < FEWEST_EPISODES:
            return (
                f"The best row rests on {counted(self.trades, 'trade')} in "
                f"{counted(self.episodes, 'independent episode')} of the index, and fewer than "
                f"{FEWEST_EPISODES} tell nothing."
            )
        if self.episodes < TOO_FEW_EPISODES:
            return (
                f"The best row rests on {counted(self.trades, 'trade')} in "
                f"{counted(self.episodes, 'independent episode')} of the index, too few to tell "
                f"skill from luck: {self._beside_luck()}."
            )
        words = self._against_luck()
        if self.episodes >= FEW_EPISODES:
            return words[0].upper() + words[1:]
        return f"On only {self.episodes} independent episodes of the index, {words}"

    def findings(self) -> tuple[Finding, ...]:
        """Return every statistic by its name, with its value and what it means."""
        return findings(self)

    def lines(self, *, width: int = 100) -> list[str]:
        """Return the verdict and the findings as lines for a terminal."""
        return in_columns(self.verdict(), self.findings(), width=width)

    def _against_luck(self) -> str:
        if not self.sharpe_ratio > self.luckiest:
            return f"the best row is no better than luck alone would show: {self._beside_luck()}."
        speaks = {
            "its deflated Sharpe ratio": self.deflated >= CONFIDENCE,
            "the choice of the best in other bars": self.overfitting.high < 0.5,
            "its growth against buy-and-hold": self.superiority.consistent <= 1 - CONFIDENCE
            and self.earned.cagr > self.held.cagr,
        }
        if all(speaks.values()):
            return (
                "nothing here speaks for luck alone, but the best row is still the best of "
                f"{self.counted:,}: try it on other bars before trusting it."
            )
        if not any(speaks.values()):
            return (
                "the best row is better than luck alone would show, but not by enough to rule "
                f"luck out: {self._beside_luck()}."
            )
        return (
            f"the evidence is divided: {_listed(speaks, True)} for the best row, "
            f"{_listed(speaks, False)} not."
        )

    def _beside_luck(self) -> str:
        return (
            f"its Sharpe ratio is {ratio(self.sharpe_ratio)}, and the luckiest of "
            f"{self.counted:,} without skill is expected to reach {ratio(self.luckiest)}"
        )


def _listed(speaks: dict[str, bool], wanted: bool) -> str:
    names = [name for name, does in speaks.items() if does is wanted]
    if wanted:
        return f"{' and '.join(names)} {'speaks' if len(names) == 1 else 'speak'}"
    return f"{' and '.join(names)} {'does' if len(names) == 1 else 'do'}"
