"""What a config names: signals, filters, exits, sizings, weightings, selections; own ones too.

A function is registered by a decorator. Those of the package stand beside their own kind in
`strategies`; a plug-in registers others the same way:

    @signal("reclaim")
    def reclaim(index, *, window: int = 200): ...

Its arguments before the star say what it reads, those behind it are its parameters: keys of the
config's table `[signal.reclaim]`, validated by their types.
"""

import contextlib
import hashlib
import importlib
import importlib.util
import inspect
import re
import typing
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from feeds.errors import ConfigError
from feeds.wording import nearest_hint

Kind = Literal["signal", "filter", "exit", "sizing", "weighting", "selection"]

# where the package's own are, imported when a name is looked up: some load pandas
HOMES: Final[dict[Kind, str]] = {
    "signal": "strategies.signals",
    "filter": "strategies.filters",
    "exit": "strategies.rules",
    "sizing": "strategies.sizing",
    "weighting": "strategies.basket",
    "selection": "strategies.basket",
}
# what the first argument of an own function is called, and whether more may follow
SUBJECTS: Final[dict[Kind, tuple[str, bool]]] = {
    "signal": ("index", True),
    "filter": ("index", True),
    "exit": ("coin", True),
    "sizing": ("coin", True),
    "weighting": ("coins", False),
    "selection": ("coins", False),
}
NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
# names that mean something else where a function's name may stand
RESERVED: Final = frozenset({"any", "all", "auto", "none", "window", "level", "rule"})
PACKAGE: Final = "built in"

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a function comes from: a file, or an installed package, and the source's SHA-256."""

    name: str
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One registered function.

    `reads` are the names of what it is called with; `settings` are the config's keys that a
    function of the package reads; an own one has its parameters instead. One that is
    `only_event` dates claims and studies and buys nothing.
    """

    kind: Kind
    name: str
    function: Callable[..., Any]
    origin: Origin
    reads: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    only_event: bool = False

    @property
    def is_own(self) -> bool:
        """Whether it comes from outside the package."""
        return self.origin.name != PACKAGE

    @property
    def summary(self) -> str:
        """The first sentence of its docstring."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]

    @property
    def parameters(self) -> Mapping[str, inspect.Parameter]:
        """The parameters of an own function: its arguments behind the star."""
        if not self.is_own:
            return {}
        found = inspect.signature(self.function).parameters.values()
        return {one.name: one for one in found if one.kind is inspect.Parameter.KEYWORD_ONLY}

    @property
    def annotations(self) -> dict[str, Any]:
        """The type of each parameter; that of its default where none is written."""
        hints = typing.get_type_hints(self.function, include_extras=True)
        return {name: hints.get(name, type(one.default)) for name, one in self.parameters.items()}


_entries: Final[dict[Kind, dict[str, Entry]]] = {kind: {} for kind in HOMES}
_origin: ContextVar[Origin | None] = ContextVar("origin", default=None)
_packages: Final[list[bool]] = []


def entries(kind: Kind) -> Mapping[str, Entry]:
    """Return every function of a kind by name, the package's own first."""
    importlib.import_module(HOMES[kind])
    return _entries[kind]


def find(kind: Kind, name: str) -> Entry:
    """Return a registered function, also one of an installed package.

    Raises
    ------
    ConfigError
        If there is none of that name, with the nearest.
    """
    if name not in entries(kind):
        load_packages()
    known = entries(kind)
    if name not in known:
        raise ConfigError(
            f"{name!r} is no {kind} that is known."
            + nearest_hint(name, known, otherwise=f" There are {', '.join(known)}.")
        )
    return known[name]


def is_known(kind: Kind, name: str) -> bool:
    """Return whether there is a function of that name."""
    if name not in entries(kind):
        load_packages()
    return name in _entries[kind]


def load_packages() -> None:
    """Register what installed packages offer under the entry point group `russell_risk_on`."""
    if _packages:
        return
    _packages.append(True)
    from importlib.metadata import entry_points

    for point in entry_points(group="russell_risk_on"):
        label = f"{point.dist.name if point.dist else point.value} ({point.value})"
        with registering(Origin(label, _digest_of_module(point.module))):
            point.load()


def _digest_of_module(module: str) -> str:
    spec = importlib.util.find_spec(module)
    source = Path(spec.origin) if spec and spec.origin else None
    return hashlib.sha256(source.read_bytes()).hexdigest() if source else ""


def forget(kind: Kind, origin: str) -> None:
    """Take out what a file registered, before it is read again."""
    for name in [name for name, one in entries(kind).items() if one.origin.name == origin]:
        del _entries[kind][name]


@contextlib.contextmanager
def registering(origin: Origin) -> Iterator[None]:
    """Say where what is registered meanwhile comes from."""
    token = _origin.set(origin)
    try:
        yield
    finally:
        _origin.reset(token)


def built_in(
    kind: Kind, name: str, *, settings: tuple[str, ...] = (), only_event: bool = False
) -> Callable[[Function], Function]:
    """Register a function of the package, and the config's keys it reads."""

    def add(function: Function) -> Function:
        own = Origin(PACKAGE)
        _entries[kind][name] = Entry(
            kind, name, function, own, settings=settings, only_event=only_event
        )
        return function

    return add


