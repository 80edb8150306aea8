import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from backtests.config.config import Config, load_config
from backtests.config.short_names import whole_keys
from feeds.errors import ConfigError


def keys_of(**given: object) -> dict[str, object]:
    return whole_keys(given, model=Config)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("hold_days", "rules.hold_days"),
        ("lookback", "signal.lookback"),
        ("commission_bps", "costs.commission_bps"),
        ("members", "basket.members"),
        ("seed", "significance.seed"),
        ("asset", "asset"),
        ("index", "index.symbol"),
        ("source", "data.source"),
        ("timeframe", "data.timeframe"),
    ],
)
def test_whole_keys_last_part_is_found(name, key):
    assert keys_of(**{name: 1}) == {key: 1}


def test_whole_keys_sections_are_opened_and_empty_ones_stay():
    given = keys_of(rules={"hold_days": 9}, filters={"vix": {}, "m2": {"lag_days": 3}})
    assert given == {"rules.hold_days": 9, "filters.vix": {}, "filters.m2.lag_days": 3}


def test_whole_keys_values_are_made_plain():
    given = keys_of(data_dir=Path("bars"), hold_days=np.int64(9), members=("ADA", "SOL"))
    assert given == {
        "data.data_dir": "bars", "rules.hold_days": 9, "basket.members": ["ADA", "SOL"],
    }  # fmt: skip
    assert type(given["rules.hold_days"]) is int


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"hold_dys": 9}, r"^`hold_dys` is not a setting. The nearest is `hold_days`.$"),
        ({"sorce": "x"}, r"^`sorce` is not a setting. The nearest is `source`.$"),
        ({"rule": 9}, r"^`rule` is not a setting. The nearest is `rules`, a section.$"),
        ({"qqq": 9}, r"^`qqq` is not a setting. See configs/eth.toml for all keys.$"),
        ({"rules": 5}, r"^`rules` must be a section, received 5.$"),
        ({"rules": {"hold_dys": 9}}, r"^`rules.hold_dys` is not .* nearest is `rules.hold_days`.$"),
        ({"hold_days": -1}, r"^`rules.hold_days` must be a whole number at least 0 .*-1.$"),
    ],
)
def test_load_config_wrong_keyword_is_refused_with_the_nearest(given, message):
    with pytest.raises(ConfigError, match=message):
        load_config(**given)


def test_whole_keys_ambiguous_name_asks_which():
    class Other(Config):
        """A config with two settings of one name."""

        costs_too: type(Config().costs) = Config().costs

    with pytest.raises(
        ConfigError,
        match=r"`slippage_bps` is the name of 2 settings, costs.slippage_bps and "
        r'costs_too.slippage_bps. Say which: settings={"costs.slippage_bps": ...}',
    ):
        whole_keys({"slippage_bps": 1}, model=Other)


def test_load_config_preset_takes_keywords_over_its_own_settings():
    config = load_config("eth", hold_days=17, start=dt.date(2020, 1, 2))
    assert (config.asset, config.rules.hold_days, config.data.start) == ("ETH", 17, "2020-01-02")


def test_load_config_folder_alone_means_files(tmp_path):
    assert load_config(data_dir=tmp_path).data.source == "files"
    assert load_config(data_dir=tmp_path, source="sample").data.source == "sample"


def test_load_config_preset_in_capitals_is_offered_the_nearest():
    with pytest.raises(ConfigError, match=r"ETH: no such file.*The nearest preset is eth\."):
        load_config("ETH")
