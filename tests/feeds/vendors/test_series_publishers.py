"""FRED, alternative.me and the fund's site through a loopback server."""

import time
from contextlib import contextmanager
from dataclasses import replace

import pandas as pd
import pytest

from feeds.derived_series import LIQUIDITY_PARTS, net_liquidity
from feeds.errors import ConfigError, DataError, NotServed, Unreachable
from feeds.vendors.request_policy import Patience, use_addresses
from feeds.vendors.series_publishers import Alternative, Fred, Ishares
from tests.feeds.test_fund_flows import DAYS, workbook
from tests.feeds.vendors.loopback import (
    HTML,
    Answer,
    Request,
    Server,
    as_json,
    closed_address,
    serving,
)
from tests.scripted import Clock

IMPATIENT = Patience(
    connect_timeout=0.5, read_timeout=0.3, attempts=2, first_wait=0.0, longest_wait=0.0
)
TABLES = {
    "WALCL": "2025-03-19,6756227\n2025-03-26,6740253\n2025-04-02,6723460\n",
    "WTREGEN": "2025-03-19,410000\n2025-03-26,350000\n2025-04-02,300000\n",
    "RRPONTSYD": "2025-03-18,200.5\n2025-03-26,241.245\n2025-03-28,300\n2025-03-31,.\n",
    "M2SL": "2025-01-01,21500.1\n2025-02-01,21600.2\n",
}


@contextmanager
def fred(*, fault=None, times=10**9):
    def route(request: Request) -> Answer:
        name = request.query.get("id", "")
        if request.path != "/graph/fredgraph.csv" or name not in TABLES:
            return Answer(HTML, status=404, content_type="text/html")
        text = f"observation_date,{name}\n{TABLES[name]}"
        return Answer(text.encode(), content_type="application/csv")

    server = Server(route)
    if fault is not None:
        server.fault(fault, when=lambda _: True, times=times)
    with serving(server) as address:
        yield Fred(address=address, patience=IMPATIENT), server


def test_fetch_has_every_observation_and_when_it_was_known():
    with fred() as (source, _):
        series = source.fetch("WALCL")
    assert series.frame["value"].tolist() == [6756227.0, 6740253.0, 6723460.0]
    assert series.frame["available_at"].iloc[1] == pd.Timestamp("2025-03-27 20:30", tz="UTC")
    assert (series.units, series.source, series.origin) == ("USD million", "fred", "fred WALCL")


def test_fetch_leaves_out_dates_without_a_value():
    with fred() as (source, _):
        series = source.fetch("RRPONTSYD")
    assert len(series) == 3
    assert series.notes == ("fred RRPONTSYD: 1 date without a value left out",)


def test_fetch_of_a_revised_series_says_so():
    with fred() as (source, _):
        assert "as revised since, not as first published" in source.fetch("M2SL").notes[-1]


def test_fetch_of_net_liquidity_is_in_billions_and_known_with_its_last_part():
    with fred() as (source, _):
        series = net_liquidity(*map(source.fetch, LIQUIDITY_PARTS))
    # 6756.227 - 410 - 200.5 (of the day before), 6740.253 - 350 - 241.245, 6723.460 - 300 - 300
    assert series.frame["value"].tolist() == pytest.approx([6145.727, 6149.008, 6123.46])
    assert series.units == "USD billion"
    assert series.frame["available_at"].iloc[0] == pd.Timestamp("2025-03-20 20:30", tz="UTC")


def test_net_liquidity_without_a_reverse_repo_of_the_week_has_no_value():
    with fred() as (source, _):
        parts = [source.fetch(name) for name in ("WALCL", "WTREGEN", "RRPONTSYD")]
    late = replace(parts[2], frame=parts[2].frame.iloc[1:2])
    assert len(net_liquidity(parts[0], parts[1], late)) == 2
    old = parts[2].frame.iloc[:1].set_axis(pd.DatetimeIndex(["2020-01-01"]).as_unit("ns"))
    with pytest.raises(DataError, match=r"NET_LIQUIDITY: .* no Wednesday in common"):
        net_liquidity(parts[0], parts[1], replace(parts[2], frame=old))


