"""One zip of the archive: verified, and read as it stands."""

import hashlib
import io
import zipfile
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from feeds.archive.client import File, read_page
from feeds.archive.zip_members import fetch_member, members_of, rows_of, span_of
from feeds.errors import DataError, Unreachable
from feeds.vendors.request_policy import PassingError
from tests.feeds.archive.loopback_archive import (
    FakeArchive,
    csv_of,
    klines,
    serving_archive,
    zip_of,
)
from tests.feeds.vendors.loopback import HTML, Answer

KEY = "data/spot/monthly/klines/ADAUSDT/1d/ADAUSDT-1d-2024-12.zip"
ROWS = klines("2024-12-01", np.linspace(0.5, 1.1, 31))


def member(period="2024-12", etag="", has_checksum=True):
    file = File(KEY.replace("2024-12", period), etag)
    marked = [File(f"{file.key}.CHECKSUM", "")] if has_checksum else []
    return members_of([file, *marked], pair="ADAUSDT", timeframe="1d")[period]


def archive():
    return FakeArchive({"ADAUSDT": ROWS}, now="2025-02-01T00:00Z")


def test_rows_in_milliseconds_and_microseconds_with_and_without_header_are_the_same_bars():
    january = klines("2025-01-01", [1.0, 2.0])
    for header in (False, True):
        assert rows_of(csv_of(ROWS, header=header), member()).equals(ROWS)
        assert rows_of(csv_of(january, header=header), member("2025-01")).equals(january)
    assert csv_of(january).startswith("1735689600000000,")
    assert csv_of(ROWS).startswith("1733011200000,")


def test_rows_as_binance_wrote_them(shared_data):
    """A recorded hour of December 2024 (ms) and of January 2025 (microseconds), read by hand."""
    exports = shared_data.parent / "exports"
    for name, period, first in (
        ("binance_vision_BTCUSDT-1h-2024-12_ms.csv", "2024-12", "2024-12-01"),
        ("binance_vision_BTCUSDT-1h-2025-01_us.csv", "2025-01", "2025-01-01"),
    ):
        text = (exports / name).read_text()
        rows = rows_of(text, replace(member(period), pair="BTCUSDT", timeframe="1h"))
        cells = text.splitlines()[0].split(",")
        assert rows.index[0] == pd.Timestamp(first, tz="UTC")
        assert rows.iloc[0].tolist() == [float(cells[at]) for at in (1, 2, 3, 4, 5, 7)]
        assert len(rows) == len(text.splitlines())


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "1733097600000,",
            "1733097600,",
            r"line 2 opens at 1733097600, which is no 1d bar of 2024",
        ),
        ("1733097600000,", "1735689600000,", "line 2 opens at 1735689600000"),
        ("1733097600000,", "1733101200000,", "line 2 opens at 1733101200000"),
        ("1733097600000,", "nan,", "line 2 opens at nan"),
        (",10.0,", ",ten,", "line 1 holds a cell that is no number"),
    ],
)
def test_rows_that_are_no_klines_are_one_line_with_the_place(old, new, message):
    text = csv_of(ROWS).replace(old, new, 1)
    with pytest.raises(DataError, match=message) as caught:
        rows_of(text, member())
    assert "ADAUSDT 2024-12" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_span_of_a_month_and_a_day():
    assert [f"{end:%Y-%m-%d %Z}" for end in span_of("2024-12")] == [
        "2024-12-01 UTC", "2025-01-01 UTC",
    ]  # fmt: skip
    assert [f"{end:%Y-%m-%d}" for end in span_of("2024-02-29")] == ["2024-02-29", "2024-03-01"]


def test_members_of_a_listing_pass_over_what_is_none_of_theirs():
    keys = ("ADAUSDT-1d-2020-8.zip", "ADAUSDT-1h-2020-09.zip", "BADAUSDT-1d-2020-09.zip", "x.txt")
    found = members_of([File(f"a/{key}", "") for key in keys], pair="ADAUSDT", timeframe="1d")
    assert list(found) == ["2020-08"]


