import codecs
import gzip
import io
import zipfile

import pytest

from feeds.errors import DataError
from feeds.instruments import coin, index
from feeds.reading import Choices, read_bars

CSV = "Date,Open,High,Low,Close,Volume\n2024-01-02,10.5,12,9,11,5\n2024-01-15,11,12,10,12,7\n"


def bars(path, *, instrument=None, timeframe="1d", choices=None):
    return read_bars(
        path,
        instrument=instrument or index("RUT"),
        timeframe=timeframe,
        choices=choices or Choices(),
    )


def read(tmp_path, content, **options):
    path = tmp_path / "RUT_1d.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return bars(path, **options)


@pytest.mark.parametrize(
    "content",
    [
        CSV,
        "\ufeff" + CSV,
        "\ufeff\ufeff" + CSV,
        CSV.replace("\n", "\r\n"),
        CSV.replace("\n", "\r"),
        CSV.replace(",", ";"),
        CSV.replace(",", "\t"),
        CSV.replace(",", "|"),
        CSV.replace(".", ",").replace(",", ";").replace("10;5", "10,5"),
        CSV.upper(),
        CSV.lower(),
        CSV.replace("Date", '"Date"').replace("2024-01-02", '"2024-01-02"'),
        CSV.replace("Date,Open,High,Low,Close,Volume", "<DATE>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>"),
        CSV.replace(",", ", "),
        "\n\n" + CSV,
        CSV.replace("\n2", "\n\n2"),
        CSV + "\n \n,,,,,\n",
        CSV.rstrip("\n"),
        "Prices of the Russell 2000\n\nsource: somewhere\n" + CSV,
        CSV + "Downloaded from somewhere as of today\n",
        codecs.BOM_UTF16_LE + CSV.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + CSV.encode("utf-16-be"),
        gzip.compress(CSV.encode(), mtime=0),
        CSV.replace("Volume\n", "Volume,\n").replace(",5\n", ",5,\n").replace(",7\n", ",7,\n"),
    ],
)
def test_grid_around_the_same_bars_makes_no_difference(tmp_path, content):
    frame = read(tmp_path, content).frame
    expected = read(tmp_path, CSV).frame
    assert frame.equals(expected)
    assert frame["close"].tolist() == [11, 12]


def test_grid_lines_are_those_of_the_file(tmp_path):
    table = read(tmp_path, "Prices\n\n" + CSV.replace("\n2024-01-15", "\n\n\n2024-01-15"))
    assert table.lines.tolist() == [4, 7]
    assert table.place(1) == "line 7"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b" \n\n", "the file is empty"),
        (b"Date,Close\n", "no rows below the header"),
        (b"Date,Close\n2024-01-02,1,2\n", "line 2: 3 fields where the header has 2"),
        (b"Date,Open,Close\n2024-01-02,1\n", "line 2: 2 fields where the header has 3"),
        (b"Date,Close\n2024-01-02,\x001\n", r"line 2: the character '\\x00' stands in no text"),
        (b"Date,Close\n2024-01-02,1\xe9\n", "line 2: byte 0xe9 is no text in UTF-8"),
        (b'Date,Close\n2024-01-02,"1\n2024-01-03,2\n', "line 2: a quotation mark is opened"),
        (b'Date,Close\n2024-01-02,1\n2024-01-03,"2', "line 3: a quotation mark is opened"),
        (b"%PDF-1.4", "is a PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "is an Excel workbook"),
        (b"<!DOCTYPE html><html>", "is a web page, not a table"),
        (b'{"data": []}', "is JSON, not a table"),
        (b"PAR1 but not really", "cannot be read as Parquet"),
        (b"PK\x03\x04 but not really", "the archive is damaged"),
        (b"\x1f\x8b but not really", "cannot be unpacked"),
        (b"hello world\n", "names a column of dates, the file begins 'hello world'"),
        (b"1,2\n3,4\n", "names a column of dates"),
        (b"1,2,3,4,5\n", "has 5 columns and no header"),
        (b"Date,Close,close\n2024-01-02,1,2\n", "`Close` and `close` can each be the close"),
        (b"Date,Time,Close\n2024-01-02,10:00,2\n", "`Date` and `Time` can each be the date"),
        (b"Date,Open,Close\n2024-01-02,1,2\n", "column `high` is missing, found Date, Open, Close"),
        (b"Date,Sentiment\n2024-01-02,2\n", "column `close` is missing, found Date, Sentiment"),
    ],
)
def test_grid_that_is_no_table_is_one_line(tmp_path, content, message):
    with pytest.raises(DataError, match=f"^RUT_1d.csv: {message}|{message}") as refusal:
        read(tmp_path, content)
    assert str(refusal.value).startswith("RUT_1d.csv: ")
    assert str(refusal.value).isprintable()


def test_grid_with_a_comma_too_many_in_every_row_says_what_it_saw(tmp_path):
    lines = CSV.splitlines()
    with pytest.raises(DataError) as refusal:
        read(tmp_path, "\n".join([lines[0], *(f"{line}," for line in lines[1:])]))
    assert str(refusal.value) == (
        "RUT_1d.csv: 2 rows or cells are wrong: line 2: 7 fields where the header has 6; line 3: "
        "7 fields where the header has 6. Correct or remove the rows."
    )


