"""Every export in ../shared/exports: first and last row as they stand in the file, or why not.

The truth below was read off the files by eye, not by any program.
"""

import numpy as np
import pandas as pd
import pytest

from feeds.errors import DataError
from feeds.instruments import coin, index
from feeds.reading import Choices, read_bars, read_series

NAN = float("nan")
BTC, ETH = coin("BTC"), coin("ETH")

# file, instrument, timeframe, how it was read, then of the first and last row: date, open, high,
# low, close, volume, line
READ = [
    (
        "yahoo_web_RUT.csv", index("RUT"), "1d",
        "Yahoo: Close is the close, not Adj Close, %Y-%m-%d, oldest first",
        ("1987-09-10", 167.440002, 168.979996, 167.440002, 168.970001, 1798000, 2),
        ("2020-12-31", 1979.930054, 1981.410034, 1963.260010, 1974.859985, 31725100, 25),
    ),
    (
        "yahoo_old_FTT_like_BTC.csv", BTC, "1d",
        "Yahoo: Close is the close, not Adj Close, %Y-%m-%d, oldest first",
        ("2017-01-09", 913.244019, 913.685974, 879.807007, 902.828003, 141876992, 2),
        ("2022-05-09", 34039.796875, 34210.621094, 33247.550781, 33502.292969, 38781562880, 15),
    ),
    (
        "yfinance_multiheader_NDX.csv", index("NDX"), "1d",
        "Yahoo: Close is the close, not Adj Close, %Y-%m-%d, oldest first",
        (
            "1985-10-01", 110.62000274658203, 112.16000366210938, 110.56500244140625,
            112.13999938964844, 153160000, 4,
        ),
        ("2026-02-27", 24808.0, 24987.9609375, 24747.25, 24960.0390625, 9552610000, 21),
    ),
    (
        "yfinance_history_tz_divs.csv", index("AET"), "1d",
        "yfinance history: Close is the close, not Adj Close, %Y-%m-%d %H:%M, newest first",
        ("2022-06-06", *[0.14550000429153442] * 4, 0, 2),
        ("2022-05-09", *[14.550000190734863] * 4, 0, 20),
    ),
    (
        "stooq_spx_d.csv", index("SPX"), "1d", "columns by their names: %Y-%m-%d, oldest first",
        ("1789-05-01", 0.51, 0.51, 0.51, 0.51, 0, 2),
        ("2025-01-08", 5905.49, 5921.43, 5874.88, 5887.56, 670843730, 25),
    ),
    (
        "stooq_ethusd_d.csv", ETH, "1d", "columns by their names: %Y-%m-%d, oldest first",
        ("2015-08-07", 3, 3, 3, 3, 0, 2),
        ("2025-01-08", 3394.835, 3414.201, 3207.707, 3239.601, 370037.71537358686, 20),
    ),
    (
        "investing_BTC_2019_bom.csv", BTC, "1d",
        "Investing.com: Price is the close, %b %d, %Y, newest first",
        ("2019-11-25", 6924.7, 7352.8, 6534.8, 7199.4, 1_310_000, 2),
        ("2018-08-01", 7728.5, 7753.2, 7449.2, 7606.4, 237_690, 23),
    ),
    (
        "investing_WTI.csv", index("WTI"), "1d",
        "Investing.com: Price is the close, %b %d, %Y, oldest first",
        ("2017-01-02", 54.09, 54.18, 54.01, 54.03, NAN, 2),
        ("2017-01-25", 52.95, 53.47, 52.56, 52.75, 589_710, 20),
    ),
    (
        "cryptodatadownload_Gemini_ETHUSD_d.csv", ETH, "1d",
        "CryptoDataDownload: epochs in s and ms, newest first, ticker ETH/USD",
        ("2021-07-09T04:00Z", 2120.61, 2189.57, 2065.54, 2151.84, 15905.35565329, 3),
        ("2016-05-09T04:00Z", 0.0, 12.0, 0.0, 9.36, 1376.61476707, 25),
    ),
    (
        "cryptodatadownload_Binance_BTCUSDT_d_mixed_dates.csv", BTC, "1d",
        "CryptoDataDownload: %Y-%m-%d and %m/%d/%Y, newest first, ticker BTCUSDT",
        ("2026-02-27T00:00Z", 67485.19, 68216.8, 64914.46, 65872.1, 21228.58424, 2),
        ("2017-08-17T00:00Z", 4261.48, 4485.39, 4200.74, 4285.08, 795.150377, 25),
    ),
    (
        "binance_vision_BTCUSDT-1h-2025-01_us.csv", BTC, "1h",
        "Binance klines: epochs in µs, oldest first",
        ("2025-01-01T00:00Z", 93576, 94509.42, 93489.03, 94401.14, 755.9901, 1),
        ("2025-01-01T23:00Z", 94802.99, 94952.29, 94542, 94591.79, 436.90784, 24),
    ),
    (
        "binance_vision_BTCUSDT-1h-2024-12_ms.csv", BTC, "1h",
        "Binance klines: epochs in ms, oldest first",
        ("2024-12-01T00:00Z", 96407.99, 96672.49, 96260, 96340.6, 532.95388, 1),
        ("2024-12-01T23:00Z", 97562.56, 97771.04, 97170.5, 97185.18, 949.71316, 24),
    ),
    (
        "binance_vision_ADABTC-1m-2021-11-27_ms.csv", coin("ADA-BTC"), "1h",
        "Binance klines: epochs in ms, oldest first",
        ("2021-11-27T00:00Z", 2.853e-05, 2.854e-05, 2.851e-05, 2.854e-05, 36304.2, 1),
        ("2021-11-27T00:09Z", 2.863e-05, 2.865e-05, 2.863e-05, 2.865e-05, 8160.5, 10),
    ),
    (
        "tradingview_INDEX_BTCUSD_1D.csv", BTC, "1d",
        "TradingView or an exchange's candles: %Y-%m-%d %H:%M, oldest first",
        ("2010-07-17T00:00Z", 0.04951, 0.04951, 0.04951, 0.04951, 20, 2),
        ("2021-04-21T00:00Z", 56493.93, 56818.145, 54334.97749999999, 54530.82, 22979.82255848, 20),
    ),
    (
        "coinmarketcap_historical_bom_comma.csv", BTC, "1d",
        "CoinMarketCap: %Y-%m-%d %H:%M, newest first",
        (
            "2024-09-10T00:00Z", 57020.0984145732, 58029.9774360464, 56419.4128526596,
            57648.7124094767, 28857630506.88, 2,
        ),
        (
            "2023-09-13T00:00Z", 25837.5549632929, 26376.1134693933, 25781.1237276336,
            26228.3240875137, 13072077070.22, 18,
        ),
    ),
    (
        "nasdaq_HistoricalData_MSFT.csv", index("MSFT"), "1d",
        "Nasdaq: Close/Last is the close, %m/%d/%Y, newest first",
        ("2025-05-09", 440.00, 440.74, 435.88, 438.73, 15324230, 2),
        ("2020-05-11", 183.15, 187.51, 182.85, 186.74, 30892660, 20),
    ),
    (
        "barchart_price_history_DOCUMENTED.csv", index("VXX"), "1d",
        "Barchart: Latest is the close, %Y-%m-%d",
        ("2026-05-04", 17.54, 18.09, 17.35, 18.07, 1_195_900, 2),
        ("2026-05-04", 17.54, 18.09, 17.35, 18.07, 1_195_900, 2),
    ),
    (
        "bitstamp_coinbase_candles_mathaszip.csv", BTC, "1d",
        "an exchange's candles: epochs in s, oldest first",
        ("2011-08-18T00:00Z", 10.9, 10.9, 10.9, 10.9, 0.48990826, 2),
        ("2025-09-24T00:00Z", 112017.21, 113950, 111066.07, 113700.11, 2759.81435394, 20),
    ),
]  # fmt: skip
CLOSES = [
    (
        "fred_DATE_VALUE_RU2000PR.csv", index("RUT"),
        "FRED: %Y-%m-%d, oldest first, closes only",
        ("1978-12-29", 100.0, 2),
        ("2019-01-10", 3592.26, 20),
    ),
    (
        "coinmetrics_btc.csv", BTC,
        "CoinMetrics: PriceUSD is the close, %Y-%m-%d, oldest first, closes only",
        ("2009-01-03T00:00Z", NAN, 2),
        ("2019-11-01T00:00Z", 9251.38129345412, 9),
    ),
]  # fmt: skip
REFUSED = [
    (
        "macrotrends_AAPL.csv", index("AAPL"),
        "MacroTrends says above the table that its prices are adjusted for dividends",
    ),
    ("fred_graph_with_preamble.csv", index("RUT"), "`GS10_GS1` and `GS10_TB3MS` can each be"),
    ("ishares_IWM_holdings_2026-01-21.csv", index("IWM"), "names a column of dates"),
    ("ishares_fund_historical_sample.xls", index("IWM"), "is a workbook in XML"),
]  # fmt: skip


