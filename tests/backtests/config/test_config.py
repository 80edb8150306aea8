import pytest

from backtests.config.config import Config, load_config
from feeds.errors import ConfigError


def test_load_config_nothing_given_is_all_defaults():
    assert load_config(None) == Config()


def test_load_config_order_is_file_then_set_then_flags(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('asset = "BTC"\n[signal]\nlookback = 100\nbase = 30\n[rules]\nhold_days = 10\n')
    config = load_config(
        path,
        overrides=["signal.lookback=200", "signal.base=40"],
        flags={"signal.base": 50, "asset": None},
    )
    assert config.asset == "BTC"
    assert config.signal.lookback == 200
    assert config.signal.base == 50
    assert config.rules.hold_days == 10


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("signal.lookback=all", "all"),
        ('signal.lookback="all"', "all"),
        ("signal.lookback = 252", 252),
    ],
)
def test_load_config_set_reads_values_as_toml(override, expected):
    assert load_config(None, overrides=[override]).signal.lookback == expected


def test_to_toml_read_back_is_the_same_config(tmp_path):
    config = load_config(None, overrides=["costs.initial_cash=12345.678901234567", "asset=BTC"])
    path = tmp_path / "config.toml"
    path.write_text(config.to_toml())
    again = load_config(path)
    assert again == config
    assert again.to_toml() == config.to_toml()


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2018-01-01", "2018-01-01"),
        ("2018-01-01T00:00:00", "2018-01-01"),
        ("2018-01-01 23:59:59.999", "2018-01-01"),
        ("2018-01-01T12:00:00Z", "2018-01-01"),
        ("2018-01-01T20:00:00-05:00", "2018-01-02"),  # the day of its instant in UTC
        ('"2018-01-01"', "2018-01-01"),
        ('"2018-01-01T12:00:00"', "2018-01-01"),
        ('"20180101"', "2018-01-01"),
        ('""', ""),
    ],
)
def test_load_config_dates_and_instants_mean_their_day(written, day, tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(f"[data]\nstart = {written}\nend = {written}\n")
    data = load_config(path).data
    assert (data.start, data.end) == (day, day)
    assert load_config(None, overrides=[f"data.start={written}"]).data.start == day
    again = tmp_path / "again.toml"
    again.write_text(load_config(path).to_toml())
    assert load_config(again) == load_config(path)


def test_load_config_byte_order_mark_is_no_fault(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text('asset = "BTC"\n', encoding="utf-8-sig")
    assert load_config(path).asset == "BTC"


def test_load_config_set_takes_one_value_and_no_further_lines():
    with pytest.raises(ConfigError, match=r"`signal\.base` must be a whole number"):
        load_config(None, overrides=["signal.base=5\nasset='BTC'"])


@pytest.mark.parametrize(
    ("overrides", "series"),
    [
        (["filters.vix.level=20"], "VIX"),
        (["filters.mine.series=My_Flows"], "My_Flows"),
        (["filters.mine.kind=series"], "MINE"),
        (["filters.a gate.kind=moving_average"], ""),
    ],
)
def test_load_config_filters_say_what_they_read(overrides, series):
    (found,) = load_config(None, overrides=overrides).filters.values()
    assert found.series == series


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "signal.lookbak=5",
            "`signal.lookbak` is not a setting. The nearest is `signal.lookback`.",
        ),
        ("sigal.lookback=5", "`sigal` is not a setting. The nearest is"),
        ("zzz=5", "`zzz` is not a setting. See configs/eth.toml"),
        (
            "signal.lookback=-5",
            '`signal.lookback` must be a whole number from 1 to 10000, or "all", received -5.',
        ),
        ("signal.lookback=most", "or \"all\", received 'most'"),
        (
            "costs.commission_bps=-1",
            "`costs.commission_bps` must be a number at least 0 and at most 5000, received -1.",
        ),
        ("costs.initial_cash=0", "`costs.initial_cash` must be a number above 0"),
        (
            "costs.impact=linear",
            "`costs.impact` must be one of 'none', 'square_root', received 'linear'.",
        ),
        ("costs.impact_coefficient=-1", "`costs.impact_coefficient` must be a number at least 0"),
        ("costs.impact_coefficient=inf", "`costs.impact_coefficient` must be a number at least 0"),
        ("costs.slippage_bps=nan", "`costs.slippage_bps` must be a number at least 0"),
        ("rules.hold_days=2.5", "`rules.hold_days` must be a whole number at least 0"),
        ('rules.hold_days="60"', "`rules.hold_days` must be a whole number"),
        ("rules.exit_on_support_lost=yes", "must be true or false, received 'yes'"),
        (
            "rules.trigger=newhigh",
            "must be one of 'new_high', 'breakout', 'support_held', 'any', received 'newhigh'",
        ),
        (
            "data.start=2024-13-01",
            "`data.start` must be YYYY-MM-DD from 1700 to 2200, or empty, received",
        ),
        ("signal=5", "`signal` must be a section, received 5"),
        ("signal", "`--set` takes section.key=value, received 'signal'"),
        (
            "filters.vix.levl=3",
            "`filters.vix.levl` is not a setting. The nearest is `filters.vix.level`.",
        ),
        ("filters.vix=3", "`filters.vix` must be a section, received 3."),
        ("filters.vix.rule=over", "`filters.vix.rule` must be one of 'above', 'below', 'rising'"),
        ("basket.weights=abc", "must be one of 'equal', 'inverse_vol', 'market_cap', 'momentum'"),
        ("basket.members=SOL", "`basket.members` must be a list of coins"),
        ("asset.name=5", "`asset` must be a plain symbol of letters and digits, such as ETH or "),
        (
            "signal.lookback.x=5",
            '`signal.lookback` must be a whole number from 1 to 10000, or "all"',
        ),
    ],
)
def test_load_config_wrong_input_is_one_helpful_line(override, message):
    with pytest.raises(ConfigError) as raised:
        load_config(None, overrides=[override])
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_load_config_two_faults_are_counted():
    with pytest.raises(ConfigError, match=r"received -1\. \(1 more wrong\.\)$"):
        load_config(None, overrides=["signal.base=-1", "signal.confirm=-1"])


def test_load_config_start_after_end_names_both():
    with pytest.raises(ConfigError, match="received 2024-01-02 and 2020-01-01"):
        load_config(None, flags={"data.start": "2024-01-02", "data.end": "2020-01-01"})


def test_load_config_missing_or_broken_file_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        load_config(tmp_path / "none.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("asset = ETH\n")
    with pytest.raises(ConfigError, match="not valid TOML"):
        load_config(broken)


def test_config_claim_is_optional_and_its_keys_are_checked(tmp_path):
    assert load_config(None).claim is None
    assert "claim" not in load_config(None).to_toml()
    preset = tmp_path / "claim.toml"
    preset.write_text('[claim]\nstatment = "It follows."\n')
    with pytest.raises(ConfigError, match=r"`claim\.statment` is not .*`claim\.statement`"):
        load_config(preset)
    preset.write_text('[claim]\nsource = "s"\nsupport = "s"\n')
    with pytest.raises(ConfigError, match=r"`claim\.statement` must be text, received nothing"):
        load_config(preset)
    words = "".join(f'{key} = "x"\n' for key in ("statement", "source", "support"))
    preset.write_text(f"[claim]\n{words}assets = 3\n")
    with pytest.raises(ConfigError, match=r"`claim\.assets` must be a list of names, received 3"):
        load_config(preset)
