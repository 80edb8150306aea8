"""Functions of the package written again as a plug-in give the same, in every command."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtests import run
from backtests.analysis.run_figures import summarise
from backtests.config.config import Config, load_config
from backtests.config.plugins import config_texts, load_plugin, ship
from backtests.engines.backtest import Engine, Run, run_inputs
from backtests.market.inputs import Inputs
from backtests.search.plan import Plan, load_plan
from backtests.search.trials.evaluate import evaluate
from backtests.search.trials.kernel import FIGURES
from backtests.search.trials.trial_library import Library
from backtests.search.walkforward.walk import walk_forward
from backtests.search.walkforward.windows import WindowSettings
from backtests.sweep import main as sweep
from feeds.bars import Bars
from feeds.errors import ConfigError
from feeds.instruments import coin
from tests.markets import coin_walk, index_walk

PLUGIN = """
import numpy as np
import pandas as pd
from backtests import exit, filter, selection, signal, sizing, weighting

@signal("own_high")
def own_high(index, *, history: int = 20):
    highest = index["close"].cummax().shift(1)
    return (index["close"] > highest) & (np.arange(len(index)) >= history)

@signal("own_recent_high")
def own_recent_high(index, *, sessions: int = 20):
    return index["close"] > index["close"].shift(1).rolling(sessions).max()

@signal("silent")
def silent(index):
    return np.zeros(len(index), bool)

@filter("own_average")
def own_average(index, *, window: int = 30):
    mean = index["close"].rolling(window).mean()
    return np.where(mean.isna(), np.nan, index["close"] > mean)

@exit("two_falls")
def two_falls(coin):
    fell = coin["close"].diff() < 0
    return fell & fell.shift(1, fill_value=False)

@sizing("own_half")
def own_half(coin, *, part: float = 0.5):
    return np.full(len(coin), part)

@weighting("own_equal")
def own_equal(coins):
    return np.where(coins.alive, 1.0, np.nan)

