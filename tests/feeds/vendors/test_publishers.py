"""alternative.me and the fund's site through a loopback server."""

from contextlib import contextmanager

import pandas as pd
import pytest

from feeds.errors import ConfigError, DataError, NotServed, Unreachable
from feeds.vendors.access import Patience
from feeds.vendors.publishers import Alternative, Ishares
from tests.feeds.test_fund import DAYS, workbook
from tests.feeds.vendors.loopback import HTML, Answer, Server, as_json, closed_address, serving
from tests.scripted import Clock

IMPATIENT = Patience(
    connect_timeout=0.5, read_timeout=0.3, attempts=2, first_wait=0.0, longest_wait=0.0
)
NEWEST_FIRST = [
    {"value": "44", "timestamp": "1517702400", "time_until_update": "3600"},  # today
    {"value": "40", "value_classification": "Fear", "timestamp": "1517616000"},
    {"value": "15", "value_classification": "Extreme Fear", "timestamp": "1517529600"},
    {"value": "30", "value_classification": "Fear", "timestamp": "1517443200"},
]


@contextmanager
def alternative(answer):
    server = Server(lambda _: answer)
    with serving(server) as address:
        clock = Clock("2018-02-04 12:00")
        yield Alternative(address=address, patience=IMPATIENT, clock=clock), server


@contextmanager
def ishares(answer):
    server = Server(lambda _: answer)
    with serving(server) as address:
        yield Ishares(address=f"{address}/fund.xls?day=1", patience=IMPATIENT), server


# alternative.me


def test_fear_and_greed_has_the_days_that_are_over_each_known_at_its_end():
    with alternative(as_json({"data": NEWEST_FIRST})) as (source, server):
        series = source.fetch("FEAR_GREED")
    assert series.frame["value"].tolist() == [30.0, 15.0, 40.0]
    assert series.frame.index[0] == pd.Timestamp("2018-02-01")
    assert series.frame["available_at"].iloc[0] == pd.Timestamp("2018-02-02", tz="UTC")
    assert (series.source, series.origin) == ("alternative", "alternative FEAR_GREED")
    (request,) = server.requests
    assert (request.path, request.query) == ("/fng/", {"limit": "0", "format": "json"})


@pytest.mark.parametrize(
    "rows",
    [
        [{"value": "101", "timestamp": "1517443200"}],
        [{"value": "-1", "timestamp": "1517443200"}],
        [{"value": "30", "timestamp": "1517443201"}],
        [{"value": "30", "timestamp": "soon"}],
        [{"value": "30"}],
        [NEWEST_FIRST[1], NEWEST_FIRST[1]],
        [],
        "none",
        [None],
        {"a": 1},
    ],
)
def test_fear_and_greed_of_another_form_is_a_data_error(rows):
    wrong = pytest.raises(DataError, match="alternative FEAR_GREED")
    with alternative(as_json({"data": rows})) as (source, _), wrong as error:
        source.fetch("FEAR_GREED")
    assert "\n" not in str(error.value)


def test_fear_and_greed_unknown_series_is_refused():
    with pytest.raises(ConfigError, match="is FEAR_GREED, received 'GOLD'"):
        Alternative().fetch("GOLD")


# The fund's site


def test_fund_flows_come_from_the_whole_address():
    with ishares(Answer(workbook(*DAYS), content_type="application/vnd.ms-excel")) as (source, got):
        series = source.fetch("ETF_FLOWS")
    assert series.frame["value"].tolist() == pytest.approx([0.5, -0.4])
    assert (series.source, series.origin) == ("ishares", "ishares ETF_FLOWS")
    assert (got.requests[0].path, got.requests[0].query) == ("/fund.xls", {"day": "1"})


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(HTML, content_type="text/html"), Unreachable),
        (Answer(workbook(*DAYS), cut=0.5), Unreachable),
        (Answer(workbook(*DAYS)[:-30]), Unreachable),
        (Answer(HTML, status=403), NotServed),
        (Answer(HTML, status=503), Unreachable),
        (Answer(workbook(("soon", "1", "--", "1"))), DataError),
        (Answer(workbook(head=("a", "b"))), DataError),
    ],
)
def test_fund_file_that_does_not_come_whole_is_one_error(answer, kind):
    with ishares(answer) as (source, _), pytest.raises(kind, match="ishares ETF_FLOWS"):
        source.fetch("ETF_FLOWS")


def test_publishers_that_cannot_be_reached_are_unreachable():
    address = closed_address()
    with pytest.raises(Unreachable, match="alternative FEAR_GREED"):
        Alternative(address=address, patience=IMPATIENT).fetch("FEAR_GREED")
    with pytest.raises(Unreachable, match="ishares ETF_FLOWS"):
        Ishares(address=address, patience=IMPATIENT).fetch("ETF_FLOWS")
