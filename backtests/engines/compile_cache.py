"""Compiling with numba, and keeping what was compiled for the next run.

numba notices a change in the file of a cached function, but not in the functions it calls
nor in the constants of other modules. So each function's cache folder carries a digest of all
that is compiled into it: its own code, what it calls, and the values of the names it reads.
"""

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final, TypeVar, cast

import numba
import numba.core.config
from numba.core.registry import CPUDispatcher
from numba.core.types import unliteral

from feeds.folders import derived_folder

Function = TypeVar("Function", bound=Callable[..., Any])

_SETTINGS: Final[Any] = numba.core.config
_NOT_FROM_PYTHON: Final = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}


class CompiledFunction(CPUDispatcher):
    """Machine code of a function for the compiled code that calls it, and for Python where asked.

    What unpacks Python's objects is often longer than the function's own code: where only
    compiled code calls it, `within`, which is made without, serves.
    """

    within: Any = None

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """Return what numba knows of a call by compiled code, of whatever numbers."""
        if self.within is not None:
            return self.within.get_call_template(args, kws)
        # a constant is a number like others: it needs no machine code of its own
        plain: Any = unliteral
        named = {name: plain(each) for name, each in kws.items()}
        return super().get_call_template([plain(each) for each in args], named)

    def get_overload(self, sig: Any) -> Any:
        """Return the machine code of such a call."""
        if self.within is not None:
            return self.within.get_overload(sig)
        return super().get_overload(sig)


def compile_function(
    function: Function,
    *,
    is_inlined: bool = False,
    is_entry: bool = False,
    **replaced: Callable[..., Any],
) -> Function:
    """Return `function` as machine code that runs without holding the interpreter.

    Parameters
    ----------
    is_inlined
        Whether to put the code where it is called and count no references to arrays: these cost
        more than most functions that take a tuple of arrays. It must not make or return an array.
    is_entry
        Whether Python calls it in the ordinary course. Others it may call as well, but then
        they are compiled twice.
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
    code.__annotations__ = function.__annotations__
    code.__module__ = function.__module__
    code.__qualname__ = function.__qualname__
    options: dict[str, Any] = {"forceinline": is_inlined, "_nrt": not is_inlined}
    digest = digest_of(code, options)
    made = _dispatcher(code, options, digest)
    if not is_entry:
        made.within = _dispatcher(code, {**options, **_NOT_FROM_PYTHON}, f"{digest}-within")
    return cast("Function", made)


def _dispatcher(code: FunctionType, options: dict[str, Any], folder: str) -> CompiledFunction:
    made = CompiledFunction(code, targetoptions={"nopython": True, "nogil": True, **options})
    with _cache_folder(folder) as can_cache:
        if can_cache:
            made.enable_caching()
    return made


def family(*functions: Callable[..., Any], is_inlined: bool = False) -> dict[str, Any]:
    """Compile functions, each of which may call those before it, and return them by name."""
    made: dict[str, Any] = {}
    for function in functions:
        made[function.__name__] = compile_function(function, is_inlined=is_inlined, **made)
    return made


def digest_of(function: FunctionType, options: object = ()) -> str:
    """Return sixteen hexadecimal digits that change with anything compiled into `function`.

    That is its code, the types of its arguments, the functions it calls (compiled or plain, and
    what they call), and the values of all other names it reads; of a class its fields, of a
    library its version.
    """
    parts = [repr(options), *_describe(function, frozenset())]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _describe(function: Any, above: frozenset[int]) -> Iterator[str]:
    plain: FunctionType = getattr(function, "py_func", function)
    if id(plain.__code__) in above:
        return  # it calls itself
    yield f"{plain.__module__}.{plain.__qualname__} {plain.__defaults__!r}"
    for name, annotation in plain.__annotations__.items():
        yield from _type_described(name, annotation)
    for code in _codes(plain.__code__):
        constants = [one for one in code.co_consts if not isinstance(one, CodeType)]
        yield f"{code.co_code.hex()} {constants!r} {code.co_names!r} {code.co_varnames!r}"
        for name in code.co_names:
            if name in plain.__globals__:
                value = plain.__globals__[name]
                yield from _value_described(name, value, above | {id(plain.__code__)})


def _value_described(name: str, value: Any, above: frozenset[int]) -> Iterator[str]:
    if isinstance(getattr(value, "py_func", value), FunctionType):
        yield from _describe(value, above)
    elif isinstance(value, ModuleType):
        yield f"{name} {value.__name__} {getattr(value, '__version__', '')}"
    elif isinstance(value, type):
        yield f"{name} {value.__qualname__} {getattr(value, '__annotations__', {})!r}"
    else:
        yield f"{name} {value!r}"


def _type_described(name: str, annotation: Any) -> Iterator[str]:
    """Describe the type of an argument or a field, and the fields of a tuple that has names."""
    if not isinstance(annotation, type):
        yield f"{name} {annotation!r}"
        return
    yield f"{name} {annotation.__module__}.{annotation.__qualname__}"
    if hasattr(annotation, "_fields"):
        for field, inner in annotation.__annotations__.items():
            yield from _type_described(field, inner)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


@contextlib.contextmanager
def _cache_folder(name: str) -> Iterator[bool]:
    root, before = derived_folder(f"compiled/numba-{numba.__version__}"), _SETTINGS.CACHE_DIR
    if root is None:
        yield False
        return
    _SETTINGS.CACHE_DIR = str(root / name)
    try:
        yield True
    finally:
        _SETTINGS.CACHE_DIR = before
