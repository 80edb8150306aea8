"""A fund's history file: what it says, in whatever language, and the flows it implies."""

import pandas as pd
import pytest

from feeds.errors import Absent, DataError
from feeds.fund_flows import flows_from_file, fund_date, fund_files, sheet_history
from feeds.series_sources import load_series

# Yearly flows of IWM in USD billion, from the publisher's file by others.
YEARLY = {
    2011: -2.39, 2016: 5.52, 2020: 2.54, 2021: 2.74, 2022: -2.22, 2023: 6.86, 2024: -0.01,
    2025: -4.86,
}  # fmt: skip
HEAD = ("As Of", "NAV per Share", "Ex-Dividends", "Shares Outstanding")
DAYS = (
    ("Jan 04, 2024", "10.0", "--", "300000"),
    ("Jan 03, 2024", "12.5", "0.1", "340000"),
    ("Jan 02, 2024", "12.0", "--", "300000"),
)


def workbook(*rows, head=HEAD, sheet="Historical"):
    """A fund's file as the site writes it: two byte-order marks and a bare ampersand."""
    lines = "".join(
        "<ss:Row>\n"
        + "".join(
            f'<ss:Cell ss:StyleID="x">\n<ss:Data ss:Type="String">{cell}</ss:Data>\n</ss:Cell>\n'
            for cell in row
        )
        + "</ss:Row>\n"
        for row in (head, *rows)
    )
    text = (
        '\ufeff\ufeff<?xml version="1.0"?>\n<ss:Workbook xmlns:ss="urn:x">\n'
        '<ss:Worksheet ss:Name="Holdings"><ss:Table><ss:Row><ss:Cell><ss:Data>A & B</ss:Data>'
        "</ss:Cell></ss:Row></ss:Table></ss:Worksheet>\n"
        f'<ss:Worksheet ss:Name="{sheet}">\n<ss:Table>\n{lines}</ss:Table>\n</ss:Worksheet>\n'
        "</ss:Workbook>\n"
    )
    return text.encode()


def written(folder, payload, name="fund.xls"):
    (folder / name).write_bytes(payload)
    return folder


def test_flows_are_change_of_shares_times_value_known_a_session_later(tmp_path):
    series = load_series(
        "ETF_FLOWS", source="files", data_dir=str(written(tmp_path, workbook(*DAYS)))
    )
    assert series.frame["value"].tolist() == pytest.approx([40_000 * 12.5 / 1e6, -0.4])
    assert list(series.frame.index) == [pd.Timestamp("2024-01-03"), pd.Timestamp("2024-01-04")]
    known = series.frame["available_at"]
    assert known.iloc[0] == pd.Timestamp("2024-01-04 21:00", tz="UTC")
    assert known.iloc[1] == pd.Timestamp("2024-01-05 21:00", tz="UTC")
    assert (series.units, series.origin, series.notes) == ("USD million", "fund.xls", ())


def test_flows_of_a_friday_are_known_at_mondays_close(tmp_path):
    rows = [("Jan 05, 2024", "1", "--", "2"), ("Jan 04, 2024", "1", "--", "1")]
    series = flows_from_file(written(tmp_path, workbook(*rows)) / "fund.xls")
    assert series.frame["available_at"].iloc[0] == pd.Timestamp("2024-01-08 21:00", tz="UTC")
    late = flows_from_file(tmp_path / "fund.xls", lag_days=3)
    assert late.frame["available_at"].iloc[0] == pd.Timestamp("2024-01-09", tz="UTC")


def test_flows_of_the_real_file_are_the_published_ones(shared_data):
    series = flows_from_file(shared_data / "pieces" / "IWM_nav_shares_1d.csv")
    value = series.frame["value"]
    yearly = (value.groupby(pd.DatetimeIndex(value.index).year).sum() / 1e3).round(2)
    assert {year: yearly[year] for year in YEARLY} == YEARLY
    assert value["2025":].cumsum().min() / 1e3 == pytest.approx(-12.15, abs=0.005)
    assert f"{value['2025':].cumsum().idxmin():%Y-%m-%d}" == "2025-08-04"
    by_hand = pd.read_csv(
        shared_data / "deep" / "ETF_FLOWS_series.csv", index_col="date", parse_dates=["date"]
    )["value"]
    assert (value - by_hand).abs().max() < 0.001  # that file has three decimals
    assert (
        "shares of 2007-06-21, 2007-06-22, 2007-06-25, 2007-06-28 are misprints"
        in (series.notes[0])
    )


def test_flows_across_a_misprint_come_with_the_next_true_day(tmp_path):
    rows = [
        ("Jun 26, 2007", "80", "--", "900"),
        ("Jun 25, 2007", "80", "--", "7"),
        ("Jun 22, 2007", "80", "--", "7"),
        ("Jun 21, 2007", "80", "--", "7"),
        ("Jun 20, 2007", "80", "--", "1000"),
    ]
    series = flows_from_file(written(tmp_path, workbook(*rows)) / "fund.xls")
    assert (series.frame["value"] * 1e6).tolist() == pytest.approx([0, 0, 0, -8000])


