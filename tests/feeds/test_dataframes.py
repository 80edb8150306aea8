"""Bars of one's own frames: what is read, and every sentence about what is not."""

import numpy as np
import pandas as pd
import pytest

from feeds.bars import Bars
from feeds.errors import ConfigError, DataError
from feeds.files import Files
from feeds.instruments import coin

DAYS = pd.date_range("2024-01-02", periods=60, freq="D")


@pytest.fixture
def frame() -> pd.DataFrame:
    close = np.linspace(100.0, 110.0, len(DAYS))
    columns = {"Open": close - 1, " HIGH": close + 2, "low": close - 2, "Close": close}
    return pd.DataFrame({**columns, "Volume": 10.0}, index=DAYS)


def coin_bars(frame: pd.DataFrame) -> Bars:
    return Bars.from_frame(frame, symbol="ETH-USD")


def test_frame_is_what_the_same_rows_in_a_file_are(frame, tmp_path):
    named = frame.set_axis(["open", "high", "low", "close", "volume"], axis=1)
    named.rename_axis("date").to_csv(tmp_path / "ETH-USD_1d.csv")
    from_file = Files(tmp_path).load(coin("ETH"), timeframe="1d")
    own = coin_bars(frame)
    pd.testing.assert_frame_equal(own.frame, from_file.frame)
    assert own.sha256 == from_file.sha256
    assert (own.source, own.instrument, own.notes) == ("frame", coin("ETH"), ())


def test_frame_given_stays_as_it_is(frame):
    before = frame.copy()
    own = coin_bars(frame)
    own.frame.iloc[0] = 0.0
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda frame: frame.tz_localize("UTC"), id="zoned"),
        pytest.param(
            lambda frame: frame.tz_localize("UTC").tz_convert("Asia/Tokyo"), id="other zone"
        ),
        pytest.param(lambda frame: frame.reset_index(names="Date"), id="column"),
        pytest.param(lambda frame: frame.set_axis(frame.index.date), id="dates"),
        pytest.param(lambda frame: frame.set_axis(frame.index.strftime("%Y-%m-%d")), id="ISO text"),
        pytest.param(lambda frame: frame.astype(object), id="objects"),
        pytest.param(lambda frame: frame.convert_dtypes(), id="nullable"),
    ],
)
def test_frame_in_another_dress_has_the_same_bars(frame, change):
    assert coin_bars(change(frame)).sha256 == coin_bars(frame).sha256


def test_frame_out_of_order_is_sorted_and_says_so(frame):
    own = coin_bars(frame.sample(frac=1, random_state=1))
    assert own.sha256 == coin_bars(frame).sha256
    assert "DataFrame of ETH-USD" in own.notes[0]
    assert own.notes[0].endswith("sorted by date")


def test_frame_with_a_gap_carries_the_finding_of_a_file(frame):
    own = coin_bars(frame.drop(frame.index[10:13]))
    assert any("3 days are missing inside the range" in note for note in own.notes)


def test_frame_of_closes_alone_is_read_as_such(frame):
    own = coin_bars(frame[["Close"]])
    assert own.is_close_only
    assert own.frame["open"].iloc[1] == own.frame["close"].iloc[0]


def test_frame_of_an_index_is_dated_by_session_whatever_its_midnights(frame):
    sessions = frame[frame.index.day_of_week < 5].drop(pd.to_datetime(["2024-01-15", "2024-02-19"]))
    own = Bars.from_frame(sessions, symbol="^RUT")
    zoned = Bars.from_frame(sessions.tz_localize("America/New_York"), symbol="russell2000")
    assert own.instrument.symbol == zoned.instrument.symbol == "RUT"
    assert own.sha256 == zoned.sha256
    assert own.frame.index.tz is None


WRONG = {
    "no close": (
        lambda frame: frame.drop(columns="Close"),
        r"^DataFrame of ETH-USD: column `close` is missing, found Open,  HIGH, low, Volume\. .*"
        r"rename",
    ),
    "no high": (
        lambda frame: frame.drop(columns=" HIGH"),
        "column `high` is missing, found date, open, low, close, volume",
    ),
    "twice": (
        lambda frame: frame.assign(close=1.0),
        "column `close` is there twice, as 'Close' and 'close'. Leave one out.",
    ),
    "no dates": (
        lambda frame: frame.reset_index(drop=True),
        "no dates, found an index of int64 and the columns Open.*Give it a DatetimeIndex",
    ),
    "nothing": (lambda frame: pd.DataFrame(), "no dates, found .* and the columns none"),
    "no rows": (lambda frame: frame[:0], "no rows"),
    "day first": (
        lambda frame: frame.set_axis(frame.index.strftime("%d/%m/%Y")),
        r"the index holds what is no date as YYYY-MM-DD, such as '02/01/2024'\. Turn it",
    ),
    "epochs": (
        lambda frame: frame.assign(time=range(len(frame))).reset_index(drop=True),
        "column `time` holds numbers such as 0, whose unit nobody knows. Turn them",
    ),
    "New York": (
        lambda frame: frame.tz_localize("America/New_York"),
        "60 stamps are off the midnights .UTC. that a coin's bars open at: row 1",
    ),
    "text": (
        lambda frame: frame.astype(object).replace({"Volume": {10.0: "1,234"}}),
        "row 1, column `volume`: '1,234' is not a number. Turn the column",
    ),
    "below 0": (lambda frame: frame.assign(low=-1.0), "60 prices are not positive numbers: row 1"),
    "contradiction": (
        lambda frame: pd.concat([frame, frame[:1] * 2]),
        "row 1 and row 61 are two different bars of 2024-01-02, column `open`: 99 and 198",
    ),
    "several symbols": (
        lambda frame: pd.concat({"ETH": frame, "BTC": frame}, axis=1),
        r"columns have 2 levels, such as \('ETH', 'Open'\). Take those of one symbol",
    ),
    "no frame": (lambda frame: frame["Close"], "`frame` must be a pandas DataFrame .*Series"),
}


@pytest.mark.parametrize("name", WRONG)
def test_frame_that_is_wrong_is_refused_with_the_remedy(frame, name):
    change, message = WRONG[name]
    with pytest.raises(DataError, match=message):
        coin_bars(change(frame))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"symbol": "ETH"}, "'ETH' could be a coin or an index. Write 'ETH-USD' for the coin"),
        ({"symbol": None}, '`symbol` must be text such as "RUT" or "ETH-USD", received None.'),
        ({"symbol": "ETH-USD", "kind": "stock"}, "`kind` must be one of index, coin, .*'stock'"),
        ({"symbol": "../x", "kind": "coin"}, "`asset` must be a plain symbol"),
        ({"symbol": "ETH-USD", "timeframe": "1D"}, "one of 1h, 4h, 1d, .* The nearest is '1d'"),
    ],
)
def test_frame_of_an_unclear_name_or_length_is_refused(frame, given, message):
    with pytest.raises(ConfigError, match=message):
        Bars.from_frame(frame, **given)


def test_kind_settles_a_symbol_that_does_not_tell(frame):
    assert Bars.from_frame(frame, symbol="ETH", kind="coin").instrument == coin("ETH")


def test_repr_names_what_and_when(frame):
    assert repr(coin_bars(frame)) == (
        "<Bars of ETH-USD: 60 of 1d, 2024-01-02 to 2024-03-01, source frame>"
    )
