import pandas as pd
import pyarrow as pa
import pytest

from feeds.errors import DataError
from feeds.reading.dates import OpenOrder, stamps


def read(*texts, **options):
    return stamps(pa.array(list(texts)), origin="X.csv", **options)


@pytest.mark.parametrize(
    ("texts", "first"),
    [
        (["2024-01-02"], "2024-01-02"),
        (["2024-1-2"], "2024-01-02"),
        (["20240102"], "2024-01-02"),
        (["2024-01-02 09:30:00"], "2024-01-02 09:30"),
        (["01/02/2024", "01/13/2024"], "2024-01-02"),
        (["01/02/2024", "13/02/2024"], "2024-02-01"),
        (["1.2.2024", "13.2.2024"], "2024-02-01"),
        (["2024/01/02", "2024/01/13"], "2024-01-02"),
        (["01/02/24", "01/13/24"], "2024-01-02"),
        (["01/02/99", "01/13/99"], "1999-01-02"),
        (["Nov 02, 2019"], "2019-11-02"),
        (["November 2nd, 2019"], "2019-11-02"),
        (["Tue, Jan 02 2024"], "2024-01-02"),
        (["02-Nov-2019"], "2019-11-02"),
        (["25-Nov-99"], "1999-11-25"),
        (["31.März2026"], "2026-03-31"),
        (["30.Sept.2025"], "2025-09-30"),
        (["2 de enero de 2024"], "2024-01-02"),
        (["2020-07-01 11-PM"], "2020-07-01 23:00"),
        (["2020-07-01 12-AM"], "2020-07-01 00:00"),
        (["1/2/2024 4:00:00 PM", "1/13/2024 4:00:00 PM"], "2024-01-02 16:00"),
        (["2024-01-02T10:00:00Z"], "2024-01-02 10:00Z"),
        (["2013-04-28 00:00:00 UTC"], "2013-04-28 00:00Z"),
        (["2024-01-02 00:00:00-05:00", "2024-07-02 00:00:00-04:00"], "2024-01-02 05:00Z"),
        (["2024-09-10T23:59:59.999Z"], "2024-09-10 23:59:59.999Z"),
        (["1463112000"], "2016-05-13 04:00Z"),
        (["1463112000.0"], "2016-05-13 04:00Z"),
        (["1463112000.25"], "2016-05-13 04:00:00.25Z"),
        (["1735689600000"], "2025-01-01 00:00Z"),
        (["1735689600000000"], "2025-01-01 00:00Z"),
        (["1735689600000000000"], "2025-01-01 00:00Z"),
        (["1625803200000", "1463112000"], "2021-07-09 04:00Z"),
        (["-631152000", "1463112000"], "1950-01-01 00:00Z"),
        (["86400", "1463112000"], "1970-01-02 00:00Z"),
        (["86400000", "1463112000000"], "1970-01-02 00:00Z"),
        (["2026-02-26", "2/25/2026"], "2026-02-26"),
    ],
)
def test_dates_that_are_certain_are_read(texts, first):
    assert read(*texts).index()[0] == pd.Timestamp(first)


@pytest.mark.parametrize(
    ("texts", "formats"),
    [
        (["05/09/2025", "05/08/2025"], "'%m/%d/%Y' or '%d/%m/%Y'"),
        (["05-09-2025"], "'%m-%d-%Y' or '%d-%m-%Y'"),
        (["2024/05/09"], "'%Y/%m/%d' or '%Y/%d/%m'"),
        (["13/05/24"], "'%d/%m/%y' or '%y/%m/%d'"),
        (["10-Nov-19"], "'%d-%b-%y' or '%y-%b-%d'"),
        (["2025-05-09", "05/09/2025"], "'%m/%d/%Y' or '%d/%m/%Y'"),
    ],
)
def test_dates_of_an_open_order_are_asked_for_and_then_read(texts, formats):
    with pytest.raises(OpenOrder, match="no date of the file settles which") as refusal:
        read(*texts)
    assert str(refusal.value).endswith(f"Set data.date_format to {formats}.")


def test_date_format_settles_what_is_open_and_nothing_else():
    assert read("05/09/2025", date_format="%d/%m/%Y").index()[0] == pd.Timestamp("2025-09-05")
    assert read("05/09/2025", date_format="%m/%d/%Y").index()[0] == pd.Timestamp("2025-05-09")
    certain = read("05/09/2025", "05/13/2025", date_format="%d/%m/%Y")
    assert certain.index()[0] == pd.Timestamp("2025-05-09")
    assert read("2025-05-09", date_format="%d/%m/%Y").index()[0] == pd.Timestamp("2025-05-09")
    unknown = read("Day 45 of 2024", date_format="Day %j of %Y")
    assert unknown.index()[0] == pd.Timestamp("2024-02-14")


@pytest.mark.parametrize(
    "text",
    [
        *("", "soon", "2024-02-30", "2024-13-01", "13/13/2024", "2024-01-02 24:00", "0020-08-05"),
        *("9999-12-31", "1.62580320E+12", "45292", "2024-01-02 10:00 EST", "12 Foo 2024"),
        *("99999999999999999999", "5000000000", "2024-01-02 13:00 PM", "2024", "1789-13-01"),
    ],
)
def test_date_that_is_none_is_marked(text):
    assert read("2024-01-02", text).wrong.tolist() == [False, True]
    assert read(text).wrong.tolist() == [True]


def test_dates_with_and_without_a_zone_are_refused_but_for_days_beside_utc():
    with pytest.raises(DataError, match="'2024-01-03 00:00-05:00' carries a zone and '2024-01-02'"):
        read("2024-01-02", "2024-01-03 00:00-05:00")
    beside = read("2024-01-02", "2024-01-03 12:00Z").index()
    assert beside[0] == pd.Timestamp("2024-01-02 00:00Z")


def test_dates_of_a_slice_are_those_of_the_slice():
    column = pa.array(["01/13/2024", "02/14/2024", "03/15/2024"]).slice(1)
    assert stamps(column, origin="X").index()[0] == pd.Timestamp("2024-02-14")
