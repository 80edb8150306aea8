"""What tells regimes apart is taken from what is at hand, and never stops or changes a run."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from backtests.config.config import load_config
from backtests.engines.backtest import run_inputs
from backtests.market.inputs import Inputs
from backtests.market.regime_series import LIQUIDITY, VIX, regime_series
from backtests.records.run_files import manifest_json
from feeds.series_sources import load_series
from tests.judged import files_of
from tests.markets import coin_walk, index_walk

CREATED = pd.Timestamp("2026-01-01", tz="UTC")


@pytest.fixture(scope="module")
def inputs():
    return Inputs(index_walk(400, seed=3), (coin_walk(200, seed=7, start="2020-05-01"),))


def config_of(folder, *more):
    settings = ("signal.min_history=20", "signal.base=5", "rules.hold_days=20", *more)
    return load_config(None, flags={"data.data_dir": str(folder)}, overrides=settings)


def save(folder, name, *, first="2020-01-01", days=300, every="D"):
    dates = pd.date_range(first, periods=days, freq=every)
    values = 20 + np.sin(np.arange(days))
    frame = pd.DataFrame({"date": dates.strftime("%Y-%m-%d"), "value": values})
    frame.to_csv(folder / f"{name}_series.csv", index=False)


def test_series_in_the_data_folder_are_read_and_named_with_their_digest(tmp_path, inputs):
    save(tmp_path, "VIXCLS")
    for part in ("WALCL", "WTREGEN", "RRPONTSYD"):
        save(tmp_path, part, days=60, first="2020-01-01", every="7D")
    run = run_inputs(config_of(tmp_path), inputs, engine="fast")
    assert run.regime_series.read == (VIX, LIQUIDITY)
    assert not run.regime_series.missing
    listed = json.loads(manifest_json(run, created=CREATED))["series"]
    wanted = load_series("VIXCLS", source="files", data_dir=str(tmp_path))
    assert [each["only_for"] for each in listed] == ["regimes", "regimes"]
    assert (listed[0]["name"], listed[0]["sha256"]) == ("VIXCLS", wanted.sha256)
    assert listed[1]["name"] == "NET_LIQUIDITY"


def test_run_is_the_same_with_and_without_them(tmp_path, inputs):
    bare = tmp_path / "bare"
    bare.mkdir()
    save(tmp_path, "VIXCLS")
    runs = [run_inputs(config_of(each), inputs, engine="fast") for each in (tmp_path, bare)]
    assert [bool(run.regime_series.found) for run in runs] == [True, False]
    assert runs[1].regime_series.missing == {VIX: False, LIQUIDITY: False}
    one, two = map(files_of, runs)
    assert {name for name in one if one[name] != two[name]} == {"config.toml"}  # its data folder


def test_series_that_cannot_be_read_is_said_and_stops_nothing(tmp_path, inputs):
    (tmp_path / "VIXCLS_series.csv").write_text("date,value\n2020-01-02,calm\n")
    found = regime_series(config_of(tmp_path), inputs)
    assert not found.found
    assert found.missing == {VIX: True, LIQUIDITY: False}


def test_series_of_a_filter_is_taken_as_the_run_reads_it(tmp_path, inputs):
    save(tmp_path, "VIXCLS")
    own = load_series("VIXCLS", source="files", data_dir=str(tmp_path), lag_days=5)
    found = regime_series(config_of(tmp_path), replace(inputs, series={"VIXCLS": own}))
    assert found.found[VIX] is own
    assert found.read == ()


def test_made_up_bars_are_given_no_real_series(tmp_path, inputs):
    save(tmp_path, "VIXCLS")
    made_up = replace(inputs, index=replace(inputs.index, source="sample"))
    assert regime_series(config_of(tmp_path), made_up).missing == {VIX: False, LIQUIDITY: False}


def test_live_source_takes_what_the_cache_holds_and_asks_nobody(tmp_path, inputs):
    """A vendor that was asked in vain would leave a series unreadable, not absent."""
    config = config_of(tmp_path, "data.source=auto", f"data.cache_dir={tmp_path / 'cache'}")
    assert regime_series(config, inputs).missing == {VIX: False, LIQUIDITY: False}
