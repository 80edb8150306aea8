import pandas as pd
import pytest

from feeds.errors import ConfigError, DataError
from feeds.files import Files
from feeds.instruments import coin, index

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
