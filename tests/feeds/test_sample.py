"""The bundled sample: its table is the truth, its days are a seeded path through it."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import feeds.sample
from feeds.bars import PRICES, Bars
from feeds.errors import DataError
from feeds.instruments import Instrument, coin, index
from feeds.raw_table import RawTable
from feeds.sample import LABEL, ORIGIN, Sample, daily_heights
from feeds.sessions import sessions_between
from feeds.validation import validate_bars

REPOSITORY = Path(__file__).resolve().parents[2]

TABLE = pd.read_csv(REPOSITORY / ORIGIN)
SYMBOLS = sorted(TABLE["symbol"].unique())
COINS = [symbol for symbol in SYMBOLS if symbol.endswith("-USD")]

# Half a unit of the fifth digit is at most this part of a price (one just above 10...0).
FIVE_DIGITS = 5.001e-5

HOW = {"open": "first", "high": "max", "low": "min", "close": "last"}


def instrument(symbol: str) -> Instrument:
    return coin(symbol) if symbol.endswith("-USD") else index(symbol)


def sample_bars(symbol: str) -> Bars:
    return Sample().load(instrument(symbol), timeframe="1d")


def table_of(symbol: str) -> pd.DataFrame:
    rows = TABLE[TABLE["symbol"] == symbol]
    return rows.set_index(pd.DatetimeIndex(rows["month"]))


def days_of(frame: pd.DataFrame) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(frame.index)


def monthly(daily: pd.DataFrame) -> pd.DataFrame:
    return daily.set_index(days_of(daily).tz_localize(None)).resample("MS").agg(HOW)


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_sample_days_resampled_to_months_equal_the_table(symbol: str) -> None:
    months = monthly(sample_bars(symbol).frame)
    expected = table_of(symbol)
    assert list(months.index) == list(expected.index)
    np.testing.assert_array_equal(months.to_numpy(), expected[list(PRICES)].to_numpy())


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_table_months_of_a_symbol_follow_without_a_gap(symbol: str) -> None:
    months = table_of(symbol).index
    assert list(months) == list(pd.date_range(months[0], months[-1], freq="MS"))
    assert table_of(symbol)["last_day"].iloc[:-1].isna().all()


def test_sample_index_days_are_all_sessions() -> None:
    days = days_of(sample_bars("RUT").frame)
    sessions = sessions_between(pd.Timestamp("2000-01-01"), pd.Timestamp("2025-12-31"))
    assert days.tz is None
    assert list(days) == list(sessions)


@pytest.mark.parametrize("symbol", COINS)
def test_sample_coin_days_are_all_calendar_days_in_utc(symbol: str) -> None:
    days = days_of(sample_bars(symbol).frame)
    assert list(days) == list(pd.date_range(days[0], days[-1], tz="UTC"))
    assert days[0].day == 1


def test_sample_coins_that_died_end_on_their_last_day() -> None:
    luna, ftt = sample_bars("LUNA-USD").frame, sample_bars("FTT-USD").frame
    assert luna.index[-1] == pd.Timestamp("2022-05-12", tz="UTC")
    assert luna["close"].iloc[-1] == 0.00032
    assert luna["close"].iloc[-13] == 78.09
    assert ftt.index[-1] == pd.Timestamp("2022-12-31", tz="UTC")


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_sample_day_opens_at_the_close_before_within_a_month(symbol: str) -> None:
    frame = sample_bars(symbol).frame
    months = days_of(frame).month
    same_month = months[1:] == months[:-1]
    opens, closes = frame["open"].to_numpy()[1:], frame["close"].to_numpy()[:-1]
    np.testing.assert_array_equal(opens[same_month], closes[same_month])


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_sample_bars_validated_again_are_unchanged(symbol: str) -> None:
    bars = sample_bars(symbol)
    raw = bars.frame.drop(columns="volume").reset_index(names="date")
    again = validate_bars(
        RawTable(raw, ORIGIN), instrument=bars.instrument, timeframe="1d", source="sample"
    )
    assert again.notes == ()
    pd.testing.assert_frame_equal(again.frame, bars.frame)


def test_sample_bars_say_what_they_are() -> None:
    bars = sample_bars("ETH-USD")
    assert LABEL == "sample: monthly figures real, days simulated"
    assert bars.notes == (LABEL,)
    assert (bars.source, bars.origin, bars.timeframe) == ("sample", ORIGIN, "1d")
    assert bars.frame["volume"].isna().all()


def test_sample_loaded_in_another_order_gives_the_same_bytes() -> None:
    forth = {symbol: sample_bars(symbol).sha256 for symbol in SYMBOLS}
    feeds.sample._table.cache_clear()
    back = {symbol: sample_bars(symbol).sha256 for symbol in reversed(SYMBOLS)}
    assert back == forth


def test_sample_loaded_in_another_process_gives_the_same_bytes() -> None:
    program = (
        "from feeds.instruments import coin; from feeds.sample import Sample; "
        "print(Sample().load(coin('LUNA'), timeframe='1d').sha256)"
    )
    other = subprocess.run(
        [sys.executable, "-c", program],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert other.stdout.strip() == sample_bars("LUNA-USD").sha256


def test_sample_symbol_not_in_it_is_refused_with_the_list() -> None:
    with pytest.raises(DataError) as refused:
        sample_bars("PEPE-USD")
    assert str(refused.value) == (
        "`asset` PEPE has no bars: it is not in the bundled sample. There are: "
        "ADA, BNB, BTC, DOGE, ETH, FTT, LTC, LUNA, SOL, XRP. "
        "Choose one, or bring your own with --source files --data-dir DIR."
    )


@pytest.mark.parametrize("name", ["SPX", "BTC-USD"])
def test_sample_index_not_in_it_is_refused_with_the_list(name: str) -> None:
    with pytest.raises(DataError, match=r"^`index\.symbol` \w+ has no bars.* There are: RUT\. "):
        Sample().load(index(name), timeframe="1d")


def test_sample_hourly_bars_are_refused_with_the_remedy() -> None:
    with pytest.raises(DataError) as refused:
        Sample().load(coin("BTC"), timeframe="1h")
    assert str(refused.value) == (
        "`data.timeframe` must be 1d with the bundled sample, received 1h: it is daily only. "
        "Set 1d, or bring 1h bars with --source files --data-dir DIR."
    )


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_sample_days_move_like_days(symbol: str) -> None:
    frame = sample_bars(symbol).frame
    returns = np.log(frame["close"]).diff().dropna()
    typical_move = returns.abs().median()
    low, high = (0.003, 0.015) if symbol == "RUT" else (0.01, 0.05)
    assert low < typical_move < high
    assert (frame["high"] > frame["low"]).all()
    assert 0.4 < (returns > 0).mean() < 0.6
    assert abs(returns.autocorr()) < 0.2 or symbol == "LUNA-USD"


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_sample_days_do_not_stand_still_at_the_month_extremes(symbol: str) -> None:
    frame = sample_bars(symbol).frame
    days = days_of(frame)
    months = [days.year, days.month]
    at_high = frame["high"] == frame["high"].groupby(months).transform("max")
    at_low = frame["low"] == frame["low"].groupby(months).transform("min")
    for touched in (at_high, at_low):
        # Two: a day that closes at the extreme, and the next one, which opens there.
        assert touched.groupby(months).sum().max() <= 2


@given(
    days=st.integers(1, 31),
    start=st.floats(0, 1),
    end=st.floats(0, 1),
    key=st.text(max_size=12),
)
def test_daily_heights_any_month_span_the_range_from_start_to_end(
    days: int, start: float, end: float, key: str
) -> None:
    heights = daily_heights(key, days=days, start=start, end=end)
    opens, highs, lows, closes = heights.T
    assert heights.shape == (days, 4)
    assert heights.min() >= 0
    assert heights.max() <= 1
    edges = (opens[0], highs.max(), lows.min(), closes[-1])
    np.testing.assert_allclose(edges, (start, 1, 0, end), rtol=0, atol=1e-12)
    assert (highs >= np.maximum(opens, closes)).all()
    assert (lows <= np.minimum(opens, closes)).all()
    np.testing.assert_array_equal(opens[1:], closes[:-1])


def real_days(folder: Path, symbol: str) -> pd.DataFrame:
    """Return the real days; before a file's first whole month, those of the older record."""
    days = pd.read_csv(folder / f"{symbol}_1d.csv", index_col="date", parse_dates=True)
    if symbol not in ("BTC-USD", "ETH-USD"):
        return days
    older = folder / "cmc_2013_2020" / f"{symbol}_1d.csv"
    seam = days.index[0] + pd.offsets.MonthBegin()
    before = pd.read_csv(older, index_col="date", parse_dates=True).loc[: seam - pd.Timedelta("1D")]
    return pd.concat((before, days.loc[seam:]))


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_table_figures_agree_with_the_real_record(shared_data: Path, symbol: str) -> None:
    table, days = table_of(symbol), real_days(shared_data, symbol)
    real = monthly(days).loc[table.index]
    np.testing.assert_allclose(
        table[list(PRICES)].to_numpy(), real.to_numpy(), rtol=FIVE_DIGITS, atol=0
    )


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_sample_days_are_those_of_the_real_record(shared_data: Path, symbol: str) -> None:
    days = days_of(sample_bars(symbol).frame).tz_localize(None)
    real = days_of(real_days(shared_data, symbol))
    assert list(days) == list(real[real >= days[0]])
