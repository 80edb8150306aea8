import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from feeds.errors import DataError
from feeds.instruments import coin, index
from feeds.reading import Choices, read_bars, read_series
from feeds.reading.dialects import table as dialect_table

NEW_YORK = Choices(zone="America/New_York")
PRICES = {"open": [10.5, 11.0], "high": [12.0, 13.0], "low": [9.0, 10.0], "close": [11.0, 12.0]}
DAYS = ["2024-01-02", "2024-01-03"]


def read(tmp_path, content, *, instrument, timeframe="1h", choices=None, name="file.csv"):
    path = tmp_path / name
    path.write_text(content)
    return read_bars(path, instrument=instrument, timeframe=timeframe, choices=choices or Choices())


def hours(header, *stamps):
    return "\n".join([header, *(f"{stamp},1.5,2,1,1.75" for stamp in stamps)])


OWN = "date,open,high,low,close"
PLAIN = "Date,Open,High,Low,Close"


@pytest.mark.parametrize("header", [OWN, PLAIN])
def test_zone_is_that_of_an_index_without_one(tmp_path, header):
    content = hours(header, "2024-01-02 09:30:00", "2024-07-02 09:30:00")
    bare = read(tmp_path, content, instrument=index("RUT"))
    assert bare.frame["date"].dt.tz is None
    zoned = read(tmp_path, content, instrument=index("RUT"), choices=NEW_YORK)
    expected = pd.DatetimeIndex(["2024-01-02 14:30Z", "2024-07-02 13:30Z"])
    assert (pd.DatetimeIndex(zoned.frame["date"]) == expected).all()
    assert zoned.notes[-1] == "file.csv: stamps without a zone read as America/New_York"


def test_zone_is_not_that_of_stamps_that_have_one_of_our_own_coins_or_of_sessions(tmp_path):
    zulu = hours(OWN, "2024-01-02T14:30:00Z")
    own_coin = hours(OWN, "2024-01-02 14:00:00")
    day = hours(OWN, "2024-01-02")
    for content, instrument, timeframe in (
        (zulu, index("RUT"), "1h"),
        (own_coin, coin("BTC"), "1h"),
        (day, index("RUT"), "1d"),
        (day, coin("BTC"), "1d"),
    ):
        options = {"instrument": instrument, "timeframe": timeframe}
        plain = read(tmp_path, content, **options)
        chosen = read(tmp_path, content, choices=NEW_YORK, **options)
        assert chosen.frame.equals(plain.frame)


def test_zone_of_an_exported_coin_without_one_is_the_chosen_one(tmp_path):
    content = hours(PLAIN, "2024-01-02 09:00:00")
    table = read(tmp_path, content, instrument=coin("BTC"), choices=NEW_YORK)
    assert table.frame["date"][0] == pd.Timestamp("2024-01-02 14:00Z")


@pytest.mark.parametrize("stamp", ["2024-03-10 02:30:00", "2024-11-03 01:30:00"])
def test_zone_whose_clock_shows_a_stamp_never_or_twice_is_refused(tmp_path, stamp):
    with pytest.raises(DataError, match=f"line 2: {stamp[:16]}.*shows this twice or never"):
        read(tmp_path, hours(PLAIN, stamp), instrument=index("RUT"), choices=NEW_YORK)


@pytest.mark.parametrize("zone", ["-05:00", "+01:00", "+09:00"])
def test_midnights_of_a_zone_are_the_sessions_of_an_index(tmp_path, zone):
    content = hours(OWN, *(f"{day} 00:00:00{zone}" for day in DAYS))
    table = read(tmp_path, content, instrument=index("RUT"), timeframe="1d")
    assert table.frame["date"].tolist() == list(map(pd.Timestamp, DAYS))
    assert table.notes == ("file.csv: midnights of a zone, read as that day's session",)


def test_midnights_of_a_zone_are_instants_of_a_coin(tmp_path):
    content = hours(OWN, *(f"{day} 00:00:00-05:00" for day in DAYS))
    table = read(tmp_path, content, instrument=coin("BTC"), timeframe="1d")
    assert table.frame["date"][0] == pd.Timestamp("2024-01-02 05:00Z")


def test_price_at_midnight_closes_the_day_before(tmp_path):
    content = (
        "snapped_at,price,market_cap,total_volume\n"
        "2025-05-08 00:00:00 UTC,97026.49,1927134557858.27,64376174032.08\n"
        "2025-05-09 00:00:00 UTC,103076.28,2047000000000.0,64000000000.0\n"
    )
    table = read(tmp_path, content, instrument=coin("BTC"), timeframe="1d")
    assert table.frame["date"].tolist() == [
        pd.Timestamp("2025-05-07", tz="UTC"),
        pd.Timestamp("2025-05-08", tz="UTC"),
    ]
    assert table.frame["close"].tolist() == [97026.49, 103076.28]
    assert table.frame["quote_volume"].tolist() == [64376174032.08, 64000000000.0]
    assert table.is_close_only
    assert "is the close of the bar before it" in table.notes[0]


