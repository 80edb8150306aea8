"""A user's own code: loaded from the files a config names, its functions' parameters validated.

Only files that the user names are loaded: never one that lies in a folder of data or of results,
which may come from somebody else.
"""

import contextlib
import hashlib
import importlib.abc
import importlib.util
import sys
import sysconfig
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from backtests.config.explain_errors import as_written
from feeds.errors import ConfigError
from feeds.message_text import nearest_hint
from strategies import registry
from strategies.registry import Entry, Origin

# a folder in which one of these lies is of results
RESULT_FILES: Final = ("manifest.json", "plan.toml", "metrics.json")
_shipped: Final[set[Path]] = set()  # by another process: their file may not be here


class FilesBeside(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports what lies beside a plug-in, and keeps the text of each file that was run.

    Texts that are given come first: a plug-in also runs where its files are not. In a folder of
    installed packages nothing counts as beside it.

    Attributes
    ----------
    files
        The texts that were run, by path: the plug-in's own first.
    """

    def __init__(self, path: Path, texts: Mapping[Path, str]) -> None:
        self.files = {path: texts[path]}
        self._folder = path.parent
        self._texts = texts
        self._names: list[str] = []

    @contextlib.contextmanager
    def first(self) -> Iterator[None]:
        """Look here first, and leave no module behind: another plug-in has files of its own."""
        others = {name: one for name, one in sys.modules.items() if self._lies_here(name, one)}
        for name in others:
            del sys.modules[name]
        sys.meta_path.insert(0, self)
        try:
            yield
        finally:
            sys.meta_path.remove(self)
            for name in self._names:
                sys.modules.pop(name, None)
            sys.modules.update(others)

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,  # noqa: ARG002 (every finder takes it)
    ) -> ModuleSpec | None:
        """Return where a module lies: in a file, or in a folder with an `__init__.py`."""
        inside = path is None or fullname.partition(".")[0] in self._names
        if not inside or str(self._folder) in sysconfig.get_paths().values():
            return None
        stem = self._folder.joinpath(*fullname.split("."))
        places = {stem / "__init__.py": [str(stem)], stem.parent / f"{stem.name}.py": None}
        for file, folders in places.items():
            if file in self._texts or file.is_file():
                self._names.append(fullname)
                return importlib.util.spec_from_file_location(
                    fullname, file, loader=self, submodule_search_locations=folders
                )
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Run a file that was found, from its text and never from compiled code."""
        file = Path(str(module.__file__))
        text = self._texts.get(file)
        self.files[file] = file.read_text(encoding="utf-8") if text is None else text
        exec(compile(self.files[file], str(file), "exec"), module.__dict__)  # noqa: S102 (its purpose)

    def _lies_here(self, name: str, module: ModuleType) -> bool:
        """Whether somebody else has imported a file from this folder."""
        return getattr(module, "__file__", None) == str(self._folder / f"{name}.py")


@dataclass(frozen=True, slots=True)
class Plugin:
    """A loaded file and the module made of it.

    `files` are the texts that were run, by path: its own first, then those it imports from beside
    it.
    """

    path: Path
    files: Mapping[Path, str]
    module: ModuleType

    @property
    def sha256(self) -> str:
        """The digest of its source; of all its files where it imports others."""
        return _digest(self.files)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What it registered."""
        every = (one for kind in registry.HOMES for one in registry.entries(kind).values())
        return tuple(one for one in every if one.origin == Origin(str(self.path), self.sha256))


_loaded: Final[dict[Path, Plugin]] = {}


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
    same = known is not None and all(_has(file, kept) for file, kept in known.files.items())
    return known if known is not None and same else _run(path, {path: text}, key)


def _has(file: Path, text: str) -> bool:
    try:
        return file.read_text(encoding="utf-8") == text
    except (OSError, ValueError):
        return False


def ship(plugins: Mapping[str, Mapping[str, str]]) -> None:
    """Load plug-ins, path -> text of each of its files by path, that another process read."""
    for name, texts in plugins.items():
        path, files = Path(name), {Path(file): text for file, text in texts.items()}
        if path not in _loaded or _loaded[path].files != files:
            _run(path, files, "plugins")
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


def config_texts(config: Any) -> dict[str, dict[str, str]]:
    """Return the texts of a validated config's plug-ins by path, as `ship` takes them."""
    return {
        name: {str(file): text for file, text in _loaded[Path(name)].files.items()}
        for name in files_of(config)
    }


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


def _run(path: Path, texts: Mapping[Path, str], key: str) -> Plugin:
    """Run a file, its text given; texts of files beside it, too, where they are elsewhere."""
    _loaded.pop(path, None)
    origin = Origin(str(path), _digest({path: texts[path]}))
    for kind in registry.HOMES:
        registry.forget(kind, origin.name)
    module = ModuleType(f"russell_plugin_{path.stem}_{origin.sha256[:8]}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    beside = FilesBeside(path, texts)
    try:
        with registry.registering(origin), beside.first():
            exec(compile(texts[path], str(path), "exec"), module.__dict__)  # noqa: S102 (its purpose)
    except ConfigError as error:
        raise ConfigError(f"`{key}` {path}: {error}") from error
    except Exception as error:
        said = error.msg if isinstance(error, SyntaxError) else str(error)
        what = f"failed{_place(error, beside.files)}: {type(error).__name__}: {said}"
        raise ConfigError(f"`{key}` {path} {what}. Mend it, or leave it out.") from error
    _loaded[path] = plugin = Plugin(path, beside.files, module)
    registry.sign(Origin(origin.name, plugin.sha256))
    if not plugin.entries and key == "plugins":
        raise ConfigError(
            f"`{key}` {path} registers nothing. Put a decorator above a function, such as "
            '@signal("reclaim").'
        )
    return plugin


def _place(error: Exception, files: Mapping[Path, str]) -> str:
    """Return where a plug-in failed: the last line of its own, or of a file beside it."""
    lines = [(line.filename, line.lineno) for line in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError):
        lines.append((str(error.filename), error.lineno))
    own = [(Path(name), number) for name, number in lines if Path(name) in files and number]
    if not own:
        return ""
    file, number = own[-1]
    return f" at line {number}" + ("" if file == next(iter(files)) else f" of {file.name}")


def _digest(files: Mapping[Path, str]) -> str:
    """Return the SHA-256 of a file's text; of several, of their names and texts."""
    if len(files) == 1:
        return hashlib.sha256(next(iter(files.values())).encode()).hexdigest()
    own = next(iter(files)).parent
    parts = sorted((file.relative_to(own).as_posix(), text) for file, text in files.items())
    return hashlib.sha256("\0".join(map("\0".join, parts)).encode()).hexdigest()


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
