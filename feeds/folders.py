"""Where data that can be fetched again is kept, and how a file is put there."""

import os
import threading
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
    """Write a file that appears complete or not at all, also with several writers."""
    part = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    with part.open("wb") as file:
        file.write(payload)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
