"""An append-only file of decisions, each line carrying the hash of the one before.

A line is JSON; its `hash` is the SHA-256 of the line before's hash and of all else in it, so that
a changed, moved or lost line breaks the chain from there on.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from feeds.errors import ConfigError, DataError

BEGINNING: Final = "0" * 64
ENDING: Final = ".jsonl"  # of a journal that lies among results
LOCK_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One line: its number from 1, and what it says."""

    line: int
    content: Mapping[str, Any]


def journal_files(results: Path, named: Sequence[Path] = ()) -> list[Path]:
    """Return the journals in a results folder and those named, each once, in order."""
    lying = (path for path in sorted(results.glob(f"*{ENDING}")) if path.is_file())
    return list(dict.fromkeys(path.absolute() for path in (*lying, *named)))


def append(path: Path, content: Mapping[str, Any]) -> JournalLine | None:
    """Add a decision to a journal, after its chain has been verified; return it.

    One that says the same of the same evening as the last of its asset adds nothing: None. Two
    processes wait for each other.

    Raises
    ------
    DataError
        If the chain is broken.
    ConfigError
        If the file cannot be written.
    """
    import filelock

    try:
        path.open("a").close()  # what cannot be written is not waited for
        with filelock.FileLock(f"{path}.lock", timeout=LOCK_SECONDS):
            entries = read(path)
            if entries and _is_told(entries, content):
                return None
            before = str(entries[-1].content["hash"]) if entries else BEGINNING
            line = {"number": len(entries) + 1, **content, "previous": before}
            line["hash"] = _digest(line)
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line, sort_keys=True) + "\n")
                file.flush()
                os.fsync(file.fileno())
            return JournalLine(len(entries) + 1, line)
    except filelock.Timeout as error:
        raise ConfigError(
            f"`--journal` {path} has been held by another process for {LOCK_SECONDS:.0f} seconds. "
            "Wait for it, or name another file."
        ) from error
    except OSError as error:
        raise ConfigError(
            f"`--journal` {path} cannot be written: {error.strerror or error}. Name a file in a "
            "folder of your own."
        ) from error


def read(path: Path) -> list[JournalLine]:
    """Return a journal's lines, verified.

    Raises
    ------
    DataError
        Naming the first line that is not what was written.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise DataError(
            f"the journal {path} cannot be read: {reason}. Name a file that --journal wrote."
        ) from error
    entries: list[JournalLine] = []
    before = BEGINNING
    if text and not text.endswith("\n"):
        raise _broken(path, text.count("\n") + 1, "it has no end")
    for number, written in enumerate(text.split("\n")[:-1], start=1):
        content = _content_of(path, number, written)
        if content.get("previous") != before:
            raise _broken(path, number, "it does not follow the line before")
        if content.get("number") != number or content.get("hash") != _digest(content):
            raise _broken(path, number, "its content is not what its hash says")
        before = str(content["hash"])
        entries.append(JournalLine(number, content))
    return entries


def _content_of(path: Path, number: int, written: str) -> dict[str, Any]:
    try:
        content = json.loads(written)
    except ValueError as error:
        raise _broken(path, number, "it is no JSON") from error
    if not isinstance(content, dict) or json.dumps(content, sort_keys=True) != written:
        raise _broken(path, number, "it was not written by this program")
    return content


def _broken(path: Path, number: int, reason: str) -> DataError:
    return DataError(
        f"the journal {path} is broken at line {number}: {reason}. What it says from there on is "
        "no record made in advance; begin a new file."
    )


def _is_told(entries: list[JournalLine], content: Mapping[str, Any]) -> bool:
    """Whether the last line of the same config says the same of the same evening."""
    told = (one.content for one in entries)
    same = [each for each in told if each.get("config_hash") == content["config_hash"]]
    keys = ("as_of", "decision", "bars")
    return bool(same) and all(same[-1].get(key) == content.get(key) for key in keys)


def _digest(content: Mapping[str, Any]) -> str:
    told = {key: value for key, value in content.items() if key != "hash"}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
