import pandas as pd
import pytest

from feeds.errors import ConfigError, DataError
from feeds.files import Files, bar_file, bar_files, files_of, labels
from feeds.instruments import coin, index
from feeds.universe import altcoins

BARS = "date,open,high,low,close\n2024-01-02,10,12,9,11\n2024-01-03,11,12,10,12\n"


@pytest.mark.parametrize(
    ("name", "instrument", "timeframe"),
    [
        ("RUT_1d.csv", index("RUT"), "1d"),
        ("rut_1D.CSV", index("RUT"), "1d"),
        ("RUT.csv", index("RUT"), "1d"),
        ("^RUT.csv", index("RUT"), "1d"),
        ("^GSPC.csv", index("SPX"), "1d"),
        ("btc-usd_1d.csv", coin("BTC"), "1d"),
        ("BTC-USD.csv", coin("BTC"), "1d"),
        ("BTCUSDT_1h.parquet", coin("BTC"), "1h"),
        ("XBTUSD_1440.csv", coin("BTC"), "1d"),
        ("XBTUSD_60.csv", coin("BTC"), "1h"),
        ("ARBUSD.csv", coin("ARB"), "1d"),
        ("DOTUSD_1d.csv", coin("DOT"), "1d"),
        ("UNI7083-USD.csv", coin("UNI"), "1d"),
        ("ETH-BTC_4h.csv", coin("ETH-BTC"), "4h"),
        ("BTCUSDT-1d-2024-01.csv", coin("BTC"), "1d"),
        ("BTCUSDT-1h-2024-01-31.zip", coin("BTC"), "1h"),
        ("Binance_BTCUSDT_d.csv", coin("BTC"), "1d"),
        ("INDEX_BTCUSD, 1D.csv", coin("BTC"), "1d"),
        ("IWM_1d.csv.gz", index("IWM"), "1d"),
        ("ETH-USD_5m.csv", coin("ETH"), "5m"),
    ],
)
def test_name_of_a_file_says_instrument_and_length(tmp_path, name, instrument, timeframe):
    file = bar_file(tmp_path / name)
    assert (file.instrument, file.timeframe) == (instrument, timeframe)


@pytest.mark.parametrize(
    "name",
    ["M2SL_series.csv", "README.md", "notes.txt", "RUT_1d.docx", "Bitcoin Historical Data.csv"],
)
def test_name_of_another_file_is_none_of_bars(tmp_path, name):
    assert bar_file(tmp_path / name) is None


def written(folder, *names):
    for name in names:
        (folder / name).write_text(BARS)
    return folder


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("RUT.csv", "RUT_1d.csv"), "two files of 1d bars: RUT.csv and RUT_1d.csv"),
        (("RUT_1d.csv", "rut_1d.csv"), "two files of 1d bars: RUT_1d.csv and rut_1d.csv"),
        (("RUT_1d.csv", "RUT_1d.parquet"), "RUT_1d.csv and RUT_1d.parquet. Keep one of them"),
        (("^RUT.csv", "RUT_1d.csv", "RUT.csv"), "has 3 files of 1d bars"),
        (("RUT_1d_a.csv", "RUT_1d_A.csv"), "two files of 1d bars from a"),
    ],
)
def test_two_files_of_one_symbol_are_an_error_that_names_both(tmp_path, names, message):
    written(tmp_path, *names)
    with pytest.raises(DataError, match=message):
        Files(tmp_path).load(index("RUT"), timeframe="1d")


def test_files_of_another_length_or_symbol_are_no_second_file(tmp_path):
    written(tmp_path, "RUT_1d.csv", "RUT_1h.csv", "IWM.csv", "RUT-USD_1d.csv")
    assert len(Files(tmp_path).load(index("RUT"), timeframe="1d")) == 2


def test_parts_of_one_series_are_one_and_of_two_pairs_are_two(tmp_path):
    written(tmp_path, "BTCUSDT-1d-2024-01.csv", "BTCUSDT-1d-2024-02.csv")
    files = files_of(bar_files(tmp_path), coin("BTC"), "1d")
    assert [path.name for path in files[""]] == ["BTCUSDT-1d-2024-01.csv", "BTCUSDT-1d-2024-02.csv"]
    written(tmp_path, "BTCUSDC-1d-2024-01.csv")
    with pytest.raises(DataError, match="two files of 1d bars: BTCUSDC-1d-2024-01.csv and BTCUSDT"):
        files_of(bar_files(tmp_path), coin("BTC"), "1d")


def test_further_sources_stand_beside_the_main_one_but_for_adjusted_prices(tmp_path):
    written(tmp_path, "RUT.csv", "RUT_1d_fred.csv", "RUT_1d_adjusted_close.csv")
    files = files_of(bar_files(tmp_path), index("RUT"), "1d")
    assert {source: paths[0].name for source, paths in files.items()} == {
        "": "RUT.csv",
        "fred": "RUT_1d_fred.csv",
    }


