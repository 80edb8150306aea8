"""What a config names: signals, filters, exits, sizings, weightings, selections; own ones too.

A function of the package is registered where it stands, by `built_in`; one of a plug-in by the
decorators of `strategies.decorators`.
"""

import contextlib
import hashlib
import importlib
import importlib.util
import inspect
import sys
import typing
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from feeds.errors import ConfigError
from feeds.message_text import nearest_hint

Kind = Literal["signal", "filter", "exit", "sizing", "weighting", "selection"]

# the section of a config in which parameters of each kind stand: `[signal.reclaim]`
SECTIONS: Final[dict[Kind, str]] = {
    "signal": "signal",
    "filter": "filters",
    "exit": "rules",
    "sizing": "size",
    "weighting": "basket",
    "selection": "basket",
}
# where the package's own are, imported when a name is looked up: some load pandas
HOMES: Final[dict[Kind, str]] = {
    "signal": "strategies.signals",
    "filter": "strategies.filters",
    "exit": "strategies.position_rule",
    "sizing": "strategies.target_weights",
    "weighting": "strategies.basket",
    "selection": "strategies.basket",
}
PACKAGE: Final = "built in"

Function = TypeVar("Function", bound=Callable[..., Any])
_packages: Final[list[bool]] = []


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


def kinds_in(section: str) -> tuple[Kind, ...]:
    """Return the kinds of function whose parameters stand in a section."""
    return tuple(kind for kind, own in SECTIONS.items() if own == section)


def entries(kind: Kind) -> Mapping[str, Entry]:
    """Return every function of a kind by name, the package's own first."""
    if HOMES[kind] not in sys.modules:
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


def is_own(kind: Kind, name: str) -> bool:
    """Return whether there is a function of that name from outside the package."""
    return is_known(kind, name) and _entries[kind][name].is_own


def has_own() -> bool:
    """Return whether anything was registered from outside the package by now."""
    return any(entry.is_own for known in _entries.values() for entry in known.values())


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


def sign(origin: Origin) -> None:
    """Give what a file registered the digest of all that it turned out to consist of."""
    for kind in HOMES:
        for name, one in entries(kind).items():
            if one.origin.name == origin.name:
                _entries[kind][name] = replace(one, origin=origin)


@contextlib.contextmanager
def registering(origin: Origin) -> Iterator[None]:
    """Say where what is registered meanwhile comes from."""
    token = _origin.set(origin)
    try:
        yield
    finally:
        _origin.reset(token)


def current_origin() -> Origin | None:
    """Return where what is registered now comes from; None for a script or a notebook."""
    return _origin.get()


def put(entry: Entry) -> None:
    """Register an own function, in the place of an older one of its name."""
    _entries[entry.kind][entry.name] = entry


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


@dataclass(frozen=True, slots=True)
class RegisteredName:
    """The names a setting may have: those of registered functions of a kind, and `also` these.

    They are looked up only when a name is given: the functions import libraries a config does
    not need.
    """

    kind: Kind
    also: tuple[str, ...] = ()
    events: bool = False  # those that only date events, too

    @property
    def names(self) -> list[str]:
        """Every name there is."""
        known = [one for one in entries(self.kind).values() if self.events or not one.only_event]
        ours = [one.name for one in known if not one.is_own]
        return [*ours, *self.also, *(one.name for one in known if one.is_own)]

    def __call__(self, name: str) -> str:
        """Return the name if it is registered, else raise ValueError, for pydantic."""
        if name not in self.names and (not is_known(self.kind, name) or name not in self.names):
            raise ValueError(name)
        return name


class TriggerName(RegisteredName):
    """The names a trigger may have, or several of them: "any(new_high, reclaim)"."""

    def __call__(self, name: str) -> str:
        """Return the trigger if all its names are registered, else raise ValueError."""
        for each in trigger_parts(name)[1]:
            if each not in self.names:
                super().__call__(each)
        return name


def trigger_parts(trigger: str) -> tuple[str, tuple[str, ...]]:
    """Return whether "any" or "all" of some signals make a trigger, and their names."""
    if trigger == "any":
        return "any", ("new_high", "support_held")
    how, _, inside = trigger.removesuffix(")").partition("(")
    if how not in ("any", "all") or not inside:
        return "any", (trigger,)
    return how, tuple(name.strip() for name in inside.split(","))


def trigger_text(given: object) -> object:
    """Return a list of signals, or a table of `any` or `all`, as the text a config keeps."""
    if isinstance(given, list | tuple) and given and all(isinstance(one, str) for one in given):
        return f"any({', '.join(given)})" if len(given) > 1 else given[0]
    if (
        isinstance(given, Mapping)
        and len(given) == 1
        and (how := next(iter(given))) in ("any", "all")
    ):
        names = given[how]
        if isinstance(names, list | tuple) and names and all(isinstance(one, str) for one in names):
            return f"{how}({', '.join(names)})"
    return given
