import gc
import json

import pandas as pd
import pytest

import backtests as bt
from backtests.api.sweep import SweepResult
from feeds.errors import ConfigError

SAMPLE = {"source": "sample", "start": "2020-01-01"}
AXES = {"hold_days": [20, 40, 60], "signal.base": range(30, 61, 30)}


@pytest.fixture(scope="module")
def found() -> SweepResult:
    return bt.sweep("ETH", AXES, **SAMPLE)


def test_trials_have_settings_and_the_figures_of_single_runs(found):
    trials = found.trials
    assert trials["rules.hold_days"].tolist() == [20, 20, 40, 40, 60, 60]
    assert trials["signal.base"].tolist() == [30, 60] * 3
    single = bt.backtest("ETH", hold_days=40, base=60, engine="fast", **SAMPLE)
    for name in ("cagr", "sharpe_ratio", "max_drawdown", "trades"):
        own = single.figures.loc[name, "strategy"]
        assert trials.loc[3, name] == pytest.approx(own, rel=1e-9), name


def test_best_is_sorted_by_the_figure_asked_for(found):
    assert found.best(2).index.tolist() == [2, 3]
    by_depth = found.best(6, by="max_drawdown")["max_drawdown"]
    assert by_depth.is_monotonic_decreasing
    with pytest.raises(ConfigError, match="`by` must be a figure, one of total_return.*'luck'"):
        found.best(by="luck")


def test_config_of_a_trial_knows_how_many_were_tried(found):
    config = found.config(3)
    assert (config.rules.hold_days, config.signal.base) == (40, 60)
    assert config.significance.tried == 6


def test_judgement_and_verdict_say_what_the_best_is_worth(found):
    assert found.judgement.loc["Trials", "value"] == "6"
    assert found.verdict.startswith("The best row rests on ")
    text = " ".join(repr(found).split())
    assert "6 trials, 0 failed. The best by Sharpe ratio:" in text
    assert found.verdict in text
    assert "<table" in found._repr_html_()


def test_scratch_folder_goes_with_the_object():
    one = bt.sweep("ETH", {"hold_days": [20, 40]}, **SAMPLE)
    folder = one.folder
    assert folder.is_dir()
    del one
    gc.collect()
    assert not folder.parent.exists()


def test_out_keeps_what_the_command_leaves(tmp_path):
    one = bt.sweep("ETH", {"hold_days": [20, 40]}, out=tmp_path / "kept", **SAMPLE)
    names = {path.name for path in one.folder.iterdir()}
    assert names == {"manifest.json", "overfitting.json", "sheet.html", "sweep.toml", "trials"}
    assert json.loads((one.folder / "overfitting.json").read_text())["verdict"] == one.verdict
    assert one.folder.parent == tmp_path / "kept"


def test_axes_take_the_place_of_those_of_a_file(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(
        'asset = "ETH"\n[sweep]\n"rules.hold_days" = [1, 2, 3]\nsignal.base = [30, 60]\n'
    )
    one = bt.sweep(file, {"hold_days": [20, 40]}, **SAMPLE)
    assert sorted(one.plan.keys) == ["rules.hold_days", "signal.base"]
    assert sorted(set(one.trials["rules.hold_days"])) == [20, 40]


def test_random_search_draws_as_many_as_asked_for():
    spread = {"stop_loss": {"from": 0.05, "to": 0.4}}
    one = bt.sweep("ETH", spread, search="random", trials=7, seed=3, **SAMPLE)
    assert len(one.trials) == 7
    assert one.trials["rules.stop_loss"].between(0.05, 0.4).all()


def test_own_bars_are_swept():
    inputs = bt.load("ETH", source="sample")
    one = bt.sweep(
        None, {"hold_days": [20, 40]}, index=inputs.index, coin=inputs.coins[0], start="2020-01-01"
    )
    same = bt.sweep("ETH", {"hold_days": [20, 40]}, **SAMPLE)
    pd.testing.assert_frame_equal(one.trials, same.trials)


def test_sweep_in_which_nothing_traded_shows_itself():
    one = bt.sweep(
        "ETH",
        {"hold_days": [1, 2]},
        source="sample",
        trigger="support_held",
        start="2025-03-01",
        end="2025-05-01",
    )
    assert one.trials["sharpe_ratio"].isna().all()
    assert one.verdict == "Too few trials or bars to judge the best row."
    assert "2 trials, 0 failed" in repr(one)
    assert one.judgement.empty


@pytest.mark.parametrize(
    ("axes", "more", "message"),
    [
        ({"hold_dys": [1]}, {}, "^`hold_dys` is not a setting. The nearest is `hold_days`.$"),
        ({"hold_days": 20}, {}, "`sweep.rules.hold_days` must be a list of values .*received 20"),
        ({"trigger": "any"}, {}, "`sweep.rules.trigger` must be a list .*received 'any'"),
        (None, {}, "`sweep` names no setting to vary"),
        ([20], {}, "what to vary must be a mapping .*received list"),
        ({"hold_days": [1, 2]}, {"objectiv": 1}, "The nearest is `objective`"),
        ({"hold_days": [1, 2]}, {"objective": "luck"}, "`sweep.objective` must be a figure"),
    ],
)
def test_sweep_what_is_wrong_is_said(axes, more, message):
    with pytest.raises(ConfigError, match=message):
        bt.sweep("ETH", axes, **more, **SAMPLE)