@selection("own_volume")
def own_volume(coins, *, days: int = 10):
    return np.array(pd.DataFrame(coins.money).rolling(days, min_periods=(days + 1) // 2).mean())
"""
STRATEGY = """
import backtrader as bt
from strategies.position_rule import step

class Hold(bt.Strategy):
    def next_open(self):
        if not self.position and self.data.index_close[0] > 0:
            self.buy(size=0.5 * self.broker.getcash() / self.data.open[0])

def same(*arguments):
    return step(*arguments)
"""
SMALL = {
    "asset": "AAA", "signal.min_history": 20, "rules.hold_days": 15, "rules.trigger": "new_high",
    "rules.exit_on_support_lost": False,
}  # fmt: skip
ENGINES: tuple[Engine, ...] = ("backtrader", "fast")


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    path = tmp_path / "my_rules.py"
    path.write_text(PLUGIN)
    return path


def config_of(plugin: Path | None = None, **flags: Any) -> Config:
    own = {"plugins": [str(plugin)]} if plugin else {}
    changed = {key.replace("__", "."): value for key, value in flags.items()}
    return load_config(None, flags=SMALL | own | changed)


def named(name: str, seed: int) -> Bars:
    bars = coin_walk(300, seed=seed, start="2018-03-01")
    volume = np.random.default_rng(seed).uniform(1, 9, 300)
    return replace(bars, instrument=coin(name), frame=bars.frame.assign(volume=volume))


def inputs_of(*names: str) -> Inputs:
    coins = tuple(named(name, seed) for seed, name in enumerate(names or ("AAA",), start=7))
    return Inputs(index_walk(300, seed=3, end="2018-12-31"), coins)


def assert_same_run(one: Run, other: Run, *, but_for: tuple[str, ...] = ()) -> None:
    left, right = (each.strategy.fills.drop(columns=list(but_for)) for each in (one, other))
    pd.testing.assert_frame_equal(left, right, check_exact=True)
    pd.testing.assert_series_equal(one.strategy.equity, other.strategy.equity, check_exact=True)
    first, second = (pd.DataFrame(summarise(each).figures) for each in (one, other))
    pd.testing.assert_frame_equal(first, second, check_exact=True)
    assert len(one.strategy.fills) > 1


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("own", "built_in", "coins"),
    [
        ({"rules.trigger": "own_high"}, {}, ("AAA",)),
        ({"rules.trigger": ["own_high", "silent"]}, {}, ("AAA",)),
        ({"rules.trigger": {"all": ["own_high", "new_high"]}}, {}, ("AAA",)),
        (
            {"filters.mine.kind": "own_average"},
            {"filters.index_trend.window": 30},
            ("AAA",),
        ),
        ({"size.mode": "own_half"}, {"size.fraction": 0.5}, ("AAA",)),
        (
            {"asset": "ALTS", "basket.weights": "own_equal"},
            {"asset": "ALTS", "basket.weights": "equal"},
            ("AAA", "BBB"),
        ),
        (
            {"asset": "ALTS", "basket.select": "own_volume"},
            {"asset": "ALTS", "basket.select": "dollar_volume"},
            ("AAA", "BBB", "CCC"),
        ),
    ],
    ids=["signal", "any", "all", "filter", "sizing", "weighting", "selection"],
)
def test_function_written_again_gives_the_same_run(plugin, engine, own, built_in, coins):
    basket = {"top": 2, "min_members": 1, "min_age_days": 0, "volume_window_days": 10}
    both = {"basket": basket} if len(coins) > 1 else {}
    flags = {"basket." + key: value for key, value in both.get("basket", {}).items()}
    one, other = (
        run_inputs(
            load_config(None, flags=SMALL | {"plugins": [str(plugin)]} | flags | given),
            inputs_of(*coins),
            engine=engine,
        )
        for given in (own, built_in)
    )
    assert_same_run(one, other, but_for=("reason",))


def test_own_exit_sells_at_the_open_after_its_bar(plugin):
    config = config_of(plugin, rules__exits=["two_falls"], rules__hold_days=0)
    runs = [run_inputs(config, inputs_of(), engine=engine) for engine in ENGINES]
    pd.testing.assert_frame_equal(runs[0].strategy.fills, runs[1].strategy.fills, rtol=1e-9)
    fills, close = runs[0].strategy.fills, inputs_of().coins[0].frame["close"]
    sales = fills[fills["side"] == "sell"]
    assert (sales["reason"] == "two_falls").all()
    for time in sales["time"]:
        before = close[:time].iloc[:-1]
        assert (before.diff().iloc[-2:] < 0).all()


def test_own_trigger_is_named_in_the_reason_of_its_fills(plugin):
    result = run_inputs(config_of(plugin, rules__trigger="own_high"), inputs_of())
    bought = result.strategy.fills[result.strategy.fills["side"] == "buy"]
    assert bought["reason"].str.contains("own").all()


def plan_of(tmp_path: Path, plugin: Path, *, trigger: str, key: str) -> Plan:
    file = tmp_path / f"{trigger}.toml"
    file.write_text(
        f'asset = "AAA"\nplugins = ["{plugin}"]\n[signal]\nmin_history = 20\n'
        f'[rules]\ntrigger = "{trigger}"\n[sweep]\n"{key}" = [10, 20, 40]\n'
        '"rules.hold_days" = [5, 20]\n'
    )
    return load_plan(file)


def test_sweep_over_an_own_parameter_equals_each_run(tmp_path, plugin):
    plan = plan_of(
        tmp_path, plugin, trigger="own_recent_high", key="signal.own_recent_high.sessions"
    )
    found = evaluate(plan.base, plan.columns(0), library=Library(load=lambda _: inputs_of()))
    assert found.failures == [None] * 6
    columns = plan.columns(0)
    for row, figures in enumerate(found.figures):
        own = {key: column.values[column.codes[row]] for key, column in columns.items()}
        expected = summarise(run_inputs(plan.config(own), inputs_of())).figures["strategy"]
        np.testing.assert_allclose(figures, [expected[name] for name in FIGURES], rtol=1e-9)
    assert len(np.unique(found.figures[:, 0])) > 3


def test_sweep_and_walk_of_a_signal_written_again_are_the_same(tmp_path, plugin):
    plans = [
        plan_of(tmp_path, plugin, trigger="own_high", key="costs.commission_bps"),
        plan_of(tmp_path, plugin, trigger="new_high", key="costs.commission_bps"),
    ]
    tables, returns = [], []
    for plan in plans:
        library = Library(load=lambda _: inputs_of())
        tables.append(evaluate(plan.base, plan.columns(0), library=library).figures)
        windows = WindowSettings(train_days=100, test_days=50, embargo_days=2)
        returns.append(walk_forward(plan, settings=windows, library=library))
    np.testing.assert_array_equal(tables[0], tables[1])
    pd.testing.assert_series_equal(returns[0].returns, returns[1].returns, check_exact=True)
    assert [each.values for each in returns[0].chosen] == [
        each.values for each in returns[1].chosen
    ]


def test_shipped_plugin_is_used_where_its_file_is_not(plugin):
    config = config_of(plugin, rules__trigger="own_high")
    texts = config_texts(config)
    here = run_inputs(config, inputs_of())
    plugin.unlink()
    with pytest.raises(ConfigError, match="needs this file"):
        config_of(plugin, rules__trigger="own_high")
    ship(texts)
    assert_same_run(run_inputs(config_of(plugin, rules__trigger="own_high"), inputs_of()), here)


@pytest.fixture
def strategy(tmp_path: Path) -> Path:
    path = tmp_path / "my_strategy.py"
    path.write_text(STRATEGY)
    return path


def test_own_strategy_class_runs_with_all_files(strategy, tmp_path, monkeypatch):
    out = tmp_path / "out"
    own = ("--set", f'strategy="{strategy}:Hold"', "--set", "rules.hold_days=15")
    assert run.main(["--source", "sample", "--out", str(out), *own]) == 0
    (folder,) = out.iterdir()
    names = {path.name for path in folder.iterdir()}
    assert {"metrics.json", "equity.csv", "fills.csv", "trades.csv", "tearsheet.html"} <= names
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["own_code"][0]["sha256"] == load_plugin(strategy, key="strategy").sha256
    fills = pd.read_csv(folder / "fills.csv")
    assert fills["side"].tolist() == ["buy"]
    assert fills["reason"].tolist() == ["strategy"]


def test_own_step_that_is_ours_gives_our_run(strategy):
    ours = run_inputs(config_of(), inputs_of())
    own = run_inputs(config_of(strategy=f"{strategy}:same"), inputs_of())
    assert_same_run(own, ours)


def test_own_strategy_is_refused_by_the_fast_engine(strategy):
    config = config_of(strategy=f"{strategy}:same")
    with pytest.raises(ConfigError, match="`engine` must be 'backtrader' for `strategy`"):
        run_inputs(config, inputs_of(), engine="fast")


def test_sweep_of_an_own_strategy_gives_each_run(tmp_path, strategy):
    config = config_of(strategy=f"{strategy}:same")
    file = tmp_path / "sweep.toml"
    file.write_text(f'{config.to_toml()}\n[sweep]\n"rules.hold_days" = [5, 20]\n')
    plan = load_plan(file)
    found = evaluate(plan.base, plan.columns(0), library=Library(load=lambda _: inputs_of()))
    assert found.failures == [None, None]
    for days, figures in zip((5, 20), found.figures, strict=True):
        chosen = config_of(rules__hold_days=days)
        expected = summarise(run_inputs(chosen, inputs_of())).figures["strategy"]
        np.testing.assert_allclose(figures, [expected[name] for name in FIGURES], rtol=1e-9)


SWEEP = """
asset = "ETH"
plugins = ["my_rules.py"]
[rules]
trigger = "own_high"
[data]
source = "sample"
[sweep]
chunk = 4
"signal.own_high.history" = [20, 100, 300]
"rules.hold_days" = [5, 20]
"""


def test_sweep_on_workers_ships_the_plugin_and_resume_wants_it_unchanged(
    tmp_path, plugin, monkeypatch, capsys
):
    (tmp_path / "sweep.toml").write_text(SWEEP)
    given = ["--config", str(tmp_path / "sweep.toml"), "--out"]
    assert sweep([*given, str(tmp_path / "threads")]) == 0

    from backtests.search import cluster_tasks

    hidden = plugin.with_suffix(".away")
    monkeypatch.setattr(
        cluster_tasks,
        "config_texts",
        lambda config: (config_texts(config), plugin.rename(hidden))[0],
    )
    assert sweep([*given, str(tmp_path / "workers"), "--workers", "1"]) == 0
    assert hidden.exists()
    tables = [sorted((tmp_path / each).glob("*/trials/*")) for each in ("threads", "workers")]
    assert [path.read_bytes() for path in tables[0]] == [path.read_bytes() for path in tables[1]]
    plugin.write_text(PLUGIN + "\n")
    (folder,) = (tmp_path / "threads").iterdir()
    (folder / "trials" / "part-000001.parquet").unlink()
    capsys.readouterr()
    assert sweep(["--resume", str(folder)]) == 2
    assert "own_high changed since" in capsys.readouterr().err
    plugin.write_text(PLUGIN)
    assert sweep(["--resume", str(folder)]) == 0
