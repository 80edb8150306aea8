"""The HTTP session given to yfinance: bounded waits, and a memory of how Yahoo answered.

yfinance returns the same empty table for an outage, a refusal and an unknown symbol. The
session sees the answers themselves, so that the three can be told apart.
"""

import json
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Final
from urllib.parse import urlsplit

from curl_cffi import CurlOpt
from curl_cffi.requests import Session
from curl_cffi.requests.exceptions import ConnectionError as ConnectFailure
from curl_cffi.requests.exceptions import RequestException, Timeout

from feeds.errors import DataError, NotServed
from feeds.vendors.registry import one_line
from feeds.vendors.request_policy import PassingError, Patience, is_passing

CHART: Final = "/v8/finance/chart/"
DATA_HOST: Final = "query2.finance.yahoo.com"
# Where yfinance looks next when a chart request failed: some twenty requests to no end.
NOT_NEEDED: Final = ("/v10/finance/", "/v7/finance/", "/ws/")
REFUSED: Final = (403, 407, 451)
CRUMB_RAN_OUT: Final = 401  # the next try gets a new one
# Cookie and crumb are a few bytes, and bars come without them, too.
COOKIE_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class ChartAnswer:
    """Yahoo's answer to a request for bars.

    `chart` is that object of the body, empty where the body is none of Yahoo's JSON;
    `retry_after` is the wait in seconds it asks for.
    """

    status: int
    chart: dict[str, Any] = field(default_factory=dict)
    retry_after: float = 0.0

    @property
    def result(self) -> dict[str, Any]:
        """The one result of the chart, empty where there is none."""
        results = self.chart.get("result")
        first = results[0] if isinstance(results, list) and results else None
        return first if isinstance(first, dict) else {}

    @property
    def reason(self) -> str:
        """Why there are no bars, as Yahoo says it."""
        error = self.chart.get("error")
        told = error.get("description") or error.get("code") if isinstance(error, dict) else None
        return one_line(told).rstrip(".") if isinstance(told, str) else ""

    @property
    def is_empty(self) -> bool:
        """Whether the answer says that there are no bars: no times and no prices either."""
        if not self.chart.get("result") and not self.chart.get("error"):
            return True
        indicators = self.result.get("indicators")
        quotes = indicators.get("quote") if isinstance(indicators, dict) else None
        has_none = not self.result.get("timestamp") and quotes in ([{}], [], None)
        return bool(self.result) and has_none


class WatchedSession(Session):  # type: ignore[type-arg]
    """A browser-like session that gives up early and remembers.

    Once a host has failed, every further request of the same try to it fails at once, and to
    Yahoo's data host every one at all: yfinance would otherwise wait for each of its
    fallbacks in turn.
    """

    def __init__(self, patience: Patience) -> None:
        silence = {CurlOpt.LOW_SPEED_LIMIT: 1, CurlOpt.LOW_SPEED_TIME: ceil(patience.read_timeout)}
        super().__init__(impersonate="chrome", curl_options=silence)
        self._patience = patience
        self._reached = False
        self._broken: dict[str, RequestException] = {}
        self.answer: ChartAnswer | None = None

    def address_for(self, url: str) -> str:
        """Return where a request for `url` goes; tests send it to their own server."""
        return url

    def begin(self) -> None:
        """Forget the last try, and see that Yahoo can be reached at all."""
        self.answer, self._broken = None, {}
        if not self._reached:
            try:
                self.request("GET", f"https://{DATA_HOST}/")
            except RequestException:
                return
            self._reached = True

    def request(self, method: Any, url: str, *args: Any, **options: Any) -> Any:
        """Send a request with our bounds, and keep what a chart request brought."""
        host = urlsplit(url).hostname or ""
        failed = self._broken.get(DATA_HOST) or self._broken.get(host)
        if failed is not None:
            raise failed
        if any(part in url for part in NOT_NEEDED):
            raise RequestException("yfinance's search for a time zone elsewhere is cut short")
        whole = self._patience.request_seconds
        seconds = whole if host == DATA_HOST else min(COOKIE_SECONDS, whole)
        # curl bounds the whole request by the two together, however little arrives at a time
        bounds = {"timeout": (self._patience.connect_timeout, seconds)}
        try:
            response = super().request(
                method, self.address_for(url), *args, **{**options, **bounds}
            )
        except RequestException as error:
            self._broken[host] = error
            raise
        if CHART in url:
            self.answer = _answer(response)
        return response

    def judge(self, origin: str) -> ChartAnswer:
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
        broken = self._broken.get(DATA_HOST)
        if broken is not None:
            # curl does not tell a connection that timed out from an answer that did.
            connecting = isinstance(broken, (ConnectFailure, Timeout)) and not self._reached
            reason = "cannot be reached" if connecting else "the connection broke or took too long"
            raise PassingError(reason, connecting=connecting)
        if self.answer is None:
            raise DataError(f"{origin}: yfinance asked for no bars. Update it, or use files.")
        _require_served(self.answer, origin)
        return self.answer


def _answer(response: Any) -> ChartAnswer:
    wait = str(response.headers.get("Retry-After", ""))
    seconds = float(wait) if wait.isascii() and wait.isdecimal() else 0.0
    try:
        chart = json.loads(response.text)["chart"]
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        chart = None
    return ChartAnswer(response.status_code, chart if isinstance(chart, dict) else {}, seconds)


def _require_served(answer: ChartAnswer, origin: str) -> None:
    if answer.status in REFUSED:
        raise NotServed(
            f"{origin}: refused here (HTTP {answer.status}), by region or firewall. "
            "Use --source exchange for coins, or --source files."
        )
    if is_passing(answer.status) or answer.status == CRUMB_RAN_OUT:
        raise PassingError(f"HTTP {answer.status}", retry_after=answer.retry_after)
    if not answer.chart:
        raise PassingError("the answer is no data")
    if answer.reason or answer.is_empty:
        raise NotServed(
            f"{origin}: {answer.reason or 'no bars in this range'} (HTTP {answer.status}). "
            "Check the symbol and the start, or use --source files."
        )
