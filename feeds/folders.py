"""Where data that can be fetched again is kept, and how a file is put there."""

import atexit
import contextlib
import errno
import logging
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

FOLDER_VARIABLE: Final = "RUSSELL_CACHE_DIR"


def cache_folder(configured: str = "") -> Path:
    """Return the cache: as configured, else RUSSELL_CACHE_DIR, else the XDG place.

    Where nobody named one and that place cannot be made, as in a container without a home, it
    is a folder that goes with this process: what cannot be kept must not stop a run.
    """
    named = configured or os.environ.get(FOLDER_VARIABLE, "")
    if named:
        return Path(os.path.expanduser(named))  # noqa: PTH111 - Path's own raises without a home
    usual = _usual_folder()
    return usual if _is_usable(usual) else _passing_folder(str(usual))


def _usual_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME", "") or os.path.expanduser("~/.cache")  # noqa: PTH111
    return Path(base) / "russell-risk-on"


def _is_usable(folder: Path) -> bool:
    """Return whether a folder can be written, or holds what can be read."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return os.access(folder, os.W_OK) or any(folder.iterdir())
    except OSError:
        return False


@cache
def _passing_folder(instead_of: str) -> Path:
    log.warning(
        "%s cannot be made, so what is fetched is kept for this command only. Set %s to a folder "
        "that can be written.",
        instead_of,
        FOLDER_VARIABLE,
    )
    # its own name and rights each time: a known name could hold what another user put there
    folder = tempfile.mkdtemp(prefix="russell-risk-on-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def derived_folder(name: str) -> Path | None:
    """Return a folder for what code and libraries alone decide: it can be worked out again.

    It is under XDG_CACHE_HOME or ~/.cache, wherever data is kept; None if it cannot be written.
    """
    folder = _usual_folder() / name
    # not absolute: nobody's home
    return folder if folder.is_absolute() and _can_be_written(folder) else None


@cache
def _can_be_written(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def is_there(path: Path) -> bool:
    """Whether there is such a file or folder.

    A name that none can have, or that we may not look at, is none; `Path.exists` raises then.
    """
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Whether there is such a folder, as `is_there`."""
    return is_there(path) and path.is_dir()


def write_whole(path: Path, payload: bytes) -> None:
    """Write a file that appears complete or not at all, also with several writers.

    Raises
    ------
    OSError
        If it cannot be written; of a full disk it says where and how much.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        with full_disk_named(path.parent, size=len(payload)):
            with part.open("wb") as file:
                file.write(payload)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def full_disk_named(folder: Path, *, size: int) -> Iterator[None]:
    """Turn "no space left" inside into an error that says where, how much, and what is free."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        text = f"the disk is full: {folder} has no room for {_megabytes(size)}"
        with contextlib.suppress(OSError):
            text += f", {_megabytes(shutil.disk_usage(folder).free)} are free"
        raise OSError(f"{text}. Make room or choose another folder.") from error


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
