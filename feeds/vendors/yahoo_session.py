"""The HTTP session given to yfinance: bounded waits, and a memory of how Yahoo answered.

yfinance returns the same empty table for an outage, a refusal and an unknown symbol. The
session sees the answers themselves, so that the three can be told apart.
"""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from curl_cffi.requests import Session
from curl_cffi.requests.exceptions import ConnectionError as ConnectFailure
from curl_cffi.requests.exceptions import RequestException, Timeout

from feeds.errors import DataError, NotServed
from feeds.vendors.patience import PassingError, Patience

CHART = "/v8/finance/chart/"
DATA_HOST = "query2.finance.yahoo.com"
# Where yfinance looks next when a chart request failed: some twenty requests to no end.
NOT_NEEDED = ("/v10/finance/", "/v7/finance/", "/ws/")
REFUSED = (403, 451)
PASSING = (401, 408, 425, 429)  # 401: the crumb ran out, the next try gets a new one
SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class ChartAnswer:
    """Yahoo's answer to a request for bars: HTTP status and body."""

    status: int
    body: str
    retry_after: float

    @property
    def chart(self) -> dict[str, Any]:
        """The `chart` object of the body, empty where the body is none of Yahoo's JSON."""
        try:
            chart = json.loads(self.body)["chart"]
        except (ValueError, KeyError, TypeError):
            return {}
        return chart if isinstance(chart, dict) else {}

    @property
    def meta(self) -> dict[str, Any]:
        """What Yahoo says about the symbol: granularity, first trade, zone."""
        results = self.chart.get("result") or [{}]
        meta: dict[str, Any] = results[0].get("meta") or {}
        return meta


class WatchedSession(Session):  # type: ignore[type-arg]
    """A browser-like session that gives up early and remembers.

    Once Yahoo's data host has failed, every further request of the same try fails at once:
    yfinance would otherwise wait for each of its fallbacks in turn.
    """

    def __init__(self, patience: Patience) -> None:
        super().__init__(impersonate="chrome")
        self._timeout = (patience.connect_timeout, patience.read_timeout)
        self._reached = False
        self._broken: RequestException | None = None
        self.answer: ChartAnswer | None = None

    def located(self, url: str) -> str:
        """Return where a request for `url` goes; tests send it to their own server."""
        return url

    def begin(self) -> None:
        """Forget the last try, and see that Yahoo can be reached at all."""
        self.answer, self._broken = None, None
        if not self._reached:
            try:
                self.request("GET", f"https://{DATA_HOST}/")
            except RequestException:
                return
            self._reached = True

    def request(self, method: Any, url: str, *args: Any, **options: Any) -> Any:
        """Send a request with our timeouts, and keep what a chart request brought."""
        if self._broken is not None:
            raise self._broken
        if any(part in url for part in NOT_NEEDED):
            raise RequestException("yfinance's search for a time zone elsewhere is cut short")
        try:
            response = super().request(
                method, self.located(url), *args, **{**options, "timeout": self._timeout}
            )
        except RequestException as error:
            if urlsplit(url).hostname == DATA_HOST:
                self._broken = error
            raise
        if CHART in url:
            wait = str(response.headers.get("Retry-After", ""))
            seconds = float(wait) if wait.isdigit() else 0.0
            self.answer = ChartAnswer(response.status_code, response.text, seconds)
        return response

    def judged(self, origin: str) -> ChartAnswer:
        """Return the answer if it holds bars, else raise what it means.

        Raises
        ------
        PassingError
            Network, timeout, 429, 5xx, or a page that is no data.
        NotServed
            Yahoo refuses this region, or has no such symbol or range.
        DataError
            yfinance never asked.
        """
        if self._broken is not None:
            # curl does not tell a connection that timed out from an answer that did.
            connecting = isinstance(self._broken, (ConnectFailure, Timeout)) and not self._reached
            reason = "cannot be reached" if connecting else "the connection broke or took too long"
            raise PassingError(reason, connecting=connecting)
        if self.answer is None:
            raise DataError(f"{origin}: yfinance asked for no bars. Update it, or use files.")
        _require_served(self.answer, origin)
        return self.answer


def _require_served(answer: ChartAnswer, origin: str) -> None:
    if answer.status in REFUSED:
        raise NotServed(
            f"{origin}: refused here (HTTP {answer.status}), by region or firewall. "
            "Use --source exchange for coins, or --source files."
        )
    if answer.status in PASSING or answer.status >= SERVER_ERROR:
        raise PassingError(f"HTTP {answer.status}", retry_after=answer.retry_after)
    chart = answer.chart
    if not chart:
        raise PassingError("the answer is no data")
    reason = (chart.get("error") or {}).get("description", "")
    results = chart.get("result") or []
    if reason or not results or not results[0].get("timestamp"):
        raise NotServed(
            f"{origin}: {reason.rstrip('.') or 'no bars in this range'} (HTTP {answer.status}). "
            "Check the symbol and the start, or use --source files."
        )