@pytest.fixture(scope="module")
def exports(shared_data):
    return shared_data.parent / "exports"


@pytest.mark.parametrize(
    ("name", "instrument", "timeframe", "note", "first", "last"), READ, ids=[r[0] for r in READ]
)
def test_export_first_and_last_rows_are_those_of_the_file(
    exports, name, instrument, timeframe, note, first, last
):
    table = read_bars(exports / name, instrument=instrument, timeframe=timeframe)
    assert table.notes[0] == f"{name}: {note}"
    assert not table.is_close_only
    for row, (date, *numbers, line) in ((0, first), (len(table.frame) - 1, last)):
        assert table.frame["date"][row] == pd.Timestamp(date)
        read = table.frame.loc[row, ["open", "high", "low", "close", "volume"]]
        np.testing.assert_array_equal(read.to_numpy(float), np.array(numbers, float))
        assert table.lines[row] == line


@pytest.mark.parametrize(
    ("name", "instrument", "note", "first", "last"), CLOSES, ids=[c[0] for c in CLOSES]
)
def test_export_of_closes_alone_is_marked_and_right(exports, name, instrument, note, first, last):
    table = read_bars(exports / name, instrument=instrument, timeframe="1d")
    assert table.notes[0] == f"{name}: {note}"
    assert table.is_close_only
    for row, (date, close, line) in ((0, first), (len(table.frame) - 1, last)):
        assert table.frame["date"][row] == pd.Timestamp(date)
        np.testing.assert_equal(table.frame["close"][row], close)
        assert table.lines[row] == line


