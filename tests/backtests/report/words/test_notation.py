import csv
import io

import numpy as np
import pandas as pd
import pytest

from backtests.records.atomic_writing import FORMULA_STARTS, as_csv, as_markdown
from backtests.report.words.notation import (
    MINUS,
    UNDEFINED,
    decimal,
    fold,
    hyphen_minus,
    money,
    multiple,
    percent,
    percent_number,
    points,
    price,
    ratio,
    true_minus,
    warning_lines,
)


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_csv_text_that_a_spreadsheet_would_run_is_guarded(start):
    table = pd.DataFrame({"name": [f"{start}cmd|' /C calc'!A0", "plain"], "value": [-1.5, 2.0]})
    rows = list(csv.reader(io.StringIO(as_csv(table), newline="")))
    assert rows[1][0] == f"'{start}cmd|' /C calc'!A0"
    assert rows[1][1] == "-1.5"
    assert rows[2] == ["plain", "2.0"]


def test_csv_guards_headings_too():
    assert as_csv(pd.DataFrame({"=A1": [1.0]})).splitlines()[0] == "'=A1"


def test_csv_keeps_every_bit_of_a_float_and_whole_numbers_beside_gaps():
    values = [0.1 + 0.2, np.nextafter(1.0, 2.0), 1e-300]
    table = pd.DataFrame({"value": values, "count": pd.Series([17, None, 3], dtype=object)})
    back = pd.read_csv(io.StringIO(as_csv(table)))
    assert back["value"].tolist() == values
    assert [line.split(",")[1] for line in as_csv(table).splitlines()[1:]] == ["17", "", "3"]


def test_markdown_shows_marks_as_they_stand():
    assert as_markdown("a|b\n<i>*x*</i> [y](z)") == "a\\|b \\<i\\>\\*x\\*\\</i\\> \\[y\\](z)"


def test_warning_lines_beyond_five_are_counted_but_a_single_one_is_shown():
    texts = [f"note {number}" for number in range(9)]
    assert warning_lines(texts[:6]) == [f"WARNING  {text}" for text in texts[:6]]
    shown = warning_lines(texts)
    assert shown[:5] == [f"WARNING  {text}" for text in texts[:5]]
    assert shown[5:] == ["WARNING  and 4 more, on the page"]
    first, more = fold(texts)
    assert first + more == texts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (percent(-0.1158), f"{MINUS}11.6 %"),
        (percent(0.1158, decimals=0, plus=True), "+12 %"),
        (percent(-12.3456), f"{MINUS}1,234.6 %"),
        (percent_number(-0.1158), f"{MINUS}11.6"),
        (points(0.02), "+2.0"),
        (points(-0.02), f"{MINUS}2.0"),
        (ratio(-0.456), f"{MINUS}0.46"),
        (money(-1234.5), f"{MINUS}1,234"),
        (multiple(-1.5), f"{MINUS}0.50x"),
        (price(-12.3), f"{MINUS}12.300"),
        (decimal(-0.004, 2), "0.00"),
        (decimal(0.004, 2, plus=True), "0.00"),
        (decimal(float("nan"), 2, unit=" %", plus=True), UNDEFINED),
        (decimal(float("-inf"), 2), UNDEFINED),
    ],
)
def test_numbers_are_written_with_a_true_minus_and_their_unit(text, expected):
    assert text == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-5 % to -0.5", f"{MINUS}5 % to {MINUS}0.5"),
        ("(-.5)", f"({MINUS}.5)"),
        ("2020-11-23 -3 %", f"2020-11-23 {MINUS}3 %"),
        ("BTC-USD, 5-10 days, --draws -x lag=-3", "BTC-USD, 5-10 days, --draws -x lag=-3"),
    ],
)
def test_true_minus_signs_numbers_and_leaves_dates_names_and_options(text, expected):
    assert true_minus(text) == expected
    assert hyphen_minus(true_minus(text)) == text
