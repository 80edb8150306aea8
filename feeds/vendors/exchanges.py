"""Bars from the first of several crypto exchanges that has the coin and its history."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import pandas as pd

from feeds.bars import Bars
from feeds.errors import ConfigError, NotServed
from feeds.instruments import Instrument
from feeds.sessions import BAR_LENGTHS
from feeds.vendors.exchange import Ended, Exchange

log = logging.getLogger(__name__)

ORDER: Final = ("binance", "coinbase", "kraken", "bitstamp")


class Exchanges:
    """Several exchanges as one vendor: the first that has the coin and the history.

    A refusal (region, symbol, timeframe, missing history) passes on to the next exchange.
    So does a history that begins after `since`; if none goes back so far, the one that begins
    earliest is taken, and a note says so. One where the coin is no longer traded comes last of
    all: its candles end. An exchange that fails for the moment is an error, not a reason to
    change: another one's prices differ.

    The bars' `source` is the exchange they came from. `open_exchange` makes the vendor of a
    name, to give it a watcher or other patience.
    """

    name = "exchange"

    def __init__(
        self,
        order: Sequence[str] = ORDER,
        *,
        open_exchange: Callable[[str], Exchange] = Exchange,
    ) -> None:
        if not order:
            raise ConfigError("`order` must name an exchange or more, received none. Try binance.")
        self._order = tuple(order)
        self._open_exchange = open_exchange
        self._opened: dict[str, Exchange] = {}

    def fetch(
        self, instrument: Instrument, *, timeframe: str, since: pd.Timestamp | None = None
    ) -> Bars:
        """Return the bars as `feeds.vendors.registry.Vendor.fetch` promises, from one exchange."""
        passed: list[str] = []
        late: list[tuple[pd.Timestamp, Exchange]] = []
        ended: list[Exchange] = []
        for name in self._order:
            try:
                exchange = self._exchange(name)
                begins = exchange.begins(instrument, timeframe=timeframe, since=since)
                if since is None or begins <= since.ceil(BAR_LENGTHS[timeframe]):
                    bars = exchange.fetch(instrument, timeframe=timeframe, since=since)
                    return _with_reasons(bars, passed)
                late.append((begins, exchange))
                passed.append(f"{name} {instrument.symbol}: begins {begins:%Y-%m-%d}")
            except Ended as refusal:
                ended.append(exchange)
                passed.append(str(refusal))
            except NotServed as refusal:
                passed.append(str(refusal))
            log.warning("passed over: %s", passed[-1])
        latest = [exchange for _, exchange in sorted(late, key=lambda candidate: candidate[0])]
        for exchange in (*latest, *ended):
            try:
                bars = exchange.fetch(instrument, timeframe=timeframe, since=since)
                return _with_reasons(bars, passed)
            except NotServed as refusal:
                passed.append(str(refusal))
        raise NotServed(
            f"{instrument.symbol}: none of {', '.join(self._order)} serves it: {' | '.join(passed)}"
        )

    def _exchange(self, name: str) -> Exchange:
        if name not in self._opened:
            self._opened[name] = self._open_exchange(name)
        return self._opened[name]


def _with_reasons(bars: Bars, passed: Sequence[str]) -> Bars:
    return replace(bars, notes=(*(f"passed over: {reason}" for reason in passed), *bars.notes))
