"""Serve the results on this machine only; the index is made anew on every reload."""

import contextlib
import threading
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from backtests.desk.review import show_journal
from backtests.records.decision_journal import journal_files
from backtests.records.saved_runs import BrokenRunError, chosen_folders, read_runs
from backtests.records.saved_searches import read_searches
from backtests.report.pages.comparison import compare_page
from backtests.report.pages.runs import index_page
from feeds.errors import ConfigError

LOOPBACK: Final = "127.0.0.1"
CLIENT_SECONDS: Final = 10  # a client that says nothing for so long is let go
MOST_CONNECTIONS: Final = 32
MOST_FIELDS: Final = 100
# our pages carry their scripts and styles with them and ask for nothing but the library that
# many of one folder share;
# plotly unpacks itself, which counts as evaluating
HEADERS: Final = {
    "Cache-Control": "no-store",  # the browser asks again on every reload
    "Content-Security-Policy": "default-src 'none'; "
    "script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'unsafe-inline'; img-src data: blob:; connect-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def server(results: Path, *, port: int) -> ThreadingHTTPServer:
    """Return a server of `results` that listens on loopback; port 0 takes a free one.

    Raises
    ------
    ConfigError
        If the port is taken or no port at all.
    """

    class Handler(_Handler):
        folder = results.resolve()

    try:
        return _Server((LOOPBACK, port), Handler)
    except (OSError, OverflowError) as error:
        raise ConfigError(f"`--port` must be a free port, received {port}: {error}.") from error


class _Server(ThreadingHTTPServer):
    """A thread per connection, of which there are never more than `MOST_CONNECTIONS`."""

    daemon_threads = True

    def __init__(self, *arguments: Any) -> None:
        self._free = threading.BoundedSemaphore(MOST_CONNECTIONS)
        super().__init__(*arguments)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread, or close the connection where all are busy."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer one connection and give its place back."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that went away is no fault of ours."""


class _Handler(SimpleHTTPRequestHandler):
    folder: Path
    timeout = CLIENT_SECONDS
    server_version = "results"
    sys_version = ""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, directory=str(self.folder), **named)

    def do_GET(self) -> None:
        """Answer a page made now, or a file of a run."""
        # a client that left while it was answered has nothing to be told
        with contextlib.suppress(ConnectionError, TimeoutError):
            self._answer()

    def do_HEAD(self) -> None:
        """Answer as to GET, checks included, without the body."""
        self.do_GET()

    def _answer(self) -> None:
        try:
            address = urlsplit(self.path)
            fields = parse_qs(address.query, max_num_fields=MOST_FIELDS)
        except ValueError:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        if not self._is_own_host():
            # another site's name that points here could read the results
            self.send_error(HTTPStatus.FORBIDDEN)
        elif address.path in ("/", "/index.html"):
            self._send(self._index())
        elif address.path == "/compare":
            self._compare(fields.get("run", []))
        elif self._is_result(address.path):
            self._send_file()
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def list_directory(self, path: Any) -> None:
        """Show no listings: the index is the way in."""
        del path
        self.send_error(HTTPStatus.NOT_FOUND)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing: nobody asked for an access log."""

    def end_headers(self) -> None:
        """Send the headers that every answer carries."""
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def _send_file(self) -> None:
        if self.command == "HEAD":
            super().do_HEAD()
        else:
            super().do_GET()

    def _index(self) -> str:
        return index_page(
            *read_runs(self.folder),
            searches=read_searches(self.folder),
            journals=[show_journal(path) for path in journal_files(self.folder)],
            is_served=True,
        )

    def _compare(self, names: list[str]) -> None:
        try:
            self._send(compare_page(chosen_folders(self.folder, names)))
        except BrokenRunError as error:
            self.send_error(HTTPStatus.BAD_REQUEST, explain=str(error))

    def _send(self, page: str) -> None:
        content = page.encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _is_own_host(self) -> bool:
        name = (self.headers.get("Host") or "").rpartition(":")[0]
        return name in (LOOPBACK, "localhost")

    def _is_result(self, path: str) -> bool:
        """Return whether a path leads to a file of the results, none of its names hidden."""
        name = unquote(path).lstrip("/")
        if any(part.startswith(".") for part in name.split("/")):
            return False
        try:
            wanted = (self.folder / name).resolve()
            return wanted.is_file() and wanted.is_relative_to(self.folder)
        except (OSError, ValueError):  # too long, or a character no file name can have
            return False
