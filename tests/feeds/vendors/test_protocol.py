import pandas as pd
import pytest

from feeds.errors import DataError, NotServed
from feeds.instruments import coin
from feeds.vendors.registry import tidy
from tests.scripted import days, frame_of

TABLE = frame_of(days("2024-01-01", "2024-01-20")).rename_axis("date").reset_index()


def answer(table, **options):
    return tidy(
        table,
        instrument=coin("ETH"),
        timeframe="1d",
        source="vendor",
        origin="vendor ETH",
        now=pd.Timestamp("2024-02-01", tz="UTC"),
        notes=("what the vendor said",),
        **options,
    )


def test_tidied_numbers_as_text_and_nothing_are_read():
    told = TABLE.astype({"close": str, "volume": object})
    told.loc[3, "volume"] = None
    bars = answer(told)
    assert bars.frame["close"].tolist() == TABLE["close"].tolist()
    assert bars.frame["volume"].isna().sum() == 1
    assert bars.notes[0] == "what the vendor said"


@pytest.mark.parametrize("cell", ["n/a", "<html>" * 99, [], {"a": 1}])
def test_tidied_cell_that_is_no_number_is_one_error(cell):
    wrong = TABLE.astype({"close": object})
    wrong.at[4, "close"] = cell
    with pytest.raises(
        DataError, match=r"^vendor ETH: row 5, column `close`: .* is not a num"
    ) as e:
        answer(wrong)
    assert len(str(e.value)) < 160


def test_tidied_empty_answer_and_none_finished_are_not_served():
    late = TABLE.assign(date=TABLE["date"] + pd.Timedelta(days=40))
    for table in (TABLE.iloc[:0], late):
        with pytest.raises(NotServed, match="vendor ETH: no finished 1d bar"):
            answer(table)


def test_tidied_closes_alone_make_bars():
    bars = answer(TABLE[["date", "close"]], is_close_only=True)
    assert bars.is_close_only
    assert bars.frame["open"].tolist()[1:] == TABLE["close"].tolist()[:-1]
