"""Audit random configs and functions that see no future (python -m tests.clean_audits 500).

Each is drawn from its number: triggers, stops, filters, delays, baskets, an idle asset, hourly
bars, signals, filters, exits and sizings of one's own. The audit must find nothing in any.
"""

import random
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

import numpy as np
import pandas as pd

from backtests.config.config import Config, load_config
from backtests.lookahead_audit import Audit, audit_of
from backtests.market.inputs import Inputs
from feeds import instruments
from feeds.bars import Bars
from feeds.releases import SERIES
from feeds.series import Series, validated_series
from strategies import decorators
from tests.leaks import CLEAN, m2_by_date
from tests.markets import coin_walk, index_walk
from tests.scripted import frame_of

SESSIONS: Final = 300
LAST: Final = "2019-12-31"
TRIGGERS: Final = ("any", "new_high", "breakout", "support_held", "clean_signal")
COINS: Final = ("AAA", "BBB", "CCC")


Function = TypeVar("Function", bound=Callable[..., Any])
_own: Final[list[Callable[[], object]]] = []


def own(
    register: Callable[[str], Callable[[Any], Any]], name: str
) -> Callable[[Function], Function]:
    """Register a function whenever a config is drawn: other tests take it out again."""

    def keep(function: Function) -> Function:
        _own.append(lambda: register(name)(function))
        return function

    return keep


@own(decorators.signal, "clean_signal")
def clean_signal(index: pd.DataFrame, *, kind: int = 0, window: int = 20) -> pd.Series:
    """One of the clean functions."""
    return CLEAN[kind](index, window=window)


@own(decorators.signal, "clean_pair")
def clean_pair(index: pd.DataFrame, coin: pd.DataFrame, *, days: int = 5) -> pd.Series:
    """The coin lags behind the index."""
    moved = index["close"].pct_change(days)
    return moved > coin["close"].pct_change(days)


@own(decorators.filter, "clean_filter")
def clean_filter(index: pd.DataFrame, m2sl: pd.Series, *, window: int = 40) -> pd.Series:
    """Money grows, or the index is above its mean."""
    return (m2sl > m2sl.shift(30)) | (index["close"] > index["close"].rolling(window).mean())


@own(decorators.exit, "clean_exit")
def clean_exit(coin: pd.DataFrame, index: pd.DataFrame, *, days: int = 5) -> pd.Series:
    """The coin falls while the index does."""
    return (coin["close"] < coin["close"].shift(days)) & (index["close"].diff() < 0)


@own(decorators.sizing, "clean_sizing")
def clean_sizing(coin: pd.DataFrame, *, days: int = 10) -> pd.Series:
    """Less while the coin is volatile."""
    volatility = coin["close"].pct_change().rolling(days).std()
    return (0.02 / volatility).clip(0.1, 1.0)


@own(decorators.weighting, "clean_weighting")
def clean_weighting(coins: Any) -> Any:
    """By price."""
    return coins.close


def drawn_flags(rng: random.Random) -> dict[str, Any]:
    """Return the settings of one config, by whole key."""
    found: dict[str, Any] = {
        "signal.min_history": 30,
        "signal.base": rng.choice([5, 20]),
        "signal.lookback": rng.choice(["all", 40, 100]),
        "signal.retest": rng.random() < 0.3,
        "rules.trigger": _drawn_trigger(rng),
        "rules.hold_days": rng.choice([0, 5, 30, 90]),
        "rules.entry_delay_days": rng.choice([0, 0, 1, 10]),
        "rules.exit_on_support_lost": rng.random() < 0.5,
        "rules.stop_loss": rng.choice([0.0, 0.1]),
        "rules.trailing_stop": rng.choice([0.0, 0.15]),
        "rules.index_drawdown": rng.choice([0.0, 0.05]),
        "index.delay_minutes": rng.choice([0, 0, 30, 600]),
        "size.scale_in_days": rng.choice([1, 1, 4]),
        "size.rebalance_threshold": rng.choice([0.0, 0.05]),
        "asset": rng.choice(["AAA", "AAA", "ALTS"]),
        "idle.asset": rng.choice(["", "", "BTC", "AAA"]),
    }
    if "clean_signal" in str(found["rules.trigger"]):
        own = {"kind": rng.randrange(len(CLEAN)), "window": rng.randint(2, 60)}
        found |= {f"signal.clean_signal.{key}": value for key, value in own.items()}
    for part in (_filters(rng), _basket(rng), _single(rng, found)):
        found |= part
    return found


def _drawn_trigger(rng: random.Random) -> Any:
    names = rng.sample(TRIGGERS[1:], k=2)
    return rng.choice([rng.choice(TRIGGERS), "clean_signal", names, {"all": names}])


