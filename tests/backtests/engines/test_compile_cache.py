"""What is compiled is answered by the machine code of exactly this source."""

import subprocess
import sys
import textwrap
from pathlib import Path
from types import FunctionType

import pytest

from backtests.engines.compile_cache import digest_of

ROOT = Path(__file__).parents[3]
SOURCE = """
    import math
    from typing import NamedTuple
    FACTOR = {factor}
    class Pair(NamedTuple):
        first: float
        {second}: float
    def inner(x):
        return x {operator} FACTOR
    def outer(x):
        return inner(x) + math.floor({constant})
    def reader(pair: Pair):
        return outer(pair.first)
"""
USUAL = {"factor": "2.0", "second": "second", "operator": "*", "constant": "1.0"}


def digest(**changed: str) -> str:
    names: dict[str, object] = {"__name__": "drawn"}
    exec(textwrap.dedent(SOURCE).format(**{**USUAL, **changed}), names)  # noqa: S102
    reader = names["reader"]
    assert isinstance(reader, FunctionType)
    return digest_of(reader)


def test_digest_of_the_same_source_is_the_same() -> None:
    assert digest() == digest()


@pytest.mark.parametrize(
    "changed",
    [{"factor": "3.0"}, {"second": "other"}, {"operator": "+"}, {"constant": "4.0"}],
    ids=["a constant of a callee", "a field of an argument", "a callee's code", "a literal"],
)
def test_digest_changes_with_anything_compiled_in(changed: dict[str, str]) -> None:
    assert digest(**changed) != digest()


def test_digest_of_a_function_that_calls_itself_ends() -> None:
    def down(x: int) -> int:
        return x if x <= 0 else down(x - 1)

    assert len(digest_of(down)) == 16


def test_constant_of_another_module_is_never_answered_by_old_code(tmp_path) -> None:
    """numba alone would: it looks at the file of the cached function only."""
    (tmp_path / "user.py").write_text(
        "import constants\nfrom backtests.engines.compile_cache import compile_function\n"
        "FACTOR = constants.FACTOR\ndef times(x): return x * FACTOR\n"
        "print(compile_function(times)(1.0))\n"
    )
    answers = []
    for factor in ("2.0", "3.0"):
        (tmp_path / "constants.py").write_text(f"FACTOR = {factor}\n")
        done = subprocess.run(
            [sys.executable, "-B", tmp_path / "user.py"],
            env={"PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        )
        answers.append(done.stdout.strip())
    assert answers == ["2.0", "3.0"]
