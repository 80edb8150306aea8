"""Where data that can be fetched again is kept."""

import os
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
