"""Where data that can be fetched again is kept, and how a file is put there."""

import contextlib
import errno
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

FOLDER_VARIABLE: Final = "RUSSELL_CACHE_DIR"


def cache_folder(configured: str = "") -> Path:
    """Return the cache: as configured, else RUSSELL_CACHE_DIR, else the XDG place."""
    named = configured or os.environ.get(FOLDER_VARIABLE, "")
    if named:
        return Path(named).expanduser()
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base else Path.home() / ".cache") / "russell-risk-on"


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