def _filters(rng: random.Random) -> dict[str, Any]:
    ready: Mapping[str, dict[str, Any]] = {
        "trend": {"filters.index_trend.window": 20},
        "strength": {"filters.small_caps_lead.window": 20},
        "money": {"filters.m2.on_exit": True},
        "own": {"filters.mine.kind": "clean_filter", "filters.mine.unknown": "pass"},
    }
    return {
        key: value for name in ready if rng.random() < 0.25 for key, value in ready[name].items()
    }


def _basket(rng: random.Random) -> dict[str, Any]:
    return {
        "basket.weights": rng.choice(["equal", "inverse_vol", "momentum", "clean_weighting"]),
        "basket.select": rng.choice(["all", "dollar_volume"]),
        "basket.top": 2,
        "basket.min_members": 1,
        "basket.min_age_days": rng.choice([0, 10]),
        "basket.volume_window_days": 10,
        "basket.weight_lookback_days": 5,
        "basket.rebalance": rng.choice(["never", "weekly", "monthly"]),
    }


def _single(rng: random.Random, found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what only a run of one coin has: own exits and sizings, hourly bars."""
    own: dict[str, Any] = {"size.mode": rng.choice(["fraction", "vol_target", "clean_sizing"])}
    if rng.random() < 0.3:
        own["rules.exits"] = ["clean_exit"]
    if found["asset"] == "ALTS":
        return own
    if rng.random() < 0.15:
        own["rules.trigger"] = ["clean_pair", "new_high"]
    if rng.random() < 0.1:
        own |= {"data.timeframe": "1h", "idle.asset": ""}
    return own


def inputs_of(config: Config, seed: int) -> Inputs:
    """Return walks of everything a config may read."""
    hourly = config.data.timeframe == "1h"
    coins = tuple(
        _hours(seed) if hourly else _coin(name, seed + place)
        for place, name in enumerate(COINS if config.asset == "ALTS" else COINS[:1])
    )
    spx = replace(_index(seed + 9), instrument=instruments.index("SPX"))
    idle = {"BTC": _coin("BTC", seed + 7), "AAA": coins[0]}
    reads_m2 = any(each.kind != "relative_strength" for each in config.filters.values())
    return Inputs(
        _index(seed),
        coins,
        idle=idle.get(config.idle.asset),
        benchmarks={"SPX": spx},
        series={"M2SL": m2_series(lagged=True)} if reads_m2 else {},
    )


def m2_series(*, lagged: bool) -> Series:
    """Return a money supply with its release calendar, or as if known on its own date."""
    values = m2_by_date()
    raw = pd.DataFrame({"date": values.index.strftime("%Y-%m-%d"), "value": values.astype(str)})
    return validated_series(
        raw,
        name="M2SL",
        units="USD billion",
        release=SERIES["M2SL"].release if lagged else lambda dates: dates.tz_localize("UTC"),
        source="test",
        origin="test",
    )


def _index(seed: int) -> Bars:
    return index_walk(SESSIONS, seed=seed, end=LAST, drift=0.0008)


def _coin(name: str, seed: int) -> Bars:
    days = {"BBB": 180, "CCC": 200}.get(name, 330)
    start = "2019-07-05" if name == "BBB" else "2019-02-05"
    bars = coin_walk(days, seed=seed, start=start)
    volume = np.random.default_rng(seed).uniform(1, 9, days) * 1e6
    frame = bars.frame.assign(volume=volume)
    return replace(bars, instrument=instruments.coin(name), frame=frame)


def _hours(seed: int) -> Bars:
    times = pd.date_range("2019-10-01", f"{LAST} 23:00", freq="h", tz="UTC")
    return Bars(instruments.coin("AAA"), "1h", frame_of(times, seed=seed), "test", "walk")


def drawn_config(number: int) -> tuple[Config, int]:
    """Return the config of a number, and the seed of its inputs."""
    for register in _own:
        register()
    rng = random.Random(number)  # noqa: S311 (no secret)
    config = load_config(None, flags=drawn_flags(rng))
    return config, rng.randrange(10**6)


def audits(numbers: range) -> Iterator[tuple[int, Audit]]:
    """Yield the audit of each number's config."""
    for number in numbers:
        config, seed = drawn_config(number)
        yield number, audit_of(config, inputs_of(config, seed))


def main() -> None:
    count, first = (int(text) for text in (*sys.argv[1:], *("500", "0")[len(sys.argv) - 1 :]))
    alarms = 0
    for number, found in audits(range(first, first + count)):
        sys.stderr.write(f"\r{number}")
        if not found.ok:
            alarms += 1
            # at once: whoever stops the rest has to know of those so far
            sys.stdout.write(f"{number}: {found.leaks[0].text}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{alarms} false alarms in {count} audits, {alarms / count:.2%}\n")


if __name__ == "__main__":
    main()
