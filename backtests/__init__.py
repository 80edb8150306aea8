"""Does crypto follow the Russell 2000? What Python has of it, and the commands.

`import backtests as bt`, then `bt.backtest("ETH", hold_days=90)`: the names below are loaded when
they are first touched, so that importing the package costs nothing. The commands are `run`,
`study` (claims and events), `sweep`, `walkforward`, `compare`, `audit` (does anything see the
future?) and `list` (what a config can name). A run goes through `config` (settings), `market`
(inputs, what is known when), `engines` (the simulation, and what to compare with) and `analysis`
(figures); `report` words and draws it, `records` keeps it. `claims` and `search` do the same for
studies and for many runs.
"""

import importlib
import sys
import types
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from backtests.api.backtest import audit, backtest, load, today
    from backtests.api.result import Result, tearsheet
    from backtests.api.study import study
    from backtests.api.sweep import sweep
    from backtests.api.walk import walk_forward
    from backtests.config.config import Config, load_config
    from feeds.bars import Bars
    from strategies.decorators import exit, filter, selection, signal, sizing, weighting  # noqa: A004

__all__ = [
    "Bars",
    "Config",
    "Result",
    "audit",
    "backtest",
    "exit",
    "filter",
    "load",
    "load_config",
    "selection",
    "signal",
    "sizing",
    "study",
    "sweep",
    "tearsheet",
    "today",
    "walk_forward",
    "weighting",
]

# where each name is kept
_HOMES: Final = {
    "audit": "backtests.api.backtest",
    "Bars": "feeds.bars",
    "Config": "backtests.config.config",
    "Result": "backtests.api.result",
    "backtest": "backtests.api.backtest",
    "load": "backtests.api.backtest",
    "load_config": "backtests.config.config",
    "study": "backtests.api.study",
    "sweep": "backtests.api.sweep",
    "tearsheet": "backtests.api.result",
    "today": "backtests.api.backtest",
    "walk_forward": "backtests.api.walk",
    "signal": "strategies.decorators",
    "filter": "strategies.decorators",
    "exit": "strategies.decorators",
    "sizing": "strategies.decorators",
    "weighting": "strategies.decorators",
    "selection": "strategies.decorators",
}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first touched."""
    if name not in _HOMES:
        raise AttributeError(
            f"module {__name__!r} has no attribute {name!r}", name=name, obj=sys.modules[__name__]
        )
    found = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted([*__all__, *(name for name in globals() if name.startswith("__"))])


class _Package(types.ModuleType):
    """The package, in which `sweep` and `study` stay functions.

    Commands have these names as well, and Python sets a module in its package once it is loaded.
    They are modules to run, or to take a name from: `from backtests.sweep import main`.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOMES and isinstance(value, types.ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
