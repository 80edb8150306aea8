import numpy as np
import pandas as pd

from feeds.raw_table import RawTable, with_prices

NAN = float("nan")


def table(dates, closes):
    frame = pd.DataFrame({"date": pd.to_datetime(dates), "close": np.array(closes, float)})
    return RawTable(frame, origin="X", lines=np.arange(2, len(closes) + 2))


def prices(made):
    return made.frame[["open", "high", "low", "close"]].to_numpy().tolist()


def test_closes_of_a_coin_open_at_the_close_before_in_time_whatever_the_order():
    days = ["2024-01-01", "2024-01-02", "2024-01-03"]
    rows = [[5, 5, 5, 5], [5, 7, 5, 7], [7, 7, 6, 6]]
    made = with_prices(table(days, [5, 7, 6]), kind="coin")
    assert made.is_close_only
    assert prices(made) == rows
    assert prices(with_prices(table(days[::-1], [6, 7, 5]), kind="coin")) == rows[::-1]


def test_closes_of_an_index_are_all_its_prices():
    made = with_prices(table(["2024-01-02", "2024-01-03"], [5, 7]), kind="index")
    assert prices(made) == [[5, 5, 5, 5], [7, 7, 7, 7]]


def test_closes_that_are_missing_make_no_prices_and_are_passed_over():
    made = with_prices(table(["2024-01-01", "2024-01-02", "2024-01-03"], [5, NAN, 6]), kind="coin")
    np.testing.assert_array_equal(prices(made), [[5] * 4, [NAN] * 4, [5, 6, 5, 6]])


def test_closes_of_a_repeated_row_make_the_same_bar():
    made = with_prices(table(["2024-01-01", "2024-01-02", "2024-01-02"], [5, 7, 7]), kind="coin")
    assert prices(made)[1] == prices(made)[2] == [5, 7, 5, 7]


def test_table_with_an_open_is_left_as_it_is():
    frame = pd.DataFrame({"date": pd.to_datetime(["2024-01-01"]), "open": [1.0], "close": [2.0]})
    whole = RawTable(frame, origin="X")
    assert with_prices(whole, kind="coin") is whole
