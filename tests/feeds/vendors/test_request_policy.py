"""Mirrors: which addresses are taken, from where, and which are refused; waits and retries."""

import subprocess
import sys
import time

import pytest

from backtests.config.config import load_config, validated_config
from backtests.market.inputs import load_inputs
from feeds.errors import ConfigError, Unreachable
from feeds.vendors.request_policy import (
    ADDRESSES,
    VARIABLE,
    PassingError,
    Patience,
    address_of,
    is_allowed,
    use_addresses,
)

MIRROR = "https://mirror.example/fred"


@pytest.fixture(autouse=True)
def _own_addresses():
    yield
    use_addresses({})


def test_address_without_a_mirror_is_the_vendors_own_and_https():
    assert {name: address_of(name) for name in ADDRESSES} == dict(ADDRESSES)
    assert all(is_allowed(address) for address in ADDRESSES.values())


def test_address_set_in_a_config_goes_before_the_variable(monkeypatch):
    monkeypatch.setenv(VARIABLE, '{"fred": "http://127.0.0.1:8080/fred/", "alternative": ""}')
    assert address_of("fred") == "http://127.0.0.1:8080/fred"
    assert address_of("alternative") == ADDRESSES["alternative"]
    use_addresses({"fred": MIRROR, "coinmetrics": ""})
    assert address_of("fred") == MIRROR
    assert address_of("coinmetrics") == ADDRESSES["coinmetrics"]
    use_addresses({})
    assert address_of("fred") == "http://127.0.0.1:8080/fred"


@pytest.mark.parametrize(
    "address",
    ["http://localhost:1/x", "http://127.8.0.1", "http://[::1]:80/a", "https://10.0.0.1:8443/b"],
)
def test_address_that_is_https_or_on_this_machine_is_taken(address):
    use_addresses({"coinmetrics": address})
    assert address_of("coinmetrics") == address


@pytest.mark.parametrize(
    "address",
    [
        "http://mirror.example",
        "http://127.0.0.1.evil.example",
        "http://127.0.0.1@evil.example",
        "https://user:word@mirror.example",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        "mirror.example",
        "https://",
        "https://mirror.example:port",
        "https://mirror.example?key=1",
        "https://mirror.example\nHost: x",
        "http://127.0.0.1\\@evil.example",
        "http://0.0.0.0",
        "http://[::1",
    ],
)
def test_address_that_is_neither_is_refused_in_one_line(address, monkeypatch):
    with pytest.raises(ConfigError, match=r"^`vendors.fred` must be an https address.*") as error:
        use_addresses({"fred": address})
    assert "\n" not in str(error.value)
    assert address_of("fred") == ADDRESSES["fred"]


def test_address_of_the_funds_file_may_carry_a_query_and_keeps_its_end():
    use_addresses({"ishares": "https://mirror.example/file.xls?day=1&x=/"})
    assert address_of("ishares") == "https://mirror.example/file.xls?day=1&x=/"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            "fred=http://127.0.0.1",
            r"^`RUSSELL_VENDORS` must be JSON such as .* received 'fred=http",
        ),
        ("[1]", r"^`RUSSELL_VENDORS` must be JSON"),
        ('{"fred": 1}', r"^`RUSSELL_VENDORS.fred` must be an https address.* received 1\.$"),
        ('{"frred": ""}', r"^`RUSSELL_VENDORS.frred` is no vendor .* The nearest is `fred`\.$"),
        ('{"": ""}', r"There are fred, coinmetrics"),
    ],
)
def test_variable_that_cannot_be_used_is_refused_in_one_line(text, complaint, monkeypatch):
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(ConfigError, match=complaint):
        address_of("fred")


def test_config_section_takes_the_known_names_only():
    config = load_config(None, overrides=[f"vendors.fred='{MIRROR}'"])
    assert config.vendors.fred == MIRROR
    assert set(type(config.vendors).model_fields) == set(ADDRESSES)
    with pytest.raises(ConfigError, match=r"`vendors.frd` is not a setting. .*`vendors.fred`"):
        load_config(None, overrides=["vendors.frd='x'"])


def test_run_uses_the_addresses_of_its_config():
    sample = {"data": {"source": "sample"}}
    load_inputs(validated_config({**sample, "vendors": {"fred": MIRROR}}))
    assert address_of("fred") == MIRROR
    load_inputs(validated_config(sample))
    assert address_of("fred") == ADDRESSES["fred"]
    with pytest.raises(ConfigError, match=r"`vendors.fred` must be an https address"):
        load_inputs(validated_config({**sample, "vendors": {"fred": "http://mirror.example"}}))


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
        "from feeds.vendors import exchanges, series_publishers, yahoo;"
        "slow = {'ccxt', 'yfinance', 'requests', 'curl_cffi', 'tenacity'} & set(sys.modules);"
        "sys.exit(str(slow) if slow else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
