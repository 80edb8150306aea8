"""Mirrors: which addresses are taken, from where, and which are refused."""

import pytest

from backtests.config.config import load_config, validated_config
from backtests.market.inputs import load_inputs
from feeds.errors import ConfigError
from feeds.vendors.access import ADDRESSES, VARIABLE, address_of, is_allowed, use_addresses

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
