"""HTTP against a server that does everything wrong: each ends soon, in an error of ours."""

import gzip
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest

from feeds.errors import DataError, NotServed, Unreachable
from feeds.vendors.http_client import answer, is_json, open_session
from feeds.vendors.request_policy import Patience
from tests.feeds.vendors.loopback import HTML, Answer, Server, as_json, closed_address, serving

TWICE = Patience(attempts=2, first_wait=0.0, longest_wait=0.0)
HASTY = replace(TWICE, read_timeout=0.3)
WHOLE = b'{"rows": [1, 2, 3]}'
PACKED = {"Content-Encoding": "gzip"}


@contextmanager
def server_of(given):
    server = Server(lambda request: given(request) if callable(given) else given)
    with serving(server) as address:
        yield address, server


def asked(address, *, patience=TWICE, until=float("inf")):
    with open_session(patience, is_data=is_json) as session:
        return answer(
            session,
            f"{address}/x",
            subject="vendor X",
            remedy="Wait.",
            patience=patience,
            until=until,
        )


def test_answer_is_the_whole_body_also_packed():
    for given in (Answer(WHOLE), Answer(gzip.compress(WHOLE), headers=PACKED)):
        with server_of(given) as (address, _):
            assert asked(address) == WHOLE


LASTING = {
    "later": Answer(b"{}", status=418),
    "busy": Answer(b"{}", status=429, headers={"Retry-After": "\xb2"}),
    "broken": Answer(HTML, status=502),
    "page": Answer(HTML, content_type="text/html"),
    "nothing": Answer(b""),
    "no content": Answer(b"", status=204),
    "cut": Answer(WHOLE, cut=0.5),
    "announced longer": Answer(WHOLE, length=99),
    "announced shorter": Answer(WHOLE, length=7),
    "cut packed": Answer(gzip.compress(WHOLE)[:-12], headers=PACKED),
    "not packed": Answer(WHOLE, headers=PACKED),
    "silent": Answer(WHOLE, delay=0.6),
}


@pytest.mark.parametrize("fault", LASTING)
def test_answer_that_stays_of_no_use_is_one_error_after_two_tries(fault):
    with (
        server_of(LASTING[fault]) as (address, server),
        pytest.raises(Unreachable, match=r"^vendor X: .+ \(tried 2 times\)\. Wait\.$"),
    ):
        asked(address, patience=HASTY if fault == "silent" else TWICE)
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (401, NotServed, "refused here"),
        (451, NotServed, "refused here"),
        (404, NotServed, "not known there"),
        (400, NotServed, "not known there"),
        (402, DataError, "an answer of no use"),
        (302, DataError, "an answer of no use"),
    ],
)
def test_answer_that_is_final_is_not_asked_for_again(status, kind, reason):
    with server_of(as_json({}, status=status)) as (address, server):
        with pytest.raises(kind, match=rf"^vendor X: {reason} \(HTTP {status}\)") as error:
            asked(address)
        assert type(error.value) is kind
    assert len(server.requests) == 1


@pytest.mark.parametrize("target", ["/x", "http://example.org/x", "ftp://127.0.0.1/x", "http://["])
def test_answer_that_redirects_without_end_or_off_https_is_refused(target):
    with (
        server_of(Answer(b"", status=302, headers={"Location": target})) as (address, _),
        pytest.raises(NotServed, match="^vendor X: redirected without end or to no https address"),
    ):
        asked(address)


def test_answer_a_byte_at_a_time_is_given_up_in_head_and_body():
    hasty = replace(TWICE, request_seconds=0.4)
    for given in (Answer(WHOLE, drip=0.05), Answer(b" " * 400, drip=0.002)):
        with server_of(given) as (address, _):
            started = time.monotonic()
            with pytest.raises(Unreachable, match=r"tried 2 times"):
                asked(address, patience=hasty)
            assert time.monotonic() - started < 5


def test_answer_a_byte_at_a_time_is_taken_where_it_ends_in_time():
    with server_of(Answer(WHOLE, drip=0.002)) as (address, _):
        assert asked(address) == WHOLE


def test_answer_without_end_is_given_up(monkeypatch):
    monkeypatch.setattr("feeds.vendors.http_client.MOST_BYTES", 1_000)
    bomb = Answer(gzip.compress(b"[" + b" " * 1_000_000 + b"]"), headers=PACKED)
    with server_of(bomb) as (address, _), pytest.raises(Unreachable, match="the answer broke off"):
        asked(address)


def test_answer_is_not_tried_again_once_its_download_is_over():
    with server_of(Answer(HTML, status=503, delay=0.5)) as (address, server):
        with pytest.raises(Unreachable, match="tried once"):
            asked(address, until=time.monotonic() + 0.4)
        with pytest.raises(Unreachable, match=r"^vendor X: the download took over 600 seconds"):
            asked(address, until=time.monotonic())
    assert len(server.requests) == 1


def test_answer_from_nobody_is_unreachable_at_once():
    started = time.monotonic()
    with pytest.raises(Unreachable, match=r"cannot be reached \(tried 2 times\)"):
        asked(closed_address())
    assert time.monotonic() - started < 5


def test_answer_from_this_machine_is_not_asked_of_a_proxy(monkeypatch):
    monkeypatch.setenv("http_proxy", closed_address())
    with server_of(Answer(WHOLE)) as (address, _):
        assert asked(address) == WHOLE