@pytest.mark.parametrize(("name", "instrument", "reason"), REFUSED, ids=[r[0] for r in REFUSED])
def test_export_that_is_no_certain_bars_is_refused(exports, name, instrument, reason):
    with pytest.raises(DataError, match=reason) as refusal:
        read_bars(exports / name, instrument=instrument, timeframe="1d")
    assert str(refusal.value).startswith(f"{name}: ")
    assert "\n" not in str(refusal.value)


def test_every_export_there_is_has_its_truth_here(exports):
    told = {row[0] for row in (*READ, *CLOSES, *REFUSED)} | {"fred_observation_date_M2SL.csv"}
    assert {path.name for path in exports.iterdir() if path.suffix != ".md"} == told


def test_export_of_money_has_it_beside_the_volume(exports):
    klines = read_bars(
        exports / "binance_vision_BTCUSDT-1h-2024-12_ms.csv", instrument=BTC, timeframe="1h"
    )
    assert klines.frame["quote_volume"].iloc[0] == 51410648.79613400
    capital = read_bars(
        exports / "coinmarketcap_historical_bom_comma.csv", instrument=BTC, timeframe="1d"
    )
    assert capital.frame["market_cap"].iloc[0] == 1138738372572.7
    assert (capital.frame["quote_volume"] == capital.frame["volume"]).all()


def test_export_of_another_coin_is_refused(exports):
    name = "cryptodatadownload_Gemini_ETHUSD_d.csv"
    with pytest.raises(DataError, match="holds 'ETH/USD', not BTC-USD. Name the file after what"):
        read_bars(exports / name, instrument=BTC, timeframe="1d")


def test_export_of_a_footer_says_what_it_left_out(exports):
    table = read_bars(
        exports / "barchart_price_history_DOCUMENTED.csv", instrument=index("VXX"), timeframe="1d"
    )
    assert "Downloaded from Barchart.com" in table.notes[1]


def test_export_of_adjusted_closes_can_be_chosen_knowingly(tmp_path):
    path = tmp_path / "IWC_1d.csv"
    path.write_text("Date,Adj Close\n2024-01-02,10.55\n")
    with pytest.raises(DataError, match="has `Adj Close` and no close"):
        read_bars(path, instrument=index("IWC"), timeframe="1d")
    choices = Choices({"close": "Adj Close"})
    table = read_bars(path, instrument=index("IWC"), timeframe="1d", choices=choices)
    assert table.frame["close"].tolist() == [10.55]


@pytest.mark.parametrize(
    ("name", "series", "first", "last"),
    [
        (
            "fred_observation_date_M2SL.csv", "M2SL", ("1999-01-01", 4403.0),
            ("2025-08-01", 22195.4),
        ),
        ("fred_DATE_VALUE_RU2000PR.csv", "X", ("1978-12-29", 100.0), ("2019-01-10", 3592.26)),
        (
            "fred_graph_with_preamble.csv", "GS10_TB3MS", ("1953-04-01", 0.64),
            ("2019-05-01", 0.05),
        ),
    ],
)  # fmt: skip
def test_export_of_a_series_is_read_as_fred_writes_it(exports, name, series, first, last):
    frame = read_series(exports / name, name=series).frame
    rows = frame.iloc[[0, -1]]
    assert [(f"{d:%Y-%m-%d}", v) for d, v in zip(rows["date"], rows["value"], strict=False)] == [
        first,
        last,
    ]


def test_export_of_a_series_with_holidays_has_them_empty(exports):
    frame = read_series(exports / "fred_DATE_VALUE_RU2000PR.csv", name="X").frame
    assert frame["date"][1] == pd.Timestamp("1979-01-01")
    assert np.isnan(frame["value"][1])
