"""A user's own code: loaded from the files a config names, its functions' parameters validated.

Only files that the user names are loaded: never one that lies in a folder of data or of results,
which may come from somebody else.
"""

import contextlib
import hashlib
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from pydantic import BaseModel, ValidationError, create_model

from backtests.config.explain import explain_error
from feeds.errors import ConfigError
from feeds.wording import nearest_hint
from strategies import registry
from strategies.registry import Entry, Kind, Origin, find, is_known
from strategies.settings import Settings, trigger_parts, trigger_text

# a folder in which one of these lies is of results
RESULT_FILES: Final = ("manifest.json", "plan.toml", "metrics.json")


@dataclass(frozen=True, slots=True)
class Plugin:
    """A loaded file: its path, the text that was run, and the module made of it."""

    path: Path
    text: str
    module: ModuleType

    @property
    def sha256(self) -> str:
        """The digest of its source."""
        return _digest(self.text)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What it registered."""
        every = (one for kind in registry.HOMES for one in registry.entries(kind).values())
        return tuple(one for one in every if one.origin == Origin(str(self.path), self.sha256))


_loaded: Final[dict[Path, Plugin]] = {}
_shipped: Final[set[Path]] = set()  # by another process: their file may not be here


def load_plugins(given: Any, *, data_dir: str = "") -> list[str]:
    """Load the files of a list of paths and return them as absolute paths.

    Raises
    ------
    ConfigError
        If a file is missing, may not be loaded, fails, or registers nothing.
    """
    if not isinstance(given, list | tuple) or not all(isinstance(one, str | Path) for one in given):
        raise ConfigError(
            '`plugins` must be a list of Python files, such as ["my_rules.py"], received '
            f"{given!r}."
        )
    return [str(load_plugin(Path(one), data_dir=data_dir).path) for one in dict.fromkeys(given)]


def load_plugin(given: Path, *, data_dir: str = "", key: str = "plugins") -> Plugin:
    """Load one file, or return it as it was loaded if it has not changed since.

    Raises
    ------
    ConfigError
        As `load_plugins`.
    """
    path = given.expanduser().absolute()
    if path in _shipped:
        return _loaded[path]
    _require_place(path, data_dir, key)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(
            f"`{key}` {path}: {reason}. The config needs this file of functions: bring it back, or "
            "name it where it is now."
        ) from error
    known = _loaded.get(path)
    return known if known is not None and known.text == text else _run(path, text, key)


def ship(plugins: Mapping[str, str]) -> None:
    """Load plug-ins, path -> text, that another process read."""
    for name, text in plugins.items():
        path = Path(name)
        if path not in _loaded or _loaded[path].text != text:
            _run(path, text, "plugins")
        _shipped.add(path)


def files_of(config: Any) -> tuple[str, ...]:
    """Return the files of own code that a validated config names."""
    strategy = (config.strategy.rpartition(":")[0],) if config.strategy else ()
    return tuple(dict.fromkeys((*(config.plugins or ()), *strategy)))


def config_texts(config: Any) -> dict[str, str]:
    """Return the text of a validated config's plug-ins by path, as `ship` takes them."""
    return {name: _loaded[Path(name)].text for name in files_of(config)}


def plugin_at(path: str) -> Plugin:
    """Return a plug-in that has been loaded."""
    return _loaded[Path(path)]


def _require_place(path: Path, data_dir: str, key: str) -> None:
    folders = path.resolve().parents
    inside = data_dir and Path(data_dir).resolve() in folders
    if inside or any((folder / name).is_file() for folder in folders[:2] for name in RESULT_FILES):
        raise ConfigError(
            f"`{key}` {path} lies in a folder of {'data' if inside else 'results'}, from which no "
            "code is run, as such folders are passed on. Read it, and copy it to a place of your "
            "own."
        )


