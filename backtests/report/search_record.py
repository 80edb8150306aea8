"""Sweeps and walk-forwards in a results folder: what the index shows of them."""

import json
import math
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

PLAN: Final = "sweep.toml"  # both leave it, and a run does not


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of search: its name, its page, and the file that counts its trials."""

    title: str
    page: str
    counted_in: str


WALK_FORWARD: Final = Kind("Walk-forward", "walkforward.html", "walkforward.json")
SWEEP: Final = Kind("Sweep", "sheet.html", "manifest.json")


@dataclass(frozen=True, slots=True)
class SearchRecord:
    """One search as its folder tells it; what the folder does not tell is empty or NaN."""

    name: str
    kind: str
    page: str
    asset: str
    trials: float
    made: str

    @property
    def link(self) -> str:
        """The address of its page from the results folder; empty while there is none."""
        return f"./{quote(self.name)}/{self.page}" if self.page else ""


def is_search(folder: Path) -> bool:
    """Return whether the folder is that of a sweep or a walk-forward."""
    return (folder / PLAN).is_file()


def read_searches(results: Path) -> list[SearchRecord]:
    """Return every sweep and walk-forward under `results`, the newest first."""
    with os.scandir(results) as entries:
        names = sorted(each.name for each in entries if each.is_dir() and each.name[0] != ".")
    return [_record(results / name) for name in reversed(names) if is_search(results / name)]


def _record(folder: Path) -> SearchRecord:
    kind = WALK_FORWARD if (folder / WALK_FORWARD.counted_in).is_file() else SWEEP
    trials = _table(folder / kind.counted_in).get("trials")
    return SearchRecord(
        name=folder.name,
        kind=kind.title,
        page=kind.page if (folder / kind.page).is_file() else "",
        asset=_asset(_table(folder / PLAN)),
        trials=float(trials) if isinstance(trials, int) else math.nan,
        made=_made(folder.name),
    )


def _table(path: Path) -> Mapping[str, Any]:
    """Return a file's table, empty if it has none: the page itself can still be opened."""
    try:
        text = path.read_text(encoding="utf-8")
        found = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _asset(plan: Mapping[str, Any]) -> str:
    """Return the asset, or all of them where it varies."""
    search = plan.get("sweep")
    swept = search.get("asset") if isinstance(search, dict) else None
    assets = swept if isinstance(swept, list) else [plan.get("asset", "")]
    return ", ".join(map(str, assets))


def _made(name: str) -> str:
    """Return when the folder was made, as its name says."""
    try:
        return f"{datetime.strptime(name[:16], '%Y%m%dT%H%M%SZ'):%Y-%m-%d %H:%M}"  # noqa: DTZ007
    except ValueError:
        return ""
