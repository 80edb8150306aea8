"""A results folder read back: what the index and the comparison show of a run."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from backtests.records.safe_reading import (
    UnreadableError,
    number_in,
    parsed_table,
    subfolders,
    text_of,
)
from backtests.records.saved_searches import is_search, made_at
from backtests.records.weekly_equity import ACCOUNTS, Course, read_course
from feeds.folders import is_folder
from feeds.instruments import SAMPLE_SOURCE

# what the index shows; every one must be a number or null
SHOWN_FIGURES: Final = (
    "cagr", "total_return", "sharpe_ratio", "max_drawdown", "time_in_market", "trades",
)  # fmt: skip
# the config is read from the manifest: JSON is read fifty times as fast as TOML
FILES: Final = ("metrics.json", "manifest.json")
MOST_RUNS: Final = 12  # side by side, as many as can be told apart


class BrokenRunError(Exception):
    """A folder is no complete run; the message says why."""


@dataclass(frozen=True, slots=True)
class BarsUsed:
    """One symbol's bars as a manifest tells them: where from, how long, from when to when."""

    symbol: str
    sources: tuple[str, ...]
    timeframe: str
    first: str
    last: str
    rows: float


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run as its folder tells it; figures are NaN where undefined."""

    name: str
    config: dict[str, Any]
    strategy: dict[str, float]
    buy_and_hold: dict[str, float]
    first: str
    last: str
    episodes_traded: float
    verdict: str
    warnings: tuple[str, ...]
    episodes: float = math.nan
    title: str = ""
    bars: tuple[BarsUsed, ...] = ()
    courses: Mapping[str, Course | None] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The name its maker gave it; without one its asset, and when it was made."""
        made = made_at(self.name)
        return self.title or (f"{self.asset} {made}" if made and self.asset else self.name)

    @property
    def is_sample(self) -> bool:
        """Whether any of its bars are the bundled sample's simulated days."""
        return any(SAMPLE_SOURCE in each.sources for each in self.bars)

    @property
    def link(self) -> str:
        """The address of its tearsheet from the results folder."""
        return f"./{quote(self.name)}/tearsheet.html"

    @property
    def ahead(self) -> float:
        """CAGR minus buy-and-hold's; NaN where either is undefined."""
        return self.strategy["cagr"] - self.buy_and_hold["cagr"]

    @property
    def asset(self) -> str:
        """What it traded, as its config says."""
        asset = self.config.get("asset")
        return asset if isinstance(asset, str) else ""

    def setting(self, section: str, key: str) -> Any:
        """Return one setting, empty where the config does not have it."""
        within = self.config.get(section)
        return within.get(key, "") if isinstance(within, dict) else ""

    def word(self, section: str, key: str) -> str:
        """Return a setting that is text, empty where the config has none."""
        value = self.setting(section, key)
        return value if isinstance(value, str) else ""

    def number(self, section: str, key: str) -> float:
        """Return a setting that is a number, NaN where the config has none."""
        try:
            return number_in({key: self.setting(section, key)}, key)
        except UnreadableError:
            return math.nan


def read_runs(results: Path) -> tuple[list[RunRecord], list[tuple[str, str]]]:
    """Return every run under `results`, the newest first, and (name, reason) of the broken.

    Sweeps and walk-forwards are neither.
    """
    found, broken = subfolders(results)
    runs = []
    # one after another: most of it is to parse, for which threads only wait on one another, and
    # another process takes as long to hand its runs over
    for name in reversed(found):
        if is_search(results / name):
            continue
        try:
            runs.append(read_run(results / name))
        except BrokenRunError as error:
            broken.append((name, str(error)))
    return runs, broken


def read_run(folder: Path) -> RunRecord:
    """Return one run.

    Raises
    ------
    BrokenRunError
        If a file is missing or does not say what a run's file says.
    """
    metrics, manifest = (_table(folder / file) for file in FILES)
    config = manifest.get("config")
    if not isinstance(config, dict):
        raise BrokenRunError("manifest.json has no config")
    warnings = metrics.get("warnings", [])
    return RunRecord(
        name=folder.name,
        config=config,
        strategy=_figures(metrics, "strategy"),
        buy_and_hold=_figures(metrics, "buy_and_hold"),
        first=str(metrics.get("first_bar", ""))[:10],
        last=str(metrics.get("last_bar", ""))[:10],
        episodes_traded=_number(metrics, "episodes_traded", "metrics.json"),
        verdict=str(metrics.get("verdict", "")),
        warnings=tuple(map(str, warnings)) if isinstance(warnings, list) else (),
        episodes=_number(metrics, "episodes", "metrics.json"),
        title=str(manifest.get("name") or ""),
        bars=_bars(manifest),
        courses={account: read_course(manifest, account) for account in ACCOUNTS},
    )


def _bars(manifest: Mapping[str, Any]) -> tuple[BarsUsed, ...]:
    """Return what a manifest tells of its bars; what is no table tells nothing."""
    found = manifest.get("bars")
    tables = found if isinstance(found, list) else []
    return tuple(_bars_used(each) for each in tables if isinstance(each, dict))


def _bars_used(table: Mapping[str, Any]) -> BarsUsed:
    spans = table.get("spans")
    joined: Sequence[Mapping[str, Any]] = (
        [each for each in spans if isinstance(each, dict)] if isinstance(spans, list) else []
    )
    sources = [str(each.get("source", "")) for each in joined or (table,)]
    try:
        rows = number_in(table, "rows")
    except UnreadableError:
        rows = math.nan
    return BarsUsed(
        symbol=str(table.get("symbol", "")),
        sources=tuple(dict.fromkeys(sources)),
        timeframe=str(table.get("timeframe", "")),
        first=str(table.get("first", ""))[:10],
        last=str(table.get("last", ""))[:10],
        rows=rows,
    )


def _table(path: Path) -> dict[str, Any]:
    try:
        return parsed_table(text_of(path), path.name)
    except UnreadableError as error:
        raise BrokenRunError(str(error)) from error


def _figures(metrics: dict[str, Any], account: str) -> dict[str, float]:
    figures = metrics.get(account)
    if not isinstance(figures, dict):
        raise BrokenRunError(f"metrics.json has no figures of {account}")
    missing = [name for name in SHOWN_FIGURES if name not in figures]
    if missing:
        raise BrokenRunError(f"metrics.json has no {account} {missing[0]}")
    return {name: _number(figures, name, f"metrics.json, {account}") for name in figures}


def _number(table: dict[str, Any], name: str, where: str) -> float:
    try:
        return number_in(table, name)
    except UnreadableError as error:
        raise BrokenRunError(f"{where}: {error}") from error


def chosen_folders(results: Path, names: Sequence[str]) -> list[Path]:
    """Return the folders of the named runs.

    Raises
    ------
    BrokenRunError
        If there are fewer than two, too many, or one is not a folder of `results`.
    """
    if not 2 <= len(names) <= MOST_RUNS:
        raise BrokenRunError(f"Give 2 to {MOST_RUNS} runs, received {len(names)}")
    return [run_folder(results, name) for name in names]


def run_folder(results: Path, name: str) -> Path:
    """Return the folder of a named run.

    Raises
    ------
    BrokenRunError
        If it is not a folder of `results`.
    """
    folder = results / Path(name.rstrip("/")).name
    if folder.name in ("", "..") or folder == results or not is_folder(folder):
        raise BrokenRunError(f"{name!r} is no run")
    return folder