def _run(path: Path, text: str, key: str) -> Plugin:
    origin = Origin(str(path), _digest(text))
    for kind in registry.HOMES:
        registry.forget(kind, origin.name)
    module = ModuleType(f"russell_plugin_{path.stem}_{origin.sha256[:8]}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    try:
        with registry.registering(origin), _beside(path):
            exec(compile(text, str(path), "exec"), module.__dict__)  # noqa: S102 (its purpose)
    except ConfigError as error:
        raise ConfigError(f"`{key}` {path}: {error}") from error
    except Exception as error:
        raise ConfigError(f"`{key}` {path} failed{_place(error, path)}: {error!r}.") from error
    _loaded[path] = plugin = Plugin(path, text, module)
    if not plugin.entries and key == "plugins":
        raise ConfigError(
            f"`{key}` {path} registers nothing. Put a decorator above a function, such as "
            '@signal("reclaim").'
        )
    return plugin


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[None]:
    """Let a file import those that lie beside it."""
    sys.path.insert(0, str(path.parent))
    try:
        yield
    finally:
        sys.path.remove(str(path.parent))


def _place(error: Exception, path: Path) -> str:
    lines = [line.lineno for line in traceback.extract_tb(error.__traceback__)
             if line.filename == str(path)]  # fmt: skip
    number = error.lineno if isinstance(error, SyntaxError) else (lines[-1] if lines else None)
    return f" at line {number}" if number else ""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def with_own_tables(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with the plug-ins loaded and every own function's parameters complete.

    Raises
    ------
    ConfigError
        If a plug-in cannot be loaded, or a parameter is unknown, of another type or out of range.
    """
    tree = {**tree, **_own_code(tree)}
    for kind, (*sections, last), name in _used(tree):
        if not is_known(kind, name) or not find(kind, name).is_own:
            continue
        place = tree
        for section in (*sections, last):
            inside = place.get(section)
            place[section] = place = _as_dict(inside)
        place.setdefault(name, {})
    for key in ("signal", "rules", "size", "basket"):
        if key in tree:
            tree[key] = _validated(key, tree[key])
    if isinstance(filters := tree.get("filters"), Mapping):
        tree["filters"] = {
            name: _validated(f"filters.{name}", each) for name, each in filters.items()
        }
    return tree


def _own_code(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Load the files named; return their settings with absolute paths."""
    data = _as_dict(tree.get("data")) if isinstance(tree.get("data"), Mapping | BaseModel) else {}
    folder = str(data.get("data_dir") or "")
    found: dict[str, Any] = {}
    if tree.get("plugins"):
        found["plugins"] = tuple(load_plugins(tree["plugins"], data_dir=folder))
    if isinstance(strategy := tree.get("strategy"), str):
        found["strategy"] = _strategy_name(strategy, data_dir=folder)
    return found


def _strategy_name(given: str, *, data_dir: str) -> str:
    """Load the file of `my_rules.py:MyRule`; return it with its absolute path."""
    file, colon, name = given.rpartition(":")
    if not colon or not file or not name.isidentifier():
        raise ConfigError(
            f'`strategy` must be a file and a name in it, such as "my_rules.py:MyRule", received '
            f"{given!r}."
        )
    plugin = load_plugin(Path(file), data_dir=data_dir, key="strategy")
    names = [one for one in vars(plugin.module) if not one.startswith("_")]
    if name not in names:
        raise ConfigError(f"`strategy`: {plugin.path} has no {name!r}.{nearest_hint(name, names)}")
    return f"{plugin.path}:{name}"


def strategy_of(setting: str) -> Any:
    """Return the class or function that a validated `strategy` names."""
    file, _, name = setting.rpartition(":")
    return getattr(plugin_at(file).module, name)


def _used(tree: Mapping[str, Any]) -> Iterator[tuple[Kind, tuple[str, ...], str]]:
    """Yield the functions settings name: kind, the section their parameters stand in, name."""

    def given(*keys: str) -> Any:
        found: Any = tree
        for key in keys:
            found = _as_dict(found).get(key) if isinstance(found, Mapping | BaseModel) else None
        return found

    trigger = trigger_text(given("rules", "trigger"))
    names = trigger_parts(trigger)[1] if isinstance(trigger, str) else ()
    yield from (("signal", ("signal",), name) for name in names)
    claim = given("claim")
    for one in (claim, *(given("claim", "readings") or ())) if claim else ():
        events = (_as_dict(one).get(key) for key in ("event", "against"))
        yield from (("signal", ("signal",), name) for name in events if isinstance(name, str))
    exits = given("rules", "exits")
    named = exits if isinstance(exits, list | tuple) else ()
    yield from (("exit", ("rules",), name) for name in named if isinstance(name, str))
    singles: tuple[tuple[Kind, str, str], ...] = (
        ("sizing", "size", "mode"), ("weighting", "basket", "weights"),
        ("selection", "basket", "select"),
    )  # fmt: skip
    for kind, section, key in singles:
        if isinstance(name := given(section, key), str):
            yield kind, (section,), name
    for gate, each in (given("filters") or {}).items():
        if isinstance(name := _as_dict(each).get("kind"), str):
            yield "filter", ("filters", gate), name


def used_entries(tree: Mapping[str, Any]) -> tuple[Entry, ...]:
    """Return the own functions that settings name, each once."""
    found = (find(kind, name) for kind, _, name in _used(tree) if is_known(kind, name))
    return tuple(dict.fromkeys(one for one in found if one.is_own))


def _as_dict(section: Any) -> dict[str, Any]:
    if isinstance(section, BaseModel):
        return section.model_dump(exclude_none=True)
    return dict(section) if isinstance(section, Mapping) else {}


SECTION_KINDS: Final[dict[str, tuple[Kind, ...]]] = {
    "signal": ("signal",),
    "rules": ("exit",),
    "size": ("sizing",),
    "basket": ("weighting", "selection"),
    "filters": ("filter",),
}


def _validated(section: str, given: Any) -> Any:
    """Return a section whose own tables are complete; anything but a table is left as it is."""
    if not isinstance(given, Mapping):
        return given
    kinds = SECTION_KINDS[section.partition(".")[0]]
    return {name: _parameters(section, name, each, kinds) for name, each in given.items()}


def _parameters(section: str, name: str, given: Any, kinds: Sequence[Kind]) -> Any:
    if not isinstance(given, Mapping):
        return given
    entry = next((find(kind, name) for kind in kinds if is_known(kind, name)), None)
    if entry is None or not entry.is_own:
        return given
    model = parameter_model(entry)
    try:
        return model.model_validate(dict(given)).model_dump()
    except ValidationError as error:
        raise ConfigError(explain_error(error, model, section=f"{section}.{name}")) from error


@cache
def parameter_model(entry: Entry) -> type[Settings]:
    """Return the settings an own function's parameters are.

    Raises
    ------
    ConfigError
        If a parameter is of a type no config can hold.
    """
    kinds = entry.annotations
    fields: dict[str, Any] = {
        name: (kinds[name], ... if one.default is one.empty else one.default)
        for name, one in entry.parameters.items()
    }
    try:
        return create_model(entry.name, __base__=Settings, **fields)
    except Exception as error:
        raise ConfigError(
            f"the parameters of the {entry.kind} {entry.name!r} must be whole numbers, numbers, "
            f"text, or true and false: {error}"
        ) from error
