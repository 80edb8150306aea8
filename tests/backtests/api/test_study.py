import pandas as pd
import pytest

import backtests as bt
from backtests.study import main
from feeds.errors import ConfigError

QUICK = {"source": "sample", "draws": 200, "horizons": [30, 90]}


def test_study_is_what_the_command_finds(tmp_path):
    found = bt.study("breakout", asset="BTC", **QUICK)
    given = ["--event", "breakout", "--asset", "BTC", "--source", "sample", "--draws", "200"]
    assert main([*given, "--horizons", "30,90", "--out", str(tmp_path), "--quiet"]) == 0
    folder = next(tmp_path.iterdir())
    for name, table in (("horizons", found.effects), ("episodes", found.episodes)):
        written = pd.read_csv(folder / f"{name}.csv").drop(columns="study")
        assert table.columns.tolist() == written.columns.tolist()
        numbers = written.select_dtypes("number").columns
        pd.testing.assert_frame_equal(
            table[numbers], written[numbers], check_dtype=False, rtol=1e-12
        )
    page = found.page(tmp_path / "own.html")
    assert page.read_bytes() == (folder / "study.html").read_bytes()


def test_study_of_several_assets_has_a_row_and_a_sentence_each():
    found = bt.study("new_high", assets="btc, ETH", **QUICK)
    assert found.effects["asset"].tolist() == ["BTC", "BTC", "ETH", "ETH"]
    assert found.findings["asset"].tolist() == ["BTC", "ETH"]
    text = repr(found)
    assert "BTC: " in text
    assert "ETH: " in text
    assert set(found.paths["asset"]) == {"BTC", "ETH"}


def test_study_of_a_claim_carries_its_verdict():
    found = bt.study(claim="three-earlier-highs", **QUICK)
    assert found.study.name == "three-earlier-highs"
    assert found.judged[0].verdict in ("supported", "not supported", "too little data to tell")
    assert found.verdict.startswith("As stated: ")
    assert ". As evidence: " in found.verdict
    assert "The three earlier episodes" in found._repr_html_()


def test_study_of_own_bars_is_that_of_the_source():
    inputs = bt.load("ETH", source="sample")
    own = bt.study("breakout", index=inputs.index, coin=inputs.coins[0], draws=200, horizons=30)
    same = bt.study("breakout", asset="ETH", source="sample", draws=200, horizons=[30])
    pd.testing.assert_frame_equal(own.effects, same.effects)


def test_study_event_and_settings_of_a_config_hold():
    config = bt.load_config(asset="ETH", trigger="breakout", source="sample")
    found = bt.study(config=config, horizon_days=30, draws=200, horizons=[30])
    assert found.findings.loc[0, ["event", "asset", "horizon_days"]].tolist() == [
        "breakout", "ETH", 30,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"event": "new_hihg"}, "`event` must be one of new_high.*The nearest is 'new_high'"),
        ({"claim": "three-earlier"}, "`claim` 'three-earlier' is no .*'three-earlier-highs'"),
        ({"claim": "breakout", "event": "breakout"}, "`claim` brings its own event and config"),
        ({"event": "breakout", "draw": 3}, "`draw` is not a setting. The nearest is `draws`"),
        ({"event": "breakout", "asset": "A", "assets": "B"}, "`asset` and `assets` say the same"),
    ],
)
def test_study_what_is_wrong_is_said(given, message):
    with pytest.raises(ConfigError, match=message):
        bt.study(**given, source="sample")