def signal(name: str) -> Callable[[Function], Function]:
    """Register a signal: `index` in, a flag per session out.

    The function gets a DataFrame of the index's bars, a row per session, with columns open, high,
    low and close. Further arguments ask for more, as known at each session: `coin` for the bars
    of what is traded, any other name for a series (`vix`, `m2sl`). It answers with as many flags,
    or whole numbers above 0 where it fires; never NaN.

    Raises
    ------
    ConfigError
        If the name is taken, or the function's arguments are of another form.

    Examples
    --------
    >>> import backtests as bt
    >>> @bt.signal("up_day")
    ... def up_day(index, *, least: float = 0.02):
    ...     return index["close"].pct_change() > least
    >>> config = bt.load_config("eth", trigger="up_day", signal={"up_day": {"least": 0.03}})
    >>> config.signal.up_day
    {'least': 0.03}
    """
    return _own("signal", name)


def filter(name: str) -> Callable[[Function], Function]:  # noqa: A001 (what the field says)
    """Register a filter: `index` in, a flag per session out, or 1, 0 and NaN for not known.

    Arguments are those of a signal. A config uses it by `kind` in a table of its own:
    `[filters.NAME] kind = "calm"`, its parameters in `[filters.NAME.calm]`.
    """
    return _own("filter", name)


def exit(name: str) -> Callable[[Function], Function]:  # noqa: A001 (what the field says)
    """Register an exit: `coin` in, a flag per bar out: sell at the next open.

    The function gets a DataFrame of the bars of what is traded, columns open, high, low, close
    and volume; further arguments ask for more, as known at each bar's end: `index`, or a series.
    `rules.exits = ["NAME"]` uses it, its parameters stand in `[rules.NAME]`.
    """
    return _own("exit", name)


def sizing(name: str) -> Callable[[Function], Function]:
    """Register a sizing: `coin` in, a weight from 0 to 1 per bar out; NaN makes no entry.

    Arguments are those of an exit. `size.mode = "NAME"` uses it, its parameters stand in
    `[size.NAME]`; `size.max_weight` caps it.
    """
    return _own("sizing", name)


def weighting(name: str) -> Callable[[Function], Function]:
    """Register a weighting of the basket: `coins` in, a number of 0 or more per bar and coin out.

    The function gets a `strategies.basket.BasketPanel`, whose arrays have the shape (bars,
    coins); NaN keeps a coin out. `basket.weights = "NAME"` uses it, its parameters stand in
    `[basket.NAME]`.
    """
    return _own("weighting", name)


def selection(name: str) -> Callable[[Function], Function]:
    """Register a ranking of the basket's candidates: the `basket.top` highest are in.

    Arguments and answer are those of a weighting. `basket.select = "NAME"` uses it.
    """
    return _own("selection", name)


def _own(kind: Kind, name: str) -> Callable[[Function], Function]:
    def add(function: Function) -> Function:
        origin = _origin.get() or _origin_of(function)
        _require_name(kind, name, origin)
        _entries[kind][name] = Entry(kind, name, function, origin, _reads(kind, name, function))
        return function

    return add


def _origin_of(function: Callable[..., Any]) -> Origin:
    """Return where a function written in a script or a notebook stands."""
    try:
        text = inspect.getsource(function)
    except (OSError, TypeError):  # typed in, and kept nowhere
        text = function.__code__.co_code.hex()
    return Origin(f"Python, {function.__module__}", hashlib.sha256(text.encode()).hexdigest())


def _require_name(kind: Kind, name: str, origin: Origin) -> None:
    """Refuse a name that cannot stand in a config, or is somebody else's."""
    if not NAME.fullmatch(name) or name in RESERVED:
        raise ConfigError(
            f"the name of a {kind} must be at most 40 small letters, digits and underscores, and "
            f"none of {', '.join(sorted(RESERVED))}; received {name!r}."
        )
    found = entries(kind).get(name)
    if found is not None and found.origin.name != origin.name:
        raise ConfigError(
            f"the {kind} {name!r} of {origin.name} is there already, from {found.origin.name}. "
            "Choose another name."
        )


def _reads(kind: Kind, name: str, function: Callable[..., Any]) -> tuple[str, ...]:
    """Return what a function asks for; its form is the subject first and parameters behind `*`."""
    subject, more = SUBJECTS[kind]
    given = inspect.signature(function).parameters.values()
    asked = [one.name for one in given if one.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    other = [one.name for one in given if one.kind not in _FORMS]
    if asked[:1] != [subject] or other or (len(asked) > 1 and not more):
        raise ConfigError(
            f"the {kind} {name!r} must be a function of `{subject}`{MORE if more else ''} and "
            f"parameters behind a `*`, such as def {name}({subject}, *, window: int = 20); "
            f"received def {name}{inspect.signature(function)}."
        )
    return tuple(asked)


_FORMS: Final = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
MORE: Final = ", names of other data"
