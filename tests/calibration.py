"""Markets in which the index tells nothing of the coin, and how often a run says that it does.

    python -m tests.calibration 400

runs so many markets, with drift, fat tails, volatility that clusters, and stops, and prints how
often the sentence about the index appears, alone and beside one that denies it.
"""

import sys
from collections import Counter
from collections.abc import Iterator

import numpy as np

from backtests.config.config import Config, load_config
from backtests.engines.backtest import Run, run_on
from tests.judged import judged
from tests.markets import coin_bars, index_bars

ADDS = "the index adds something"
DENIES = "not distinguishable from luck"
# the rule and its stops: some look at the coin, which a shift in time cannot move along
OPTIONS = (
    (),
    ("rules.trailing_stop=0.2",),
    ("rules.stop_loss=0.15", "rules.trigger=new_high"),
    ("size.mode=vol_target",),
    ("rules.hold_days=0", "rules.index_drawdown=0.1", "rules.trailing_stop=0.3"),
)
INDEX_VOLATILITY = 0.0144  # per session, of the Russell 2000
FIRST = "2000-01-03"
COIN_VOLATILITY = 0.035  # per day, of BTC


def noise(rng: np.random.Generator, size: int) -> np.ndarray:
    """Return returns of unit volatility: Student's t with 4 degrees, volatility in clusters."""
    level = np.zeros(size)
    shocks = 0.12 * rng.standard_normal(size)
    for at in range(1, size):
        level[at] = 0.97 * level[at - 1] + shocks[at]
    return np.exp(level - level.var()) * rng.standard_t(4, size) / np.sqrt(2)


def market_run(seed: int, *, days: int, lookback: int = 252, effect: float = 0.0) -> Run:
    """Return a run on a market without any effect, or with `effect` a day while it is held."""
    rng = np.random.default_rng(seed)
    moves = 0.0003 + INDEX_VOLATILITY * noise(rng, days * 5 // 7)
    returns = rng.uniform(0, 0.003) + COIN_VOLATILITY * noise(rng, days)
    settings = (f"signal.lookback={lookback}", *OPTIONS[seed % len(OPTIONS)])
    config = load_config(None, overrides=settings)
    run = run_walk(config, moves, returns)
    if effect:
        held = run.strategy.invested.to_numpy()
        returns[days - held.size :] += effect * held
        run = run_walk(config, moves, returns)
    return run


def run_walk(config: Config, moves: np.ndarray, returns: np.ndarray) -> Run:
    index = index_bars(np.clip(moves, -0.5, 1.0), first=FIRST)
    coin = coin_bars("BTC", np.clip(returns, -0.9, 3.0), first=FIRST)
    return run_on(config, index=index, coin=coin, engine="fast")


def conclusions(markets: int, *, days: int, lookback: int = 252) -> Iterator[str]:
    """Yield what is concluded in each of so many markets."""
    for seed in range(markets):
        yield judged(market_run(seed, days=days, lookback=lookback))[2].conclusion


def tally(texts: Iterator[str]) -> Counter[str]:
    """Count the conclusions, those with the sentence, and those that also deny it."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts["markets"] += 1
        counts["silent"] += text.startswith("No conclusion")
        counts["adds"] += ADDS in text
        counts["beyond chance"] += "better than chance makes likely: only" in text
        counts["adds and denies"] += ADDS in text and DENIES in text
    return counts


if __name__ == "__main__":
    sys.stdout.write(f"{dict(tally(conclusions(int(sys.argv[1]), days=4000)))}\n")
