"""A user's own code: loaded from the files a config names, its functions' parameters validated.

Only files that the user names are loaded: never one that lies in a folder of data or of results,
which may come from somebody else.
"""

import contextlib
import hashlib
import sys
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from backtests.config.explain import as_written
from feeds.errors import ConfigError
from feeds.wording import nearest_hint
from strategies import registry
from strategies.registry import Entry, Origin

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
            f"{as_written(given)}."
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


@contextlib.contextmanager
def pin_plugins(config: Any) -> Iterator[None]:
    """Keep to a config's own code as it is now, whatever becomes of its files meanwhile."""
    paths = {Path(name) for name in files_of(config)} - _shipped
    _shipped.update(paths)
    try:
        yield
    finally:
        _shipped.difference_update(paths)


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
    if path.suffix != ".py":
        raise ConfigError(f"`{key}` {path} is no Python file. Name one that ends in .py.")
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
        said = error.msg if isinstance(error, SyntaxError) else str(error)
        raise ConfigError(
            f"`{key}` {path} failed{_place(error, path)}: {type(error).__name__}: {said}. Mend it, "
            "or leave it out."
        ) from error
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


def strategy_name(given: str, *, data_dir: str) -> str:
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
