"""Drawn configs and seeded walks of everything an engine can be asked to keep."""

import dataclasses
import os

import numpy as np
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from backtests.config.config import Config, load_config
from backtests.market.inputs import Inputs
from feeds import instruments
from feeds.bars import Bars
from tests.markets import coin_walk, index_walk


def drawn_times(count: int) -> settings:
    """Return the settings of a test on `count` drawn configs, more where EXAMPLES_TIMES says so.

    It shrinks nothing, which would take longer than reading the failure.
    """
    return settings(
        max_examples=count * int(os.environ.get("EXAMPLES_TIMES", "1")),
        deadline=None,
        phases=(Phase.explicit, Phase.reuse, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )


fractions = st.one_of(st.just(0.0), st.floats(0.01, 0.5))

rules = st.fixed_dictionaries(
    {
        "trigger": st.sampled_from(["new_high", "breakout", "support_held", "any"]),
        "hold_days": st.one_of(st.just(0), st.integers(1, 200)),
        "exit_on_support_lost": st.booleans(),
        "trailing_stop": fractions,
        "stop_loss": fractions,
        "index_drawdown": fractions,
        "entry_delay_days": st.one_of(st.just(0), st.integers(1, 90)),
    }
)
signal = st.fixed_dictionaries(
    {
        "lookback": st.one_of(st.just("all"), st.integers(5, 300)),
        "min_history": st.integers(5, 252),
        "base": st.integers(1, 100),
        "tolerance": st.floats(0, 0.1),
        "confirm": st.integers(1, 10),
        "window": st.integers(5, 80),
        "retest": st.booleans(),
    }
)
size = st.one_of(
    st.fixed_dictionaries({"fraction": st.one_of(st.just(1.0), st.floats(0.01, 1.0))}),
    st.fixed_dictionaries(
        {
            "mode": st.just("vol_target"),
            "vol_target": st.floats(0.05, 2.0),
            "vol_lookback": st.integers(2, 60),
        }
    ),
)
costs = st.fixed_dictionaries(
    {
        "initial_cash": st.floats(1.0, 1e9),
        "commission_bps": st.one_of(st.just(0.0), st.floats(0, 500)),
        "slippage_bps": st.one_of(st.just(0.0), st.floats(0, 500)),
        "cash_rate": st.one_of(st.just(0.0), st.floats(0, 0.2)),
    }
)
# with a start a run opens in the state the rule would be in; the walks begin in spring
data = st.fixed_dictionaries(
    {"start": st.sampled_from(["", "", "2019-05-02", "2019-07-21", "2020-05-10", "2020-08-01"])}
)
configs = st.builds(
    lambda **sections: Config.model_validate(sections),
    data=data,
    rules=rules,
    signal=signal,
    size=size,
    costs=costs,
)


upkeep = {
    "size.mode": st.sampled_from(["fraction", "vol_target"]),
    "size.fraction": st.sampled_from([0.5, 1.0]),
    "size.vol_lookback": st.integers(2, 40),
    "size.max_weight": st.sampled_from([0.6, 1.0]),
    "size.scale_in_days": st.sampled_from([1, 4, 30]),
    "size.rebalance_threshold": st.sampled_from([0.0, 0.02, 0.2]),
    "idle.asset": st.sampled_from(["", "", "AAA", "BTC"]),
    "idle.weight": st.sampled_from([0.3, 1.0]),
}
basket = {
    "basket.weights": st.sampled_from(["equal", "inverse_vol", "momentum"]),
    "basket.rebalance": st.sampled_from(["never", "weekly", "monthly"]),
    "basket.max_coin_weight": st.sampled_from([0.4, 1.0]),
    "basket.delisting_return": st.sampled_from([0.0, -0.5, -1.0]),
    "basket.weight_lookback_days": st.integers(2, 30),
    "basket.min_age_days": st.integers(0, 30),
    "basket.select": st.sampled_from(["all", "dollar_volume"]),
    "basket.min_members": st.just(1),
    "basket.top": st.integers(1, 3),
}
gates = {
    "filters.index_trend.window": st.sampled_from([10, 50, 200]),
    "filters.index_trend.on_exit": st.booleans(),
    "filters.index_trend.unknown": st.sampled_from(["block", "pass"]),
}
starts = st.fixed_dictionaries({"start": st.sampled_from(["", "", "2019-05-02", "2019-07-21"])})
sections = {"rules": rules, "signal": signal, "costs": costs, "data": starts}


def flat(section: str, given: dict[str, object]) -> dict[str, object]:
    return {f"{section}.{key}": value for key, value in given.items()}


kept = st.builds(
    lambda own, asset, **parts: load_config(
        None,
        flags={"asset": asset}
        | own
        | {key: value for part, given in parts.items() for key, value in flat(part, given).items()},
    ),
    own=st.one_of(
        st.fixed_dictionaries(upkeep | basket), st.fixed_dictionaries(upkeep | basket | gates)
    ),
    asset=st.sampled_from(["ALTS", "ALTS", "AAA"]),
    **sections,
)


def charged(config: Config, coefficient: float) -> Config:
    """The config with the impact of its fills charged."""
    impact = {"impact": "square_root", "impact_coefficient": coefficient}
    return config.model_copy(update={"costs": config.costs.model_copy(update=impact)})


def named(name: str, bars: Bars) -> Bars:
    volume = 1e6 + 1e5 * np.sin(np.arange(len(bars.frame)) / (5 + ord(name[0]) % 7))
    return dataclasses.replace(
        bars, instrument=instruments.coin(name), frame=bars.frame.assign(volume=volume)
    )


def walks(seed: int, config: Config) -> Inputs:
    """An index and coins of which one is listed late, one halts, and one dies."""
    first = named("AAA", coin_walk(300, seed=seed, start="2019-03-01"))
    late = named("BBB", coin_walk(180, seed=seed + 1, start="2019-06-29"))
    dead = named("CCC", coin_walk(150, seed=seed + 2, start="2019-03-01", drift=-0.01))
    halting = dead.frame.drop(dead.frame.index[60:64])
    coins = (first, late, dataclasses.replace(dead, frame=halting))
    idle = {"AAA": first, "BTC": named("BTC", coin_walk(300, seed=seed + 3, start="2019-03-01"))}
    return Inputs(
        index_walk(500, seed=seed, end="2020-02-28"),
        coins if config.asset == "ALTS" else (first,),
        idle=idle.get(config.idle.asset),
    )
