"""What may be said of a run: every sentence that judges it, chosen here from numbers alone.

The names are loaded when they are first touched: a page of thousands of runs judges none.
"""

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from backtests.report.words.judgement import RunJudgement, judge_run
    from backtests.report.words.phrases import RunFacts, standing
    from backtests.report.words.verdict import break_even

__all__ = ["RunFacts", "RunJudgement", "break_even", "judge_run", "standing"]

_HOMES: Final = {
    "RunFacts": "phrases",
    "RunJudgement": "judgement",
    "break_even": "verdict",
    "judge_run": "judgement",
    "standing": "phrases",
}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first touched."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
    found = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = found
    return found
