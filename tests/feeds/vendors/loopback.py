"""A server on 127.0.0.1 that speaks a vendor's format, and misbehaves on request."""

import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

HTML = b"<!DOCTYPE html><html><body>Access through this proxy is denied.</body></html>"
DAY_MS = 86_400_000
HOUR_MS = 3_600_000


@dataclass(frozen=True)
class Answer:
    """What the server sends; `cut` announces the whole body but sends only that share.

    `drip` is a wait before every byte of head and body, so that no read of the client ever
    times out; `length` is announced instead of the body's own.
    """

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    delay: float = 0.0
    cut: float = 1.0
    drip: float = 0.0
    length: int | None = None
    headers: dict[str, str] = field(default_factory=dict)


def as_json(value: Any, **options: Any) -> Answer:
    return Answer(json.dumps(value).encode(), **options)


@dataclass(frozen=True)
class Request:
    path: str
    query: dict[str, str]


Route = Callable[[Request], Answer]
Test = Callable[[Request], bool]


class Server:
    """Answers with `route`, unless a fault is set for the request."""

    def __init__(self, route: Route) -> None:
        self.requests: list[Request] = []
        self.address = ""
        self._route = route
        self._faults: list[list[Any]] = []
        self._lock = threading.Lock()

    def fault(self, answer: Answer | Callable[[Answer], Answer], *, when: Test, times: int) -> None:
        """Answer the next `times` requests that `when` accepts with `answer`."""
        self._faults.append([when, answer, times])

    def forgive(self) -> None:
        """Answer without faults from now on."""
        self._faults.clear()

    def answer(self, request: Request) -> Answer:
        with self._lock:
            self.requests.append(request)
            for fault in self._faults:
                if fault[2] > 0 and fault[0](request):
                    fault[2] -= 1
                    return fault[1](self._route(request)) if callable(fault[1]) else fault[1]
        return self._route(request)


class QuietServer(ThreadingHTTPServer):
    """Says nothing of a client that hung up, which is what most tests here are about."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


@contextmanager
def serving(server: Server) -> Iterator[str]:
    """Serve in a thread and yield the address, such as http://127.0.0.1:1234."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet: two cost 40 ms each time

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            answer = server.answer(Request(parts.path, query))
            time.sleep(answer.delay)
            announced = len(answer.body) if answer.length is None else answer.length
            try:
                if answer.drip:
                    self.close_connection = True
                    drip(self.wfile, b"HTTP/1.1 200 OK\r\n\r\n" + answer.body, answer.drip)
                    return
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.content_type)
                self.send_header("Content-Length", str(announced))
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body[: int(len(answer.body) * answer.cut)])
            except (BrokenPipeError, ConnectionResetError):
                pass
            if answer.cut < 1 or answer.length is not None:
                self.close_connection = True

        do_POST = do_GET  # noqa: N815 - the base class names it

        def log_message(self, *_: Any) -> None:
            pass

    httpd = QuietServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    server.address = f"http://127.0.0.1:{httpd.server_address[1]}"
    try:
        yield server.address
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()


def drip(file: Any, payload: bytes, seconds: float) -> None:
    for number in range(len(payload)):
        file.write(payload[number : number + 1])
        file.flush()
        time.sleep(seconds)


def closed_address() -> str:
    """Return an address on which nobody listens."""
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    address = f"http://127.0.0.1:{httpd.server_address[1]}"
    httpd.server_close()
    return address


def candles(*, first: int, count: int, step: int = DAY_MS) -> list[list[float]]:
    """Return `count` rows `[ms, open, high, low, close, volume]` with telling prices."""
    rows = []
    for number in range(count):
        base = 100.0 + number
        rows.append([first + number * step, base, base + 2.0, base - 2.0, base + 1.0, 5.0])
    return rows


@contextmanager
def silent_address() -> Iterator[str]:
    """Yield an address whose connections are never accepted: its queue is full."""
    with closing(socket.socket()) as full, ExitStack() as stack:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(closing(socket.socket()))
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        yield f"http://127.0.0.1:{full.getsockname()[1]}"