def test_fetched_zip_has_its_rows_and_its_digest():
    served = archive()
    with serving_archive(served) as client:
        got = fetch_member(member(), client)
    assert got.rows.equals(ROWS)
    assert got.sha256 == hashlib.sha256(served.files[KEY]).hexdigest()
    assert (got.size, got.note) == (len(served.files[KEY]), "")


PASSING = {
    "cut": lambda answer: replace(answer, cut=0.6),
    "truncated": lambda answer: replace(answer, body=answer.body[:-20]),
    "altered": lambda answer: replace(answer, body=b"PK" + answer.body[2:-1] + b"?"),
    "page": Answer(HTML, content_type="text/html"),
    "503": Answer(b"", status=503),
    "429": Answer(b"", status=429, headers={"Retry-After": "0"}),
}


@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize("ending", [".zip", ".CHECKSUM"])
def test_fetched_through_a_passing_fault_is_whole(fault, ending):
    served = archive()
    served.server.fault(PASSING[fault], when=lambda r: r.path.endswith(ending), times=1)
    with serving_archive(served) as client:
        assert fetch_member(member(), client).rows.equals(ROWS)


@pytest.mark.parametrize("fault", ["truncated", "altered"])
def test_fetched_that_never_matches_its_checksum_is_one_line(fault):
    served = archive()
    served.server.fault(PASSING[fault], when=lambda r: r.path.endswith(".zip"), times=99)
    reason = r"ADAUSDT 2024-12: does not match its checksum \(tried 3 times\)\. .* It is left out"
    with serving_archive(served) as client, pytest.raises(DataError, match=reason) as caught:
        fetch_member(member(), client)
    assert not isinstance(caught.value, Unreachable)


def test_fetched_from_an_archive_that_is_down_is_unreachable():
    served = archive()
    served.server.fault(PASSING["503"], when=lambda r: True, times=99)
    with serving_archive(served) as client, pytest.raises(Unreachable, match="HTTP 503 .tried 3"):
        fetch_member(member(), client)


def test_fetched_without_a_checksum_is_held_to_the_listing():
    served = archive()
    del served.files[f"{KEY}.CHECKSUM"]
    tag = hashlib.md5(served.files[KEY], usedforsecurity=False).hexdigest()
    with serving_archive(served) as client:
        for one in (member(etag=tag), member(etag=tag, has_checksum=False)):
            assert "verified by the listing's MD5" in fetch_member(one, client).note
        with pytest.raises(DataError, match="does not match the listing's MD5"):
            fetch_member(member(etag="0" * 32), client)
        assert "own CRC only" in fetch_member(member(etag="0-2"), client).note


def two_tables():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr("a.csv", "1")
        made.writestr("b.csv", "2")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (zip_of("x", csv_of(ROWS))[:-30], "as published and cannot be read"),
        (b"PK nothing of the kind", "as published and cannot be read"),
        (two_tables(), "holds 2 tables where one is expected"),
        (zip_of("x", "a,b\n1,2\n"), "line 1 has 2 fields where 12 are expected"),
        (zip_of("x", "\xff\xfe"), "line 1 has 1 fields where 12 are expected"),
    ],
)
def test_fetched_zip_that_was_published_broken_is_one_line(payload, reason):
    served = archive()
    served.put_zip("monthly", "ADAUSDT", "ADAUSDT-1d-2024-12", payload)
    with serving_archive(served) as client, pytest.raises(DataError, match=reason) as caught:
        fetch_member(member(), client)
    assert len(str(caught.value).splitlines()) == 1


def test_page_of_a_listing_that_is_none_is_asked_for_again():
    for body in (b"", b"<a/>", b"<ListBucketResult>", b'<!DOCTYPE x [<!ENTITY a "b">]><a>&a;</a>'):
        with pytest.raises(PassingError):
            read_page(body)
    cut = b"<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"
    with pytest.raises(PassingError, match="breaks off"):
        read_page(cut)
