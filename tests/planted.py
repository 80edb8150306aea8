"""Claims planted in simulated markets, and how often they are found (python -m tests.planted)."""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import numpy as np

from backtests.analysis.event_effects import LEVEL, Placement
from backtests.claims import all_readings
from backtests.claims.answers import evidence
from backtests.claims.measures import measure
from backtests.claims.question import Question
from backtests.claims.study_data import World
from backtests.claims.verdicts import Finding
from backtests.config.config import Config, load_config
from feeds.bars import Bars
from tests.markets import coin_bars, index_bars

DAYS: Final = 1500
DRAWS: Final = 199
HORIZON: Final = 20
GAP: Final = 20
CLAIMED: Final = 0.3
# so many readings are enough to see the curve find what is there
FEW_READINGS: Final = {
    "BASES": (1, 60), "LOOKBACKS": ("all",), "GAPS": (20, 60), "HORIZONS_DAYS": (10, 20),
    "DELAYS_DAYS": (0, 1), "STARTS": ("all",),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Judgement:
    """The finding of the reading that fits, the p of the curve, and the true effect (fraction).

    The true one is that beyond random dates, the planted ones among them.
    """

    finding: Finding
    curve_p: float
    true_effect: float


def planted_config(folder: str) -> Config:
    """Return a config whose claim is that a coin grows after new highs; `folder` stays empty."""
    claim = {
        "statement": "It follows.", "source": "a test", "support": "it does", "assets": ["COIN"],
        "event": "new_high", "horizon_days": HORIZON, "effect": CLAIMED, "gap_sessions": GAP,
    }  # fmt: skip
    flags: dict[str, object] = {f"claim.{name}": value for name, value in claim.items()}
    return load_config(None, flags=flags | {"data.source": "files", "data.data_dir": folder})


def judge_market(config: Config, seed: int, *, planted: float) -> Judgement:
    """Judge the claim in one market in which growth of `planted` follows each episode."""
    assert config.claim is not None
    index, coin, share = market(seed, planted=planted)
    world = World(config, own=(index, coin))
    question = Question(world, config.claim, Placement(gap=GAP, draws=DRAWS, seed=seed))
    (finding,) = measure(question)
    found = all_readings.claim_curve(question)
    effect = float(np.expm1(np.log1p(planted) * (1 - share)))
    return Judgement(finding, np.nan if found is None else found.p, effect)


def market(seed: int, *, planted: float) -> tuple[Bars, Bars, float]:
    """Return an index that rises at random, a coin, and the share of days on which it was helped.

    The coin grows by `planted` over the horizon after each first new high of an episode.
    """
    rng = np.random.default_rng(seed)
    index = index_bars(rng.normal(0.0006, 0.01, DAYS * 5 // 7))
    drift = np.zeros(DAYS)
    close, dates = index.frame["close"].to_numpy(), index.frame.index
    record = np.flatnonzero(close[1:] > np.maximum.accumulate(close)[:-1]) + 1
    record = record[record >= 252]
    for row in record[np.diff(record, prepend=-999) > GAP]:
        day = (dates[row] - dates[0]).days + 1
        drift[day : day + HORIZON] = np.log1p(planted) / HORIZON
    returns = np.expm1(rng.normal(0.0005, 0.02, DAYS) + drift)
    return index, coin_bars("COIN", returns), float((drift[252 * 7 // 5 :] > 0).mean())


@contextmanager
def few_readings() -> Iterator[None]:
    """Let the curve have `FEW_READINGS` only."""
    usual = {name: getattr(all_readings, name) for name in FEW_READINGS}
    try:
        for name, values in FEW_READINGS.items():
            setattr(all_readings, name, values)
        yield
    finally:
        for name, values in usual.items():
            setattr(all_readings, name, values)


def judge_markets(markets: int) -> dict[float, list[Judgement]]:
    """Judge every market twice: with nothing planted, and with the claimed growth."""
    with tempfile.TemporaryDirectory() as folder, few_readings():
        config = planted_config(folder)
        return {
            planted: [judge_market(config, seed, planted=planted) for seed in range(markets)]
            for planted in (0.0, CLAIMED)
        }


def rates(judged: Sequence[Judgement]) -> dict[str, float]:
    """Return how often a claim was found, and how often the interval missed the true effect."""
    rows = {
        "p of all dates at most 5 %": [one.finding.p_value <= LEVEL for one in judged],
        "supported": [evidence(one.finding) == "supported" for one in judged],
        "curve's p at most 5 %": [one.curve_p <= LEVEL for one in judged],
        "interval ends below the true effect": [
            one.finding.high < one.true_effect for one in judged
        ],
        "interval begins above the true effect": [
            one.finding.low > one.true_effect for one in judged
        ],
    }
    return {name: float(np.mean(values)) for name, values in rows.items()}


if __name__ == "__main__":
    for planted, judged in judge_markets(int(sys.argv[1]) if len(sys.argv) > 1 else 300).items():
        sys.stdout.write(f"{len(judged)} markets with {planted:.0%} planted\n")
        for name, rate in rates(judged).items():
            sys.stdout.write(f"  {rate:6.1%}  {name}\n")
