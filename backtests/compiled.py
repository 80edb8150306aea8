"""Compiling with numba, and keeping what was compiled for the next run.

numba notices a change in the file of a cached function, but not in the files of the
functions it calls. So the cache folder carries a digest of every source that is compiled,
and a changed rule is never answered by an old machine code.
"""

import contextlib
import functools
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType
from typing import Any, Final, TypeVar, cast

import numba
import numba.core.config

Function = TypeVar("Function", bound=Callable[..., Any])

_SETTINGS: Final[Any] = numba.core.config
_ROOT: Final = Path(__file__).parents[1]
_SOURCES: Final = (
    "strategies/portfolio.py",
    "strategies/rules.py",
    "strategies/sizing.py",
    "strategies/support.py",
    "strategies/targets.py",
    "backtests/compiled.py",
    "backtests/fast.py",
    "backtests/sweep/trials/full.py",
    "backtests/sweep/trials/groups.py",
    "backtests/sweep/trials/kernel.py",
    "backtests/sweep/trials/ranges.py",
    "backtests/sweep/trials/spans.py",
    "backtests/sweep/trials/stops.py",
)


def compiled(
    function: Function, *, is_inlined: bool = False, **replaced: Callable[..., Any]
) -> Function:
    """Return `function` as machine code that runs without holding the interpreter.

    Parameters
    ----------
    is_inlined
        Whether to put the code where it is called and count no references to arrays: these cost
        more than most functions that take a tuple of arrays. It must not make or return an array.
    replaced
        Names the function calls, and the compiled functions to call instead. So a plain
        function of another module is compiled as it stands, and its logic exists once.
    """
    plain = function.__code__
    code = FunctionType(
        # numba stumbles over keyword-only arguments; as ordinary ones they keep their names
        plain.replace(co_argcount=plain.co_argcount + plain.co_kwonlyargcount, co_kwonlyargcount=0),
        {**function.__globals__, **replaced},
        function.__name__,
    )
    code.__module__ = function.__module__
    code.__qualname__ = function.__qualname__
    with _cache_folder() as can_cache:
        options: dict[str, Any] = {"forceinline": is_inlined, "_nrt": not is_inlined}
        machine_code: Any = numba.njit(nogil=True, cache=can_cache, **options)(code)
    return cast("Function", machine_code)


def family(*functions: Callable[..., Any], is_inlined: bool = False) -> dict[str, Any]:
    """Compile functions, each of which may call those before it, and return them by name."""
    made: dict[str, Any] = {}
    for function in functions:
        made[function.__name__] = compiled(function, is_inlined=is_inlined, **made)
    return made


@contextlib.contextmanager
def _cache_folder() -> Iterator[bool]:
    before = _SETTINGS.CACHE_DIR
    folder = cache_root() / source_digest()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError:
        yield False
        return
    _SETTINGS.CACHE_DIR = str(folder)
    try:
        yield True
    finally:
        _SETTINGS.CACHE_DIR = before


def cache_root() -> Path:
    """Return the folder for compiled code: under XDG_CACHE_HOME, or ~/.cache."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "russell-risk-on" / "compiled"


@functools.cache
def source_digest() -> str:
    """Return sixteen hexadecimal digits that change whenever compiled source does."""
    digest = hashlib.sha256()
    for name in _SOURCES:
        path = _ROOT / name
        digest.update(path.read_bytes() if path.exists() else b"")
    return digest.hexdigest()[:16]