def test_listing_universe_and_error_name_the_same_coins(tmp_path):
    written(
        tmp_path, "ETH-USD.csv", "solusdt_1d.csv", "ADAUSDT-1d-2024-01.csv", "RUT.csv", ".x.csv"
    )
    assert labels(bar_files(tmp_path), kind="coin", timeframe="1d") == ["ADA", "ETH", "SOL"]
    found = altcoins("files", data_dir=str(tmp_path), timeframe="1d")
    assert [one.symbol for one in found] == ["ADA-USD", "SOL-USD"]
    with pytest.raises(DataError, match=r"`asset` XYZ has no bars: .*There are: ADA, ETH, SOL\."):
        Files(tmp_path).load(coin("XYZ"), timeframe="1d")


def test_coin_whose_file_is_named_like_a_fund_is_told_how_to_name_it(tmp_path):
    written(tmp_path, "BTC.csv")
    with pytest.raises(DataError, match=r"BTC.csv is named like a fund: call it BTC-USD if it is"):
        Files(tmp_path).load(coin("BTC"), timeframe="1d")


CSV = "date,open,high,low,close,volume\n2024-01-02,10,12,9,11,5\n2024-01-03,11,12,10,12,\n"


def test_load_csv_and_parquet_give_the_same_bars(tmp_path):
    (tmp_path / "ETH-USD_1d.csv").write_text(CSV)
    from_csv = Files(tmp_path).load(coin("ETH"), timeframe="1d")
    pd.read_csv(tmp_path / "ETH-USD_1d.csv").to_parquet(tmp_path / "ETH-USD_1d.parquet")
    (tmp_path / "ETH-USD_1d.csv").unlink()
    from_parquet = Files(tmp_path).load(coin("ETH"), timeframe="1d")
    assert from_parquet.origin == "ETH-USD_1d.parquet"
    assert from_parquet.sha256 == from_csv.sha256


def test_load_parquet_with_dates_as_index_is_read(tmp_path):
    frame = pd.read_csv(pd.io.common.StringIO(CSV), parse_dates=["date"], index_col="date")
    frame.to_parquet(tmp_path / "RUT_1d.parquet")
    assert len(Files(tmp_path).load(index("RUT"), timeframe="1d")) == 2


def test_load_unknown_coin_lists_what_there_is(tmp_path):
    (tmp_path / "ETH-USD_1d.csv").write_text(CSV)
    (tmp_path / "RUT_1d.csv").write_text(CSV)
    with pytest.raises(DataError, match=r"`asset` XYZ has no bars: .*There are: ETH\."):
        Files(tmp_path).load(coin("XYZ"), timeframe="1d")
    with pytest.raises(DataError, match=r"`index.symbol` NDX has no bars: .*There are: RUT\."):
        Files(tmp_path).load(index("NDX"), timeframe="1d")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"date,open,high,low,close\n", "no rows"),
        (b"\xff\xfe\x00binary", "line 1: byte 0x79 is no text in UTF-16-LE"),
        (b"\x89binary", "line 1: byte 0x89 is no text in UTF-8"),
        (b'date,open\n"unclosed', "line 2: a quotation mark is opened and not closed"),
    ],
)
def test_load_broken_csv_is_one_clear_error(tmp_path, content, message):
    (tmp_path / "ETH-USD_1d.csv").write_bytes(content)
    with pytest.raises(DataError, match=f"^ETH-USD_1d.csv: {message}"):
        Files(tmp_path).load(coin("ETH"), timeframe="1d")


def test_load_broken_parquet_is_one_clear_error(tmp_path):
    (tmp_path / "ETH-USD_1d.parquet").write_bytes(b"PAR1 but not really")
    with pytest.raises(DataError, match=r"^ETH-USD_1d.parquet: cannot be read"):
        Files(tmp_path).load(coin("ETH"), timeframe="1d")


@pytest.mark.parametrize("folder", ["", "nowhere/at/all"])
def test_files_missing_folder_is_refused(tmp_path, folder):
    path = tmp_path / folder if folder else type(tmp_path)("")
    with pytest.raises(ConfigError, match="`data.data_dir` must be the folder with the bar files"):
        Files(path)


@pytest.mark.parametrize("name", ["../../etc", "ETH/../x", "", "a b", "ETH-USD_1d", "é", "ETH;"])
def test_instrument_odd_symbol_is_refused(name):
    with pytest.raises(ConfigError, match="must be a plain symbol"):
        coin(name)
    with pytest.raises(ConfigError, match="must be a plain symbol"):
        index(name)


def test_instrument_names_map_to_symbols():
    assert coin("eth") == coin("ETH-USD")
    assert coin("eth").label == "ETH"
    assert index("russell2000").symbol == "RUT"
    assert index("russell2000value").symbol == "RUJ"
