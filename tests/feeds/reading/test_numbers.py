import numpy as np
import pyarrow as pa
import pytest

from feeds.errors import DataError
from feeds.instruments import index
from feeds.reading import Choices, read_bars
from feeds.reading.numbers import number_column, numbers_of, plain_numbers

NAN = float("nan")


@pytest.mark.parametrize(
    ("text", "point", "comma"),
    [
        ("7,199.4", 7199.4, None),
        ("7.199,4", None, 7199.4),
        ("1.31M", 1_310_000.0, None),
        ("904,50K", None, 904_500.0),
        ("3 B", 3e9, 3e9),
        ("2.5t", 2.5e12, None),
        ("$438.73", 438.73, None),
        ("-$3.1", -3.1, None),
        ("(2,345.6)", -2345.6, None),
        ("1'234.5", 1234.5, None),
        ("1\u202f234,56", None, 1234.56),
        ("1,23,456.7", 123_456.7, None),
        ("\u221212.5", -12.5, None),
        ("1e-05", 1e-05, 1e-05),
        ("1.4E-05", 1.4e-05, None),
        ("+5", 5.0, 5.0),
        (".5", 0.5, None),
        ("5.", 5.0, None),
        (" 12 ", 12.0, 12.0),
        *((missing, NAN, NAN) for missing in ("", "-", "--", ".", "N/A", "null", "NaN", "None")),
        *(
            (wrong, None, None)
            for wrong in (
                "inf",
                "1.2.3",
                "1,2,3",
                "--5",
                "12abc",
                "0x10",
                "1_000",
                "\u0661",
                "9" * 400,
            )
        ),
    ],
)
def test_number_is_read_by_its_decimal_separator_or_not_at_all(text, point, comma):
    column = number_column(pa.array([text]))
    for decimal, expected in ((".", point), (",", comma)):
        numbers, wrong = numbers_of(column, decimal=decimal)
        assert wrong[0] == (expected is None)
        if expected is not None:
            np.testing.assert_equal(numbers[0], expected)


def test_plain_numbers_are_exactly_those_of_python():
    texts = ["0.1", "1e22", "123456789.123456789", "5e-324", "", "-7.25"]
    expected = [float(text) if text else NAN for text in texts]
    np.testing.assert_array_equal(plain_numbers(pa.array(texts)), expected)


def read(tmp_path, closes, *, separator=";", choices=None, extra=""):
    path = tmp_path / "X.csv"
    rows = (f'2024-01-{day:02d}{separator}"{close}"' for day, close in enumerate(closes, 2))
    path.write_text("\n".join([f"Date{separator}Close", *rows, extra]))
    table = read_bars(path, instrument=index("X"), timeframe="1d", choices=choices or Choices())
    return table.frame["close"].tolist()


@pytest.mark.parametrize(
    ("closes", "expected"),
    [
        (["1,234", "12,5"], [1.234, 12.5]),
        (["1,234", "0,123"], [1.234, 0.123]),
        (["1,234", "1234,567"], [1.234, 1234.567]),
        (["1,234", "1,234,567"], [1234.0, 1_234_567.0]),
        (["1,234", "1,234.5"], [1234.0, 1234.5]),
        (["1.234", "1.234,5"], [1234.0, 1234.5]),
        (["1.234", "1.5"], [1.234, 1.5]),
        (["1234", "5678"], [1234.0, 5678.0]),
    ],
)
def test_decimal_separator_that_one_number_proves_holds_for_all(tmp_path, closes, expected):
    assert read(tmp_path, closes) == expected


@pytest.mark.parametrize("closes", [["1,234", "5,678"], ["1.234", "5.678"], ["1,234", "5678"]])
def test_decimal_separator_that_nothing_proves_is_asked_for(tmp_path, closes):
    with pytest.raises(DataError, match=r"can be a thousand and more.*Set data.decimal"):
        read(tmp_path, closes)
    separator = next(letter for letter in closes[0] if letter in ".,")
    read_as = {
        decimal: read(tmp_path, closes, choices=Choices(decimal=decimal)) for decimal in ".,"
    }
    assert read_as[separator][0] == 1.234
    assert read_as[{",": ".", ".": ","}[separator]][0] == 1234.0


def test_decimal_separators_that_contradict_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"'1.5' and '2,5' have different decimal separators"):
        read(tmp_path, ["1.5", "2,5"])


def test_decimal_separator_of_our_own_form_needs_no_proof(tmp_path):
    path = tmp_path / "X.csv"
    path.write_text("date,close\n\n2024-01-02,1.234\n")
    table = read_bars(path, instrument=index("X"), timeframe="1d")
    assert table.frame["close"].tolist() == [1.234]
    assert table.lines.tolist() == [3]


def test_percentages_in_another_column_show_the_separator(tmp_path):
    path = tmp_path / "X.csv"
    path.write_text('Datum;Zuletzt;+/- %\n02.01.2024;1.234;"-0,35%"\n15.01.2024;1.250;"1,30%"\n')
    table = read_bars(path, instrument=index("X"), timeframe="1d")
    assert table.frame["close"].tolist() == [1234.0, 1250.0]


def test_wrong_cells_are_named_together(tmp_path):
    path = tmp_path / "X.csv"
    rows = [f"2024-01-{day:02d},{day},{day},{day},{day},7" for day in range(2, 20)]
    for at, cell in ((3, "abc"), (7, "9" * 400), (8, "inf"), (9, "1.2.3"), (11, "x")):
        rows[at] = rows[at].rsplit(",", 1)[0] + f",{cell}"
    path.write_text("\n".join(["Date,Open,High,Low,Close,Volume", *rows]))
    with pytest.raises(DataError) as refusal:
        read_bars(path, instrument=index("X"), timeframe="1d")
    message = str(refusal.value)
    assert message.startswith("X.csv: 5 rows or cells are wrong: line 5: column `Volume`: 'abc' ")
    assert "line 9: column `Volume`: '9999" in message
    assert message.endswith("is not a number and 2 more. Correct or remove the rows.")
    assert len(message) < 400