def test_close_is_never_the_adjusted_one(tmp_path):
    for header in ("Date,Adj Close,Close", "Date,Close,Adj Close"):
        adjusted = header.split(",").index("Adj Close")
        cells = ["2024-01-02", "10.5", "10.5"]
        cells[adjusted] = "9.75"
        table = read(
            tmp_path, f"{header}\n{','.join(cells)}\n", instrument=index("IWM"), timeframe="1d"
        )
        assert table.frame["close"].tolist() == [10.5]


def test_caution_is_said_of_a_fund_and_not_of_an_index(tmp_path):
    content = "Price,Close,High,Low,Open\nTicker,X,X,X,X\nDate,,,,\n2024-01-02,1.5,2,1,1.25\n"
    dividends = "Date,Open,High,Low,Close,Dividends,Stock Splits\n2024-01-02,1.25,2,1,1.5,0,0\n"
    fund = read(tmp_path, dividends, instrument=index("IWM"), timeframe="1d")
    assert "unless auto_adjust was off" in fund.notes[0]
    assert fund.readings == ()  # what is uncertain is warned of
    real = read(tmp_path, dividends, instrument=index("RUT"), timeframe="1d")
    assert "auto_adjust" not in real.notes[0]
    assert real.readings == real.notes
    assert read(tmp_path, content, instrument=index("X"), timeframe="1d").lines.tolist() == [4]


TICKERS = (
    "Price,Close,Close,High,High,Low,Low,Open,Open\nTicker,BTC-USD,ETH-USD,BTC-USD,ETH-USD,"
    "BTC-USD,ETH-USD,BTC-USD,ETH-USD\nDate,,,,,,,,\n2024-01-02,5.5,55,6,60,4,40,5,50\n"
)


def test_tickers_in_columns_give_the_one_asked_for(tmp_path):
    for instrument, close in ((coin("BTC"), 5.5), (coin("ETH"), 55)):
        table = read(tmp_path, TICKERS, instrument=instrument, timeframe="1d")
        assert table.frame["close"].tolist() == [close]
    by_ticker = TICKERS.split("\n")
    swapped = "\n".join([by_ticker[1], by_ticker[0], *by_ticker[2:]])
    assert read(tmp_path, swapped, instrument=coin("ETH"), timeframe="1d").frame["low"][0] == 40
    with pytest.raises(DataError, match=r"holds 2 tickers \(BTC-USD, ETH-USD\).*SOL-USD"):
        read(tmp_path, TICKERS, instrument=coin("SOL"), timeframe="1d")


def test_tickers_in_rows_give_the_one_asked_for(tmp_path):
    rows = ["Date,Ticker,Open,High,Low,Close"]
    rows += [f"2024-01-02,{ticker},1.5,2,1,1.75" for ticker in ("BTCUSDT", "ETHUSDT", "BTCUSDT")]
    table = read(tmp_path, "\n".join(rows), instrument=coin("BTC"), timeframe="1d")
    assert table.lines.tolist() == [2, 4]
    with pytest.raises(DataError, match=r"holds 2 tickers \(BTCUSDT, ETHUSDT\)"):
        read(tmp_path, "\n".join(rows), instrument=coin("SOL"), timeframe="1d")
    alone = "\n".join(rows[:2]).replace("BTCUSDT", "BTCEUR")
    with pytest.raises(DataError, match="holds 'BTCEUR', not BTC-USD"):
        read(tmp_path, alone, instrument=coin("BTC"), timeframe="1d")


def frames():
    plain = pd.DataFrame({"date": DAYS, **PRICES})
    days = plain.assign(date=pd.to_datetime(plain["date"]))
    levels = days.set_index("date")
    levels.columns = pd.MultiIndex.from_product(
        [levels.columns.str.title(), ["^RUT"]], names=["Price", "Ticker"]
    )
    return {
        "texts": plain,
        "days": days,
        "zoned": days.assign(date=days["date"].dt.tz_localize("America/New_York")),
        "days as index": days.set_index("date"),
        "nameless index": days.set_index("date").rename_axis(None),
        "stacked": days.assign(ticker="^RUT").set_index(["ticker", "date"]),
        "two levels": levels,
        "two levels, ticker first": levels.swaplevel(axis=1),
        "date32": days.assign(date=[dt.date.fromisoformat(day) for day in DAYS]),
        "decimals": days.assign(close=[Decimal("11"), Decimal("12")]),
        "numbers as texts": days.assign(close=["11.0", "12.0"]),
        "integers": days.assign(close=np.array([11, 12], np.int32)),
        "categories": plain.assign(date=plain["date"].astype("category")),
        "epochs": days.assign(date=days["date"].astype("datetime64[ms]").astype("int64")),
        "other names": days.rename(columns=str.upper),
    }


