import numpy as np
import pandas as pd
import pytest

from feeds.bars import validated
from feeds.errors import DataError
from feeds.instruments import coin, index

GOOD = pd.DataFrame(
    {
        "date": ["2024-01-02", "2024-01-03", "2024-01-04"],
        "open": [10.0, 11.0, 12.0],
        "high": [12.0, 12.0, 13.0],
        "low": [9.0, 10.0, 11.0],
        "close": [11.0, 12.0, 12.5],
        "volume": [1.0, np.nan, 3.0],
    }
)


def check(frame, instrument=None, now=None):
    return validated(
        frame,
        instrument=instrument or coin("ETH"),
        timeframe="1d",
        source="test",
        origin="ETH-USD_1d.csv",
        now=now,
    )


def changed(row, column, value):
    frame = GOOD.astype({column: object})
    frame.loc[row, column] = value
    return frame


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (GOOD.drop(columns="low"), "column `low` is missing, found date, open, high, close"),
        (GOOD.iloc[:0], "no rows"),
        (changed(1, "date", "yesterday"), "row 2, column `date`: 'yesterday' is not a date"),
        (
            changed(2, "date", "2024-01-02"),
            "row 3, column `date`: 2024-01-02 00:00 stands there twice",
        ),
        (changed(1, "close", np.nan), "row 2, column `close`: nan is not a positive price"),
        (changed(1, "open", "n/a"), "row 2, column `open`: 'n/a' is not a positive price"),
        (changed(0, "low", 0.0), "row 1, column `low`: 0.0 is not a positive price"),
        (changed(2, "open", -3.0), "row 3, column `open`: -3.0 is not a positive price"),
        (changed(2, "close", np.inf), "row 3, column `close`: inf is not a positive price"),
        (changed(1, "high", 9.5), "row 2, column `high`: 9.5 is below another price"),
        (changed(0, "low", 10.5), "row 1, column `low`: 10.5 is above another price"),
    ],
)
def test_validated_unsound_table_names_file_row_column_and_value(frame, message):
    with pytest.raises(DataError, match="^ETH-USD_1d.csv: ") as raised:
        check(frame)
    assert message in str(raised.value)


def test_validated_good_table_keeps_values_and_adds_utc():
    bars = check(GOOD)
    assert str(bars.frame.index.tz) == "UTC"
    np.testing.assert_array_equal(bars.frame["close"], [11.0, 12.0, 12.5])
    assert bars.notes == ()


def test_validated_without_volume_has_nan_volume():
    assert check(GOOD.drop(columns="volume")).frame["volume"].isna().all()


def test_validated_merely_unsorted_is_sorted_and_noted(caplog):
    bars = check(GOOD.iloc[[2, 0, 1]])
    assert bars.frame.equals(check(GOOD).frame)
    assert bars.notes == ("ETH-USD: 3 rows of ETH-USD_1d.csv sorted by date",)
    assert bars.notes[0] in caplog.text


def test_validated_coin_bar_still_open_is_refused():
    message = "row 3, .*2024-01-04 00:00 is still in progress, it ends 2024-01-05 00:00 UTC"
    with pytest.raises(DataError, match=message):
        check(GOOD, now=pd.Timestamp("2024-01-04 23:59", tz="UTC"))
    assert len(check(GOOD, now=pd.Timestamp("2024-01-05", tz="UTC"))) == 3


def test_validated_index_session_before_its_close_is_refused():
    with pytest.raises(DataError, match="it ends 2024-01-04 21:00 UTC"):
        check(GOOD, index("RUT"), now=pd.Timestamp("2024-01-04 20:59", tz="UTC"))
    bars = check(GOOD, index("RUT"), now=pd.Timestamp("2024-01-04 21:00", tz="UTC"))
    assert bars.frame.index.tz is None


def test_validated_index_bar_on_a_holiday_is_refused():
    with pytest.raises(DataError, match="2024-01-01 is not a session of the New York Stock"):
        check(changed(0, "date", "2024-01-01"), index("RUT"))


def test_sha256_same_rows_from_text_or_numbers_is_equal():
    as_text = GOOD.astype(str)
    assert check(as_text).sha256 == check(GOOD).sha256
    assert check(changed(2, "close", 12.25)).sha256 != check(GOOD).sha256


def test_quote_volume_is_read_where_it_is_there_and_unknown_is_nan():
    frame = check(GOOD.assign(quote_volume=[110.0, None, -1.0])).frame
    np.testing.assert_array_equal(frame["quote_volume"], [110.0, np.nan, np.nan])
    assert "quote_volume" not in check(GOOD).frame
