"""Evenings of whole backtests: what was due against what was filled.

`python -m tests.evenings 60` asks some evenings of each config, `python -m tests.evenings all`
every one; further words name the configs.

For every bar of a config, the order that an evening names for the next open must be what the
whole backtest then fills: side, units, reason; and no order where it fills nothing.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from backtests.config.config import Config, load_config
from backtests.desk.today import Order, order_due
from backtests.engines.backtest import closing_of
from backtests.engines.backtrader_engine import simulate
from backtests.market.altered_inputs import FUTURES, world_at
from backtests.market.inputs import Inputs, load_inputs
from backtests.market.market import Market, build_market
from backtests.market.tape import NANOSECONDS
from feeds.arrays import Floats, Integers

DATA = Path(__file__).parents[2] / "shared" / "data"
CONFIGS = {
    "new highs": ("rules.trigger=new_high",),
    "breakouts": ("rules.trigger=breakout", "signal.base=20", "rules.hold_days=20"),
    "support": ("rules.trigger=support_held", "signal.base=20", "signal.confirm=3"),
    "stops": ("rules.trailing_stop=0.2", "rules.stop_loss=0.15", "rules.index_drawdown=0.05"),
    "filters": (
        "filters.vix.level=20",
        "filters.vix.on_exit=true",
        "filters.index_trend.window=50",
    ),
    "delay": ("rules.entry_delay_days=3", "asset=BTC", "costs.cash_rate=0.04"),
    "vol target": ("size.mode=vol_target", "size.scale_in_days=5", "size.rebalance_threshold=0.05"),
    "basket": ("asset=ALTS", "basket.weights=inverse_vol", "rules.hold_days=30"),
    "idle": ("idle.asset=BTC", "idle.weight=0.5", "rules.hold_days=20"),
    "hourly": ("data.timeframe=1h", "rules.hold_days=10", "rules.trailing_stop=0.1"),
    "impact": ("costs.impact=square_root", "asset=SOL", "rules.hold_days=10"),
}


def config_of(name: str, *, data_dir: Path = DATA) -> Config:
    """Return one of the configs on files of a folder."""
    given = (f"data.data_dir={data_dir}", "data.source=files", *CONFIGS[name])
    return load_config(None, overrides=given)


def differences(
    config: Config, inputs: Inputs, *, most: int | None, seed: int = 0
) -> Iterator[str]:
    """Yield where an evening and the whole backtest disagree: around fills, and at random.

    `most` is how many evenings are asked, None every one.
    """
    whole = build_market(config, inputs)
    traded = whole.traded
    # what an order moves its price by depends on the volume of the day that fills it
    digits = 1e-9 if config.costs.impact == "none" else 2e-3
    fills = simulate(traded, config).fills
    rows = traded.times.get_indexer(pd.DatetimeIndex(fills["time"].unique()))
    places = np.arange(len(traded)) if most is None else _sample(rows, len(traded), most, seed)
    for place in places[(places > 2) & (places < len(traded))]:
        instant = int(traded.lines["bar_end"][place - 1] * NANOSECONDS)
        # another future, then cut: it must not matter
        future = FUTURES[int(place) % len(FUTURES)]
        world = world_at(world_at(inputs, config, instant, future=future), config, instant)
        market = build_market(config, world)
        closed = closing_of(market.traded, config)
        opens = _opens(whole, market, int(place))
        order = order_due(config, market, closed, opens=opens)
        due = fills[fills["time"] == traded.times[place]]
        if text := _difference(order, due, digits=digits):
            yield f"{traded.times[place]}: {text}"


def _sample(rows: Integers, bars: int, most: int, seed: int) -> Integers:
    """Return some bars around those with fills, and some at random."""
    rng = np.random.default_rng(seed)
    others = rng.integers(2, bars, most // 3)
    near = np.concatenate([rows, rows + 1, rows - 1])
    return np.unique(np.concatenate([rng.permutation(near)[: most - others.size], others]))


def _opens(whole: Market, market: Market, place: int) -> Floats:
    """Return the next opens of the coins that an evening knows."""
    lines = whole.traded.coins
    return np.array([lines[symbol]["open"][place] for symbol in market.tape.coins])


def _difference(order: Order | None, due: pd.DataFrame, *, digits: float) -> str:
    filled = {row.symbol: row.units * (1 if row.side == "buy" else -1) for row in due.itertuples()}
    ordered = {} if order is None else dict(order.units)
    if filled.keys() != ordered.keys():
        return f"ordered {ordered}, filled {filled}"
    if any(not np.isclose(ordered[coin], filled[coin], rtol=digits) for coin in filled):
        return f"ordered {ordered}, filled {filled}"
    if order is not None and {order.reason} != set(due["reason"]):
        return f"reason {order.reason}, filled for {set(due['reason'])}"
    return ""


if __name__ == "__main__":
    count, *names = sys.argv[1:]
    for named in names or CONFIGS:
        chosen = config_of(named)
        loaded = load_inputs(chosen)
        found = list(differences(chosen, loaded, most=None if count == "all" else int(count)))
        sys.stdout.write(
            f"{named}: {len(found)} differences\n" + "".join(f"  {x}\n" for x in found[:5])
        )
        sys.stdout.flush()
