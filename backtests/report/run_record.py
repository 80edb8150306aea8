"""A results folder read back: what the index and the comparison show of a run."""

import json
import math
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from backtests.report.search_record import is_search

# what the index shows; every one must be a number or null
SHOWN_FIGURES: Final = (
    "cagr", "total_return", "sharpe_ratio", "max_drawdown", "time_in_market", "trades",
)  # fmt: skip
# the config is read from the manifest: JSON is read fifty times as fast as TOML
FILES: Final = ("metrics.json", "manifest.json")
READERS: Final = 8
MOST_RUNS: Final = 12  # side by side, as many as can be told apart
MOST_BYTES: Final = 20_000_000  # a file larger than this is not one of ours


class BrokenRunError(Exception):
    """A folder is no complete run; the message says why."""


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

    @property
    def link(self) -> str:
        """The address of its tearsheet from the results folder."""
        return f"./{quote(self.name)}/tearsheet.html"

    @property
    def ahead(self) -> float:
        """CAGR minus buy-and-hold's; NaN where either is undefined."""
        return self.strategy["cagr"] - self.buy_and_hold["cagr"]

    def setting(self, section: str, key: str) -> Any:
        """Return one setting, empty where the config does not have it."""
        within = self.config.get(section)
        return within.get(key, "") if isinstance(within, dict) else ""


def read_runs(results: Path) -> tuple[list[RunRecord], list[tuple[str, str]]]:
    """Return every run under `results`, the newest first, and (name, reason) of the broken.

    Sweeps and walk-forwards are neither.
    """
    with os.scandir(results) as entries:
        names = [each.name for each in entries if each.is_dir() and each.name[0] != "."]
    names = [name for name in sorted(names, reverse=True) if not is_search(results / name)]
    runs, broken = [], []
    # opening thousands of files is mostly waiting
    with ThreadPoolExecutor(max_workers=READERS) as pool:
        texts = pool.map(_texts, (results / name for name in names))
        for name, text in zip(names, texts, strict=True):
            try:
                runs.append(_record(name, text))
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
    return _record(folder.name, _texts(folder))


def _record(name: str, texts: Mapping[str, str | BrokenRunError]) -> RunRecord:
    metrics, manifest = (_table(texts[file], file) for file in FILES)
    config = manifest.get("config")
    if not isinstance(config, dict):
        raise BrokenRunError("manifest.json has no config")
    warnings = metrics.get("warnings", [])
    return RunRecord(
        name=name,
        config=config,
        strategy=_figures(metrics, "strategy"),
        buy_and_hold=_figures(metrics, "buy_and_hold"),
        first=str(metrics.get("first_bar", ""))[:10],
        last=str(metrics.get("last_bar", ""))[:10],
        episodes_traded=_number(metrics, "episodes_traded", "metrics.json"),
        verdict=str(metrics.get("verdict", "")),
        warnings=tuple(map(str, warnings)) if isinstance(warnings, list) else (),
    )


def _texts(folder: Path) -> dict[str, str | BrokenRunError]:
    return {name: _text(folder / name) for name in FILES}


def _text(path: Path) -> str | BrokenRunError:
    """Return a file's text, or what is wrong with it: a thread hands on no exception."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            return BrokenRunError(f"{path.name} is too large")
        return content.decode("utf-8").replace("\r\n", "\n")
    except FileNotFoundError:
        return BrokenRunError(f"{path.name} is missing")
    except OSError as error:
        return BrokenRunError(f"{path.name}: {error.strerror}")
    except UnicodeDecodeError:
        return BrokenRunError(f"{path.name} is not UTF-8 text")


def _table(text: str | BrokenRunError, name: str) -> dict[str, Any]:
    if isinstance(text, BrokenRunError):
        raise text
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BrokenRunError(f"{name} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise BrokenRunError(f"{name} is not a table")
    return content


def _figures(metrics: dict[str, Any], account: str) -> dict[str, float]:
    figures = metrics.get(account)
    if not isinstance(figures, dict):
        raise BrokenRunError(f"metrics.json has no figures of {account}")
    missing = [name for name in SHOWN_FIGURES if name not in figures]
    if missing:
        raise BrokenRunError(f"metrics.json has no {account} {missing[0]}")
    return {name: _number(figures, name, f"metrics.json, {account}") for name in figures}


def _number(table: dict[str, Any], name: str, where: str) -> float:
    value = table.get(name)
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BrokenRunError(f"{where}: {name} is not a number")
    return float(value)


def chosen_folders(results: Path, names: Sequence[str]) -> list[Path]:
    """Return the folders of the named runs.

    Raises
    ------
    BrokenRunError
        If there are fewer than two, too many, or one is not a folder of `results`.
    """
    if not 2 <= len(names) <= MOST_RUNS:
        raise BrokenRunError(f"Give 2 to {MOST_RUNS} runs, received {len(names)}")
    folders = [results / Path(name.rstrip("/")).name for name in names]
    for name, folder in zip(names, folders, strict=True):
        if folder.name in ("", "..") or folder == results or not folder.is_dir():
            raise BrokenRunError(f"{name!r} is no run")
    return folders
