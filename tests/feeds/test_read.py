import pytest

from feeds.instruments import coin
from feeds.read import main
from feeds.reading import read_bars

INVESTING = (
    '"Date","Price","Open","High","Low","Vol.","Change %"\n'
    '"Nov 25, 2019","7,199.4","6,924.7","7,352.8","6,534.8","1.31M","3.97%"\n'
    '"Nov 24, 2019","6,924.7","7,325.0","7,344.1","6,894.9","904.50K","-5.45%"\n'
)


@pytest.fixture
def export(tmp_path):
    path = tmp_path / "Bitcoin Historical Data.csv"
    path.write_text(INVESTING)
    return path


def test_read_says_what_it_makes_of_a_file(export, capsys):
    assert main([str(export), "--asset", "BTC"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert "close = `Price`" in said[0]
    assert said[1].endswith("Investing.com: Price is the close, %b %d, %Y, newest first")
    assert said[2].endswith("2 rows, 2019-11-24 to 2019-11-25, no zone")
    assert "  line 2: 2019-11-25  open 6924.7, high 7352.8" in said[3]
    assert "BTC-USD_1d: 2 bars" in said


def test_read_without_a_symbol_says_that_bars_were_not_checked(export, capsys):
    assert main([str(export)]) == 0
    assert "not checked as bars: say --asset or --index" in capsys.readouterr().out
    assert main([str(export), "--write", str(export.parent)]) == 2
    assert "`--write` needs a symbol" in capsys.readouterr().err


def test_read_writes_our_own_form_that_reads_the_same(export, tmp_path, capsys):
    folder = tmp_path / "data"
    folder.mkdir()
    assert main([str(export), "--asset", "BTC", "--write", str(folder)]) == 0
    own = folder / "BTC-USD_1d.csv"
    assert own.read_text() == (
        "date,open,high,low,close,volume\n"
        "2019-11-24,7325.0,7344.1,6894.9,6924.7,904500.0\n"
        "2019-11-25,6924.7,7352.8,6534.8,7199.4,1310000.0\n"
    )
    assert read_bars(own, instrument=coin("BTC"), timeframe="1d").notes == ()
    assert main([str(export), "--asset", "BTC", "--write", str(folder)]) == 2
    assert "is there already" in capsys.readouterr().err


def test_read_writes_closes_as_closes(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("snapped_at,price\n2024-01-02 00:00:00 UTC,5.25\n2024-01-03 00:00:00 UTC,6\n")
    assert main([str(path), "--asset", "BTC", "--write", str(tmp_path)]) == 0
    own = tmp_path / "BTC-USD_1d.csv"
    assert own.read_text() == "date,close\n2024-01-01,5.25\n2024-01-02,6.0\n"


def test_read_of_a_refused_file_is_one_line_and_writes_nothing(tmp_path, capsys):
    path = tmp_path / "RUT_1d.csv"
    path.write_text("Date,Close\n01/02/2024,5.5\n01/03/2024,6.5\n")
    out = tmp_path / "out.csv"
    assert main([str(path), "--write", str(out)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "Set data.date_format to '%m/%d/%Y' or '%d/%m/%Y'." in said.err
    assert not out.exists()
    assert main([str(path), "--date-format", "%m/%d/%Y", "--write", str(out)]) == 0
    assert out.read_text() == "date,close\n2024-01-02,5.5\n2024-01-03,6.5\n"


def test_read_of_a_series_writes_dates_and_values(tmp_path):
    path = tmp_path / "fredgraph.csv"
    path.write_text("observation_date,M2SL\n2024-02-01,7\n2024-01-01,5.5\n2024-03-01,.\n")
    assert main([str(path), "--series", "M2SL", "--write", str(tmp_path)]) == 0
    own = tmp_path / "M2SL_series.csv"
    assert own.read_text() == "date,value\n2024-01-01,5.5\n2024-02-01,7.0\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--columns", "clse=Px"], "`--columns` takes ROLE=NAME, a role being one of date, open"),
        (["--columns", "close"], "`--columns` takes ROLE=NAME"),
        (["--zone", "Mars"], "`--zone` is no such thing: 'Mars'"),
        (["--date-format", "%d/%m"], "`--date-format` is no such thing: '%d/%m'"),
        (["--asset", "../x"], "must be a plain symbol"),
        (["--asset", "BTC", "--index", "RUT"], "not allowed with argument"),
    ],
)
def test_read_refuses_options_that_are_wrong(export, capsys, arguments, message):
    assert main([str(export), *arguments]) == 2
    assert message in capsys.readouterr().err


def test_read_of_no_file_is_one_line(tmp_path, capsys):
    assert main([str(tmp_path / "none.csv")]) == 2
    assert (
        "error: none.csv: cannot be opened (No such file or directory)." in capsys.readouterr().err
    )
