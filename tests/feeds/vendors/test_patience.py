import subprocess
import sys
import time

import pytest

from feeds.errors import Unreachable
from feeds.vendors.access import PassingError, Patience

QUICK = Patience(attempts=3, connect_attempts=2, first_wait=0.0, longest_wait=0.0)


def failing(times, **options):
    calls = []

    def once():
        calls.append(1)
        if len(calls) <= times:
            raise PassingError("HTTP 503", **options)
        return "bars"

    return once, calls


def test_call_that_fails_twice_returns_what_the_third_gives():
    once, calls = failing(2)
    assert QUICK.call(once, subject="yahoo X", remedy="Wait.") == "bars"
    assert len(calls) == 3


def test_call_that_keeps_failing_names_subject_reason_and_remedy():
    once, calls = failing(9)
    with pytest.raises(Unreachable, match=r"^yahoo X: HTTP 503 \(tried 3 times\)\. Wait\.$"):
        QUICK.call(once, subject="yahoo X", remedy="Wait.")
    assert len(calls) == 3


def test_call_that_cannot_connect_gives_up_earlier():
    once, calls = failing(9, connecting=True)
    with pytest.raises(Unreachable, match="tried 2 times"):
        QUICK.call(once, subject="yahoo X", remedy="Wait.")
    assert len(calls) == 2


def test_call_with_another_error_is_not_tried_again():
    calls = []

    def once():
        calls.append(1)
        raise ValueError("refused")

    with pytest.raises(ValueError, match="refused"):
        QUICK.call(once, subject="yahoo X", remedy="Wait.")
    assert len(calls) == 1


def test_call_waits_as_long_as_the_vendor_asks_within_bounds():
    patient = Patience(attempts=2, first_wait=0.0, longest_wait=0.2)
    once, _ = failing(1, retry_after=60.0)
    started = time.monotonic()
    patient.call(once, subject="yahoo X", remedy="Wait.")
    assert 0.2 <= time.monotonic() - started < 8


def test_vendors_import_their_libraries_only_when_used():
    code = (
        "import sys, feeds.series;"
        "from feeds.vendors import exchanges, publishers, yahoo;"
        "slow = {'ccxt', 'yfinance', 'requests', 'curl_cffi', 'tenacity'} & set(sys.modules);"
        "sys.exit(str(slow) if slow else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
