"""The examples of every public name are run as they stand."""

import doctest
from pathlib import Path

import pytest

import backtests as bt
from backtests.api.study import StudyResult
from backtests.api.sweep import SweepResult
from backtests.api.walk import WalkForwardResult

RETURNED = {kind.__name__: kind for kind in (StudyResult, SweepResult, WalkForwardResult)}


@pytest.mark.parametrize("name", [*bt.__all__, *RETURNED])
def test_examples_run_as_they_stand(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = RETURNED.get(name) or getattr(bt, name)
    tests = doctest.DocTestFinder(recurse=False).find(found, name, module=False, globs={})
    failures: list[str] = []
    results = [doctest.DocTestRunner().run(test, out=failures.append) for test in tests]
    assert sum(result.attempted for result in results) > 1
    assert not failures, "".join(failures)
