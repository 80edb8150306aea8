"""Runs in tests without the process that draws pyfolio's sheets, which has tests of its own."""

import contextlib
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any, Self

import pytest

from backtests.report.pyfolio_sheets import process as sheet_worker
from backtests.report.pyfolio_sheets.process import SHEETS, Sheet, SheetWorker


class BlankSheets:
    """Stands in for `SheetWorker`: starts nothing and draws nothing, and the page says so."""

    def begin(self, _: dict[str, Any]) -> None:
        return None

    def submit(self, _: dict[str, Any]) -> "Future[list[Sheet]]":
        done: Future[list[Sheet]] = Future()
        done.set_result([Sheet(title, reason="left out in this test") for title in SHEETS.values()])
        return done

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


@contextlib.contextmanager
def sheets_drawn_by(worker: type[SheetWorker] | type[BlankSheets]) -> Iterator[None]:
    """Let every run in the block start this worker, and wait for its sheets."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sheet_worker, "SheetWorker", worker)
        # a command whose imports were paid by other tests is faster than any drawing
        if worker is SheetWorker:
            patch.setattr(sheet_worker, "PATIENCE", 1_000.0)
        yield
