"""A process of its own that draws pyfolio's sheets.

pyfolio takes over a second to import and reads its annualisation from globals of two
libraries. A separate process hides the first behind the backtest and keeps the second, and
matplotlib's settings, out of everything else. This module imports nothing slow, so that the
process can be started first of all.
"""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

WORKER: Final = "backtests.report.pyfolio_sheets.worker"
TIME_LIMIT_SECONDS: Final = 60
PATIENCE: Final = 1.0  # of what the rest of a run took
TOO_LATE: Final = (
    "It took longer than all the rest of the run and was not waited for: run it again, or write "
    "the page from Python with `result.tearsheet(...)`, which waits."
)
SHEETS: Final = {
    "returns": "Returns and rolling figures",
    "drawdowns": "Drawdowns",
    "months": "Months and years",
    "round_trips": "Round trips",
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """One picture as base64 PNG, or the reason there is none."""

    title: str
    png: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """Sheets that are being drawn, and how long they are waited for; None is until they are."""

    future: "Future[list[Sheet]]"
    patience_seconds: float | None = None

    def result(self) -> list[Sheet]:
        """Return the sheets; one that is not there says why."""
        try:
            return self.future.result(self.patience_seconds)
        except TimeoutError:
            return _none(TOO_LATE)


class SheetWorker:
    """A process that loads pyfolio at once and draws when it is told what.

    Start it before other work and the import costs no time of its own.
    """

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._sent: Future[list[Sheet]] | None = None
        self._begun: tuple[dict[str, Any], Future[list[Sheet]]] | None = None
        root = str(Path(__file__).resolve().parents[3])
        path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
        self._process = subprocess.Popen(  # noqa: S603 - our own module, no outside text
            [sys.executable, "-W", "ignore", "-m", WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path, "MPLBACKEND": "Agg"},
        )

    def begin(self, request: dict[str, Any]) -> None:
        """Send what to draw, to be asked for by `submit` when the rest of a run is done.

        From then on it is waited for as long as all the rest took, and no longer.
        """
        self._begun = (request, self._send(request))

    def submit(self, request: dict[str, Any]) -> "Drawing":
        """Send what to draw, unless that was begun, and return at once."""
        if self._begun is None or self._begun[0] != request:
            return Drawing(self._send(request))
        return Drawing(
            self._begun[1], patience_seconds=PATIENCE * (time.monotonic() - self._started)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End a process that was started and will not be asked any more."""
        if self._process.poll() is None:
            self._process.kill()
        if self._sent is not None:
            # its thread reads the pipes to their end and closes them: closed here, their numbers
            # would go to the next process while that thread still reads them
            wait([self._sent])
            return
        self._close_pipes()

    def _close_pipes(self) -> None:
        # what was still to be sent has no reader any more
        with suppress(BrokenPipeError), self._process:
            pass

    def _send(self, request: dict[str, Any]) -> "Future[list[Sheet]]":
        pool = ThreadPoolExecutor(max_workers=1)
        self._sent = pool.submit(self._draw, json.dumps(request))
        pool.shutdown(wait=False)
        return self._sent

    def _draw(self, request: str) -> list[Sheet]:
        try:
            answer, errors = self._process.communicate(request.encode(), timeout=TIME_LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._close_pipes()
            return _none(f"pyfolio did not finish within {TIME_LIMIT_SECONDS} seconds")
        if self._process.returncode:
            last = errors.decode(errors="replace").strip().splitlines()[-1:]
            why = "".join(last).removeprefix(f"{sys.executable}: ") or "no message"
            return _none(f"pyfolio could not be run ({why})")
        drawn = json.loads(answer)
        return [Sheet(title, **drawn[name]) for name, title in SHEETS.items()]


def _none(reason: str) -> list[Sheet]:
    return [Sheet(title, reason=reason) for title in SHEETS.values()]
