"""Sweeps, walk-forwards and studies in a results folder: what the index shows of them."""

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from backtests.records.safe_reading import (
    UnreadableError,
    is_file,
    number_in,
    parsed_table,
    subfolders,
    text_of,
)

STAMP: Final = re.compile(r"\d{8}T\d{6}Z")  # the beginning of a folder's name
LABEL: Final = re.compile(STAMP.pattern + r"-(.+)-[0-9a-f]{8}")
PLAN: Final = "sweep.toml"  # sweeps and walk-forwards leave it, and a run does not
FINDINGS: Final = ("claims.json", "findings.json")  # a study leaves one of them


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of search: its name, its pages, and the file that counts its trials."""

    title: str
    plural: str
    pages: tuple[str, ...]
    counted_in: str


WALK_FORWARD: Final = Kind(
    "Walk-forward", "Walk-forwards", ("walkforward.html",), "walkforward.json"
)
SWEEP: Final = Kind("Sweep", "Sweeps", ("sheet.html",), "manifest.json")
STUDY: Final = Kind("Study", "Studies", ("index.html", "study.html"), "manifest.json")

KINDS: Final = (STUDY, SWEEP, WALK_FORWARD)


@dataclass(frozen=True, slots=True)
class SearchRecord:
    """One search as its folder tells it; what the folder does not tell is empty or NaN.

    `problem` is what is wrong with the folder, empty where nothing is.
    """

    name: str
    kind: str
    page: str
    asset: str
    trials: float
    made: str
    problem: str = ""

    @property
    def label(self) -> str:
        """What it is called: its folder's name without stamp and digest, whole without these."""
        called = LABEL.fullmatch(self.name)
        return called[1] if called else self.name

    @property
    def link(self) -> str:
        """The address of its page from the results folder; empty while there is none."""
        return f"./{quote(self.name)}/{self.page}" if self.page else ""


def is_search(folder: Path) -> bool:
    """Return whether the folder is that of a sweep, a walk-forward or a study."""
    try:
        # once, where thousands of folders would be asked three times
        with os.scandir(folder) as entries:
            there = {entry.name for entry in entries}
    except OSError:
        return False
    return any(name in there and is_file(folder / name) for name in (PLAN, *FINDINGS))


def read_searches(results: Path) -> list[SearchRecord]:
    """Return every sweep, walk-forward and study under `results`, the newest first."""
    names, _ = subfolders(results)
    return [_record(results / name) for name in reversed(names) if is_search(results / name)]


def _record(folder: Path) -> SearchRecord:
    kind = _kind(folder)
    counts, problem = _table(folder / kind.counted_in)
    plan, damage = ({}, "") if kind is STUDY else _table(folder / PLAN)
    try:
        trials = number_in(counts, "trials")
    except UnreadableError as error:
        trials, problem = math.nan, problem or f"{kind.counted_in}: {error}"
    return SearchRecord(
        name=folder.name,
        kind=kind.title,
        page=next((page for page in kind.pages if is_file(folder / page)), ""),
        asset=_asset(plan),
        trials=trials,
        made=made_at(folder.name),
        problem=damage or problem,
    )


def _kind(folder: Path) -> Kind:
    if not is_file(folder / PLAN):
        return STUDY
    return WALK_FORWARD if is_file(folder / WALK_FORWARD.counted_in) else SWEEP


def _table(path: Path) -> tuple[Mapping[str, Any], str]:
    """Return a file's table, empty where it has none, and what is wrong with it."""
    try:
        return parsed_table(text_of(path), path.name), ""
    except UnreadableError as error:
        return {}, str(error)


def _asset(plan: Mapping[str, Any]) -> str:
    """Return the asset, or all of them where it varies."""
    search = plan.get("sweep")
    swept = search.get("asset") if isinstance(search, dict) else None
    assets = swept if isinstance(swept, list) else [plan.get("asset", "")]
    return ", ".join(map(str, assets))


def made_at(name: str) -> str:
    """Return when the folder was made, as its name says."""
    stamp = name[:16]
    try:
        return f"{datetime.fromisoformat(stamp):%Y-%m-%d %H:%M}" if STAMP.fullmatch(stamp) else ""
    except ValueError:
        return ""