PASSING = {
    "429": Answer(b"", status=429),
    "503": Answer(HTML, status=503, content_type="text/html"),
    "html": Answer(HTML, content_type="text/html"),
    "cut": lambda answer: replace(answer, cut=0.6),
    "short": lambda answer: replace(answer, body=answer.body[:-3]),
    "slow": lambda answer: replace(answer, delay=0.5),
}


@pytest.mark.parametrize("fault", PASSING)
def test_fetch_through_a_passing_fault_is_complete(fault):
    with fred(fault=PASSING[fault], times=1) as (source, _):
        assert len(source.fetch("WALCL")) == 3


@pytest.mark.parametrize("fault", PASSING)
def test_fetch_through_a_lasting_fault_is_one_clear_error(fault):
    with (
        fred(fault=PASSING[fault]) as (source, server),
        pytest.raises(Unreachable, match=r"fred WALCL: .*tried 2 times.* put WALCL_series.csv"),
    ):
        source.fetch("WALCL")
    assert len(server.requests) == 2


@pytest.mark.parametrize(("status", "reason"), [(403, "refused here"), (404, "not known there")])
def test_fetch_that_is_refused_is_not_retried(status, reason):
    fault = Answer(HTML, status=status, content_type="text/html")
    with fred(fault=fault) as (source, server), pytest.raises(NotServed, match=f"WALCL: {reason}"):
        source.fetch("WALCL")
    assert len(server.requests) == 1


def test_fetch_of_a_series_without_a_calendar_lists_the_others():
    with pytest.raises(ConfigError, match=r"`series` must be one of WALCL, .* received 'GDP'"):
        Fred().fetch("GDP")


def test_fetch_without_network_fails_within_seconds():
    started = time.monotonic()
    source = Fred(address=closed_address(), patience=Patience(first_wait=0))
    with pytest.raises(Unreachable, match=r"cannot be reached \(tried 2 times\)"):
        source.fetch("WALCL")
    assert time.monotonic() - started < 8


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"observation_date,M2SL\n2025-03-19,1\n", "asked for WALCL, the answer is of 'M2SL'"),
        (b"observation_date,WALCL\n2025-03-19\n", "a row is cut off"),
        (b"observation_date,WALCL\n2025-03-19,1,2\n", "a row is cut off"),
        (b"observation_date,WALCL\n2025-13-19,1\n", "'2025-13-19' is not a date"),
        (b"observation_date,WALCL\n9999-12-31,1\n", "'9999-12-31' is not a date"),
        (b"observation_date,WALCL\n2025-03-19,1e999\n", "'1e999' is not a number"),
        (b"observation_date,WALCL\n2025-03-19,\x00\n", r"'\\x00' is not a number"),
        (b"observation_date,WALCL\n", "no observations"),
        (b"observation_date,\xff\n2025-03-19,1\n", "asked for WALCL"),
    ],
)
def test_fetch_of_another_table_is_one_error(body, reason):
    fault = Answer(body, content_type="text/csv")
    with fred(fault=fault) as (source, _), pytest.raises(DataError, match=reason) as error:
        source.fetch("WALCL")
    assert str(error.value).startswith("fred WALCL: ")
    assert str(error.value).isprintable()


def test_fetch_of_the_older_header_is_read():
    fault = Answer(b"DATE,VALUE\n2025-03-19,1.5\n", content_type="text/csv")
    with fred(fault=fault) as (source, _):
        assert source.fetch("WALCL").frame["value"].tolist() == [1.5]


@pytest.mark.parametrize("status", [418, 425])
def test_fetch_that_is_put_off_is_tried_again(status):
    with fred(fault=Answer(b"", status=status), times=1) as (source, _):
        assert len(source.fetch("WALCL")) == 3


def test_fetch_asks_the_mirror_that_is_set():
    with fred() as (_, server):
        use_addresses({"fred": server.address})
        try:
            assert len(Fred(patience=IMPATIENT).fetch("WALCL")) == 3
        finally:
            use_addresses({})


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