def test_grid_of_chosen_columns_needs_no_known_names(tmp_path):
    content = "note\nWhen,Px\n2024-01-02,10.5\n"
    with pytest.raises(DataError, match="names a column of dates"):
        read(tmp_path, content)
    table = read(tmp_path, content, choices=Choices({"date": "when", "close": "PX"}))
    assert table.frame["close"].tolist() == [10.5]
    assert table.is_close_only


def test_grid_of_our_own_form_is_not_touched_by_choices_for_others(tmp_path):
    choices = Choices({"close": "Px", "date": "When"}, "%d/%m/%Y", "America/New_York", ",")
    content = "date,open,high,low,close\n2024-01-02,1.234,1.234,1.234,1.234\n"
    for instrument in (index("RUT"), coin("BTC")):
        table = read(tmp_path, content, instrument=instrument, choices=choices)
        assert table.frame.equals(read(tmp_path, content, instrument=instrument).frame)
        assert table.notes == ()


def test_grid_of_dividends_between_the_bars_leaves_them_out(tmp_path):
    page = (
        'Date,Open,High,Low,Close*,Adj Close**,Volume\n"Jan 15, 2024",11,12,10,12,11.5,"7,000"\n'
        '"Jan 10, 2024",0.25 Dividend\n"Jan 2, 2024",10.5,12,9,11,10.5,-\n'
    )
    table = read(tmp_path, page)
    assert table.frame["close"].tolist() == [12, 11]
    assert table.lines.tolist() == [2, 4]
    assert table.notes[1] == "RUT_1d.csv: 1 row of dividends or splits left out"


@pytest.mark.parametrize("rows", [[0, 1], [1, 0]])
def test_headless_columns_must_prove_themselves(tmp_path, rows):
    kraken = ["1704153600,10,12,9,11,5.5,3", "1704240000,11,13,10,12,7.5,4"]
    table = read(tmp_path, "\n".join(kraken[row] for row in rows), instrument=coin("BTC"))
    assert table.frame["close"].tolist() == [[11, 12][row] for row in rows]
    swapped = "1704153600,10,11,12,9,5.5,3\n"  # close before high and low
    with pytest.raises(DataError, match="is neither Binance's nor Kraken's layout"):
        read(tmp_path, swapped, instrument=coin("BTC"))


def zipped(**members):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "."), content)
    return data.getvalue()


KLINE = "{open}000,1.5,2,1,1.75,10,{end}999,15.5,3,1,1,0\n"


def klines(*days):
    return "".join(
        KLINE.format(open=1704067200 + 86400 * day, end=1704067200 + 86400 * day + 86399)
        for day in days
    )


def test_archives_that_are_parts_of_one_series_are_one_table(tmp_path):
    paths = []
    for part, days in (("2024-01", range(31)), ("2024-02", range(30, 60))):
        path = tmp_path / f"BTCUSDT-1d-{part}.zip"
        path.write_bytes(zipped(**{f"BTCUSDT-1d-{part}__csv": klines(*days), "x__CHECKSUM": "00"}))
        paths.append(path)
    table = bars(paths, instrument=coin("BTC"))
    assert len(table.frame) == 60
    assert table.origin == "BTCUSDT-1d-2024-01.csv to BTCUSDT-1d-2024-02.csv"
    assert table.place(31) == "line 2 of BTCUSDT-1d-2024-02.csv"
    assert table.notes[-1].endswith("1 row stands in two files")
    assert table.readings == table.notes[:1]


def test_parts_in_ms_and_in_us_are_one_table(tmp_path):
    (tmp_path / "a.csv").write_text(klines(0, 1))
    (tmp_path / "b.csv").write_text(
        klines(2).replace("000,1.5", "000000,1.5").replace("999,15", "999999,15")
    )
    table = bars([tmp_path / "a.csv", tmp_path / "b.csv"], instrument=coin("BTC"))
    assert table.frame["date"].dt.strftime("%d").tolist() == ["01", "02", "03"]


def test_parts_that_contradict_are_refused_with_both_places(tmp_path):
    (tmp_path / "a.csv").write_text(klines(0, 1))
    (tmp_path / "b.csv").write_text(klines(1, 2).replace("1.75", "1.8"))
    with pytest.raises(DataError, match=r"line 1 of b.csv: .* than line 2 of a.csv. Keep one"):
        bars([tmp_path / "a.csv", tmp_path / "b.csv"], instrument=coin("BTC"))


def test_parts_of_different_columns_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text(klines(0, 1))
    (tmp_path / "b.csv").write_text("date,close\n2024-01-05,1\n")
    with pytest.raises(DataError, match="a.csv and b.csv are no parts of one series"):
        bars([tmp_path / "a.csv", tmp_path / "b.csv"], instrument=coin("BTC"))


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({}, "no table is in the archive"),
        ({"x__CHECKSUM": "00"}, "no table is in the archive"),
        ({"xl/workbook.xml": "<x/>"}, "is an Excel workbook"),
    ],
)
def test_archives_without_a_table_are_refused(tmp_path, members, message):
    with pytest.raises(DataError, match=message):
        read(tmp_path, zipped(**members))
