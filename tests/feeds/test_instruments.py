import pandas as pd
import pytest

from feeds.errors import ConfigError
from feeds.files import Files
from feeds.instruments import coin, index, nearest_index, yahoo_symbol


@pytest.mark.parametrize(
    ("name", "symbol", "at_yahoo"),
    [
        ("russell2000", "RUT", "^RUT"),
        ("RUT", "RUT", "^RUT"),
        ("russell2000value", "RUJ", "^RUJ"),
        ("IWM", "IWM", "IWM"),
        ("IWN", "IWN", "IWN"),
        ("sp500", "SPX", "^GSPC"),
        ("SPX", "SPX", "^GSPC"),
        ("vix", "VIX", "^VIX"),
        ("QQQ", "QQQ", "QQQ"),
    ],
)
def test_index_by_a_friendly_name_has_its_symbols(name, symbol, at_yahoo):
    assert index(name).symbol == symbol
    assert yahoo_symbol(index(name)) == at_yahoo


@pytest.mark.parametrize(
    ("name", "nearest"), [("^RUTT", "RUT"), ("rusell2000", "RUT"), ("RUJ", ""), ("QQQQ", "")]
)
def test_unknown_index_is_told_the_nearest_one(name, nearest):
    assert nearest_index(name) == (f" The nearest is {nearest!r}." if nearest else "")


def test_coin_whose_ticker_yahoo_gives_to_another_has_its_number():
    assert yahoo_symbol(coin("ETH")) == "ETH-USD"
    assert yahoo_symbol(coin("UNI")) == "UNI7083-USD"


def test_value_index_is_stood_in_for_by_its_fund():
    assert index("russell2000value").stand_in == index("IWN")
    assert index("RUT").stand_in is None
    assert coin("RUJ").stand_in is None


def test_name_that_is_no_symbol_is_refused():
    with pytest.raises(ConfigError, match="`asset` must be a plain symbol"):
        coin("../ETH")


def test_files_of_the_value_index_take_the_fund_with_a_note(tmp_path):
    row = {"date": ["2024-01-02"], "open": 1.0, "high": 2.0, "low": 0.5, "close": 1.5}
    pd.DataFrame(row).to_csv(tmp_path / "IWN_1d.csv", index=False)
    bars = Files(tmp_path).load(index("russell2000value"), timeframe="1d")
    assert bars.origin == "IWN_1d.csv"
    assert "IWN_1d.csv stands in for it" in bars.notes[0]
