"""Serve the results on this machine only; the index is made anew on every reload."""

from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from backtests.report.compare_page import compare_page
from backtests.report.index_page import index_page
from backtests.report.run_record import BrokenRunError, chosen_folders, read_runs
from backtests.report.search_record import read_searches
from feeds.errors import ConfigError

LOOPBACK: Final = "127.0.0.1"


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
        return ThreadingHTTPServer((LOOPBACK, port), Handler)
    except (OSError, OverflowError) as error:
        raise ConfigError(f"`--port` must be a free port, received {port}: {error}.") from error


class _Handler(SimpleHTTPRequestHandler):
    folder: Path

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, directory=str(self.folder), **named)

    def do_GET(self) -> None:
        """Answer a page made now, or a file of a run."""
        address = urlsplit(self.path)
        if not self._is_own_host():
            # another site's name that points here could read the results
            self.send_error(HTTPStatus.FORBIDDEN)
        elif address.path in ("/", "/index.html"):
            searches = read_searches(self.folder)
            self._send(index_page(*read_runs(self.folder), searches=searches, is_served=True))
        elif address.path == "/compare":
            self._compare(parse_qs(address.query).get("run", []))
        elif self._is_inside(address.path):
            super().do_GET()
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def list_directory(self, path: Any) -> None:
        """Show no listings: the index is the way in."""
        del path
        self.send_error(HTTPStatus.NOT_FOUND)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing: nobody asked for an access log."""

    def end_headers(self) -> None:
        """Have the browser ask again on every reload."""
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

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
        self.wfile.write(content)

    def _is_own_host(self) -> bool:
        name = (self.headers.get("Host") or "").rpartition(":")[0]
        return name in (LOOPBACK, "localhost")

    def _is_inside(self, path: str) -> bool:
        wanted = (self.folder / unquote(path).lstrip("/")).resolve()
        return wanted.is_file() and wanted.is_relative_to(self.folder)
