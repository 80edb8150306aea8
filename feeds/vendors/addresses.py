"""Where each vendor we speak HTTP with is reached: its own address, or a mirror set for it.

A mirror is set in the config's section `[vendors]`, or for all commands as JSON in the
environment variable RUSSELL_VENDORS; a config goes before the variable. A key's address is
the base of the vendor's own paths, without a slash at its end, for all but `ishares`, which
is the whole address of the fund's file.
"""

import difflib
import ipaddress
import json
import os
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from feeds.errors import ConfigError

VARIABLE: Final = "RUSSELL_VENDORS"
ADDRESSES: Final[Mapping[str, str]] = {
    "fred": "https://fred.stlouisfed.org",
    "coinmetrics": "https://community-api.coinmetrics.io",
    "binance_archive": "https://data.binance.vision",
    "binance_listing": "https://s3-ap-northeast-1.amazonaws.com/data.binance.vision",
    "alternative": "https://api.alternative.me",
    "ishares": (
        "https://www.ishares.com/us/products/239710/ishares-russell-2000-etf/"
        "1521942788811.ajax?fileType=xls&fileName=iShares-Russell-2000-ETF_fund&dataType=fund"
    ),
}
WHOLE: Final = frozenset({"ishares"})

_chosen: dict[str, str] = {}


def address_of(name: str) -> str:
    """Return where the vendor `name` is reached: as a config says, the variable, or itself.

    Raises
    ------
    ConfigError
        If what RUSSELL_VENDORS holds cannot be used.
    """
    if name in _chosen:
        return _chosen[name]
    return _from_environment().get(name, ADDRESSES[name])


def use_addresses(chosen: Mapping[str, str]) -> None:
    """Take these addresses in this process from now on, in place of those taken before.

    An empty address stands for one not set.

    Raises
    ------
    ConfigError
        If one cannot be used; then nothing changes.
    """
    checked = _check(chosen, parameter="vendors.{}")
    _chosen.clear()
    _chosen.update(checked)


def is_allowed(address: str) -> bool:
    """Return whether `address` is https, or plain http to this machine."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        parts.port  # noqa: B018 - raises where it is none
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_here(host)))


def is_here(host: str) -> bool:
    """Return whether a host's name is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _from_environment() -> dict[str, str]:
    text = os.environ.get(VARIABLE, "").strip()
    if not text:
        return {}
    try:
        chosen = json.loads(text)
    except ValueError:
        chosen = None
    if not isinstance(chosen, dict):
        raise ConfigError(
            f'`{VARIABLE}` must be JSON such as {{"fred": "https://mirror.example/fred"}}, '
            f"received {text[:80]!r}."
        )
    return _check(chosen, parameter=VARIABLE + ".{}")


def _check(chosen: Mapping[str, object], *, parameter: str) -> dict[str, str]:
    checked = {}
    for name, address in chosen.items():
        key = parameter.format(name)
        if name not in ADDRESSES:
            near = difflib.get_close_matches(str(name), ADDRESSES, n=1)
            hint = f"The nearest is `{near[0]}`" if near else f"There are {', '.join(ADDRESSES)}"
            raise ConfigError(f"`{key}` is no vendor with an address to set. {hint}.")
        if address == "":
            continue
        if not isinstance(address, str) or not _is_base(address, is_whole=name in WHOLE):
            raise ConfigError(
                f"`{key}` must be an https address, or http to this machine, without name and "
                f"password, received {address!r}."
            )
        checked[name] = address if name in WHOLE else address.rstrip("/")
    return checked


def _is_base(address: str, *, is_whole: bool) -> bool:
    if not address.isascii() or not address.isprintable() or " " in address or "\\" in address:
        return False
    if not is_allowed(address):
        return False
    parts = urlsplit(address)
    return "@" not in parts.netloc and (is_whole or not (parts.query or parts.fragment))
