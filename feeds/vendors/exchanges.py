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
    So does a history that begins after `since`, or after `required_start` where no `since`
    is given; if none goes back so far, the one that begins earliest is taken, and a note
    says so. An exchange that fails for the moment is an error, not a reason to change:
    another one's prices differ.

    `used` maps each symbol fetched to the exchange its bars came from, which is also the
    bars' `source`. Keep to it when adding bars later, with `Exchange(bars.source)`.
    `open_exchange` makes the vendor of a name, to give it a watcher or other patience.
    """

    name = "exchange"

    def __init__(
        self,
        order: Sequence[str] = ORDER,
        *,
        required_start: pd.Timestamp | None = None,
        open_exchange: Callable[[str], Exchange] = Exchange,
    ) -> None:
        if not order:
            raise ConfigError("`order` must name an exchange or more, received none. Try binance.")
        self.used: dict[str, str] = {}
        self._order = tuple(order)
        self._required_start = required_start
        self._open_exchange = open_exchange
        self._opened: dict[str, Exchange] = {}

    def fetch(
        self, instrument: Instrument, *, timeframe: str, since: pd.Timestamp | None = None
    ) -> Bars:
        """Return the bars as `feeds.vendors.vendor.Vendor.fetch` promises, from one exchange."""
        wanted = since if since is not None else self._required_start
        passed: list[str] = []
        late: list[tuple[pd.Timestamp, Exchange]] = []
        ended: list[Exchange] = []
        for name in self._order:
            try:
                exchange = self._exchange(name)
                begins = exchange.begins(instrument, timeframe=timeframe, since=since)
                if wanted is None or begins <= wanted.ceil(BAR_LENGTHS[timeframe]):
                    return self._recorded(
                        exchange.fetch(instrument, timeframe=timeframe, since=since), passed
                    )
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
                return self._recorded(
                    exchange.fetch(instrument, timeframe=timeframe, since=since), passed
                )
            except NotServed as refusal:
                passed.append(str(refusal))
        raise NotServed(
            f"{instrument.symbol}: none of {', '.join(self._order)} serves it: {' | '.join(passed)}"
        )

    def _recorded(self, bars: Bars, passed: list[str]) -> Bars:
        self.used[bars.instrument.symbol] = bars.source
        return replace(bars, notes=(*(f"passed over: {reason}" for reason in passed), *bars.notes))

    def _exchange(self, name: str) -> Exchange:
        if name not in self._opened:
            self._opened[name] = self._open_exchange(name)
        return self._opened[name]
