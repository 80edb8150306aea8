"""The files that lie beside a plug-in: imported for it alone, and kept as they were run."""

import contextlib
import importlib.abc
import importlib.util
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType


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