def test_real_sample_is_read_as_it_is(shared_data):
    sample = shared_data.parent / "exports" / "ishares_fund_historical_sample.xls"
    history = sheet_history(sample.read_bytes(), origin=sample.name).frame
    assert len(history) == 20
    assert history.loc["2023-10-25"].tolist() == [83.387402, 473_800_000]
    assert history.loc["2023-09-28"].tolist() == [88.581844, 428_700_000]
    assert history.index.is_monotonic_increasing


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("Oct 25, 2023", "2023-10-25"),
        ("31.März2026", "2026-03-31"),
        ("30.Sept.2025", "2025-09-30"),
        ("30.Dez.2022", "2022-12-30"),
        ("24/mei/2018", "2018-05-24"),
        ("1 mrt 2020", "2020-03-01"),
        ("3 août 2020", "2020-08-03"),
        ("12 juin 2020", "2020-06-12"),
        ("1 juil. 2019", "2019-07-01"),
        ("10 lug 2020", "2020-07-10"),
        ("7 ene 2020", "2020-01-07"),
        ("2024-01-02", "2024-01-02"),
        ("01/02/2024", None),
        ("31 Feb 2020", None),
        ("5 Foo 2020", None),
        ("5 Jan 20", None),
        ("5 Jan 99999", None),
        ("", None),
    ],
)
def test_fund_date_is_read_in_any_of_its_languages_or_not_at_all(text, date):
    assert fund_date(text) == (None if date is None else pd.Timestamp(date))


def test_sheet_in_another_language_is_told_by_its_headings():
    head = ("per", "Währung", "NAV", "Umlaufende Anteile")
    payload = workbook(("31.März2026", "EUR", "5.5", "900000"), head=head, sheet="Historisch")
    history = sheet_history(payload, origin="fund.xls").frame
    assert history.loc["2026-03-31"].tolist() == [5.5, 900_000]


def test_days_without_shares_are_left_out_with_a_note(tmp_path):
    rows = (*DAYS, ("Dec 29, 2023", "11", "--", "--"))
    series = flows_from_file(written(tmp_path, workbook(*rows)) / "fund.xls")
    assert len(series) == 2
    assert series.notes == ("fund.xls: 1 days without shares or value left out",)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (workbook(*DAYS, head=("Date", "Price", "Dividend", "Volume")), "no sheet has columns"),
        (workbook(*DAYS)[:-200], "no sheet has columns"),
        (workbook(*DAYS, DAYS[0]), "2024-01-04 stands there twice"),
        (workbook(("soon", "1", "--", "1")), "row 1: 'soon' is not a date"),
        (workbook(("Jan 02, 2024", "83,39", "--", "1")), "row 1: '83,39' is not a positive number"),
        (workbook(("Jan 02, 2024", "1", "--", "-5")), "row 1: '-5' is not a positive number"),
        (workbook(DAYS[0]), "fewer than two days with shares"),
    ],
)
def test_fund_file_that_cannot_be_read_is_an_error_and_not_absent(tmp_path, payload, reason):
    written(tmp_path, payload)
    with pytest.raises(DataError, match=rf"^fund.xls: {reason}") as error:
        flows_from_file(tmp_path / "fund.xls")
    assert not isinstance(error.value, Absent)
    assert "\n" not in str(error.value)


def test_table_without_a_column_names_it(tmp_path):
    written(tmp_path, b"date,nav\n2024-01-02,1\n", "IWM_nav_shares_1d.csv")
    with pytest.raises(DataError, match="column `shares` is missing, found date, nav"):
        load_series("ETF_FLOWS", source="files", data_dir=str(tmp_path))


def test_two_fund_files_in_a_folder_are_an_error_that_names_both(tmp_path):
    written(tmp_path, workbook(*DAYS))
    written(tmp_path, workbook(*DAYS), "other.xls")
    written(tmp_path, b"\xd0\xcf\x11\xe0 a real workbook", "accounts.xls")
    assert [path.name for path in fund_files(tmp_path)] == ["fund.xls", "other.xls"]
    with pytest.raises(DataError, match=r"two files: fund.xls and other.xls"):
        load_series("ETF_FLOWS", source="files", data_dir=str(tmp_path))


def test_series_file_goes_before_a_fund_file(tmp_path):
    written(tmp_path, workbook(*DAYS))
    written(tmp_path, b"date,value\n2024-01-02,7\n", "ETF_FLOWS_series.csv")
    series = load_series("ETF_FLOWS", source="files", data_dir=str(tmp_path))
    assert (series.origin, series.frame["value"].tolist()) == ("ETF_FLOWS_series.csv", [7.0])


def test_series_that_is_nowhere_is_absent(tmp_path):
    for name in ("ETF_FLOWS", "FEAR_GREED", "GOLD"):
        with pytest.raises(Absent, match=rf"Put {name}_series.csv into --data-dir"):
            load_series(name, source="files", data_dir=str(tmp_path))
