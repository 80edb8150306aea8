"""A results folder read as if anybody could have put there what it holds."""

import json
import math
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from backtests.config.raw_settings import NotTomlError, parsed_toml
from feeds.commands import one_line

MOST_BYTES: Final = 20_000_000  # a file larger than this is not one of ours


class UnreadableError(Exception):
    """A file is not what was to be read; the message says why."""


def subfolders(results: Path) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the names of the folders in `results`, and (name, reason) of what can be none.

    Files beside them and hidden folders are neither.

    Raises
    ------
    OSError
        If `results` itself cannot be listed.
    """
    names, broken = [], []
    with os.scandir(results) as entries:
        for entry in entries:
            if entry.name[0] == ".":
                continue
            reason = _unusable(entry)
            if reason:
                broken.append((one_line(entry.name), reason))
            elif entry.is_dir():
                names.append(entry.name)
    return sorted(names), sorted(broken)


def _unusable(entry: "os.DirEntry[str]") -> str:
    try:
        entry.name.encode()
        entry.is_dir()
    except UnicodeEncodeError:
        return "its name is not UTF-8 text"
    except OSError as error:
        return error.strerror or str(error)
    return "a link that leads nowhere" if entry.is_symlink() and not _leads(entry) else ""


def _leads(link: "os.DirEntry[str]") -> bool:
    try:
        link.stat()
    except OSError:
        return False
    return True


def is_file(path: Path) -> bool:
    """Whether there is such a file and we may look at it."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def text_of(path: Path, *, most: int = MOST_BYTES) -> str:
    """Return a file's text of at most so many bytes.

    Raises
    ------
    UnreadableError
        If it is missing, no file, too large, or not UTF-8.
    """
    try:
        found = path.stat()
        # a pipe would have us wait for a writer, for ever
        if not stat.S_ISREG(found.st_mode):
            raise UnreadableError(f"{path.name} is not a file")
        if found.st_size > most:
            raise UnreadableError(f"{path.name} is too large")
        # thousands of files are read: as they are, not by way of a buffer of the most bytes
        with path.open("rb", buffering=0) as file:
            content = file.read()
    except FileNotFoundError as error:
        raise UnreadableError(f"{path.name} is missing") from error
    except (OSError, ValueError) as error:
        raise UnreadableError(f"{path.name}: {getattr(error, 'strerror', error)}") from error
    try:
        return content.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise UnreadableError(f"{path.name} is not UTF-8 text") from error


def parsed_table(text: str, name: str) -> dict[str, Any]:
    """Return the table of a JSON or TOML text, by the name of its file.

    Raises
    ------
    UnreadableError
        If it is none.
    """
    try:
        found = parsed_toml(text.encode()) if name.endswith(".toml") else json.loads(text)
    except (NotTomlError, ValueError, RecursionError) as error:
        raise UnreadableError(f"{name} cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise UnreadableError(f"{name} is not a table")
    return found


def number_in(table: Mapping[str, Any], name: str) -> float:
    """Return a number, NaN where there is none.

    Raises
    ------
    UnreadableError
        If something else stands there, or a number that none of ours can be.
    """
    value = table.get(name)
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnreadableError(f"{name} is not a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if math.isinf(number):
        raise UnreadableError(f"{name} is not a finite number")
    return number