@pytest.mark.parametrize("shape", list(frames()))
def test_parquet_of_any_shape_gives_the_same_bars(tmp_path, shape):
    path = tmp_path / "RUT_1d.parquet"
    frames()[shape].to_parquet(path)
    frame = read_bars(path, instrument=index("RUT"), timeframe="1d").frame
    assert frame["date"].tolist() == list(map(pd.Timestamp, DAYS))
    assert {name: frame[name].tolist() for name in PRICES} == PRICES


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"close": [True, False]}, "row 1: column `close`: 'True' is not a number"),
        ({"close": [11.0, float("inf")]}, "row 2: column `close`: 'inf' is not a number"),
        ({"close": [[1], [2]]}, "is not a number"),
        ({"close": ["x", "12"]}, "row 1: column `close`: 'x' is not a number"),
        (
            {"date": [np.datetime64("1500-01-01", "us"), np.datetime64("2024-01-03", "us")]},
            "row 1: column `date`",
        ),
        ({"date": [None, "2024-01-03"]}, "row 1: column `date`: '' is not a date"),
        ({"close": [{"a": 1}, {"a": 2}]}, "is not a number"),
    ],
)
def test_parquet_of_odd_cells_names_them(tmp_path, change, message):
    path = tmp_path / "RUT_1d.parquet"
    pd.DataFrame({"date": DAYS, **PRICES}).assign(**change).to_parquet(path)
    with pytest.raises(DataError, match=message):
        read_bars(path, instrument=index("RUT"), timeframe="1d")


def test_parquet_without_rows_or_columns_is_refused(tmp_path):
    path = tmp_path / "RUT_1d.parquet"
    for frame in (pd.DataFrame(), pd.DataFrame({"date": [], "close": []})):
        frame.to_parquet(path)
        with pytest.raises(DataError, match="RUT_1d.parquet: no rows"):
            read_bars(path, instrument=index("RUT"), timeframe="1d")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("date,value\n2024-01-02,1.5\n2024-01-03,\n", [1.5, None]),
        ("Date;Value\n02.01.2024;1,5\n13.01.2024;2,5\n", [1.5, 2.5]),
        ("\ufeffDATE,M2\n2024-01-02,1.5\n2024-01-03,.\n", [1.5, None]),
        ("when,flows\n", None),
        ("date,Flows,other\n2024-01-02,-1.5,7\n", [-1.5]),
        ("date,x\n2024-01-02,3.5%\n2024-01-03,-1.25%\n", [3.5, -1.25]),
        ("date,x\n2024-01-02,(3.5)\n2024-01-03,1.25\n", [-3.5, 1.25]),
        ("time,value\n1704153600,1.5\n", [1.5]),
        ("date,x,y\n2024-01-02,1,2\n", None),
        ("date,value\n2024-01-02 16:00,1.5\n", None),
        ("date,value\n2024-01-02T16:00:00Z,1.5\n", None),
        ("date,x\n2024-01-02,3.5%\n2024-01-03,1.25\n", None),
    ],
)
def test_series_are_read_in_any_form_or_refused(tmp_path, content, expected):
    path = tmp_path / "FLOWS_series.csv"
    path.write_text(content)
    if expected is None:
        with pytest.raises(DataError, match="^FLOWS_series.csv: "):
            read_series(path, name="FLOWS")
        return
    frame = read_series(path, name="FLOWS").frame
    np.testing.assert_array_equal(frame["value"], np.array(expected, float))
    assert frame["date"][0] == pd.Timestamp("2024-01-02")


def test_table_of_dialects_holds_together():
    known = dialect_table()
    assert len(known.dialects) > 10
    for dialect in known.dialects:
        assert dialect.title
        assert "date" in dialect.columns
        assert {"close", "value"} & set(dialect.columns)
        for name in (*dialect.marks, *(n for names in dialect.columns.values() for n in names)):
            assert name == name.casefold() or name.startswith("/")
            assert "_" not in name
    assert all(len(shape.roles) > 5 for shape in known.headless)
