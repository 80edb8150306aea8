"""Leave a study's results folder: pages, tables and what they were made from."""

import importlib.metadata
from collections.abc import Sequence
from typing import Any, Final

import pandas as pd

from backtests.evidence.page import (
    claims_page,
    figures_row,
    interval,
    probability,
    size,
    study_page,
)
from backtests.evidence.runner import AssetStudy, Judged, Study
from backtests.format import as_csv, as_json, as_markdown

PACKAGES: Final = ("russell-risk-on", "numpy", "pandas", "scipy")


def study_files(studies: Sequence[Study], judged: list[Judged], *, draws: int) -> dict[str, str]:
    """Return every file of the folder by name; same studies, same bytes.

    One study: `study.html`. Several: `index.html` and a page each. Always `claims.csv` and
    `claims.json` with the findings, the tables `horizons`, `episodes`, `left_out`, `path`,
    `delays`, `lead_lag` and `rolling` as CSV with the columns `claim` and `asset` in front,
    the findings as a Markdown table in `claims.md`, and `manifest.json`.
    """
    findings = [figures_row(one) for one in judged]
    files = {
        "claims.csv": as_csv(pd.DataFrame(findings)),
        "claims.json": as_json(findings),
        "claims.md": markdown(judged),
        "manifest.json": as_json(_manifest(studies, draws)),
        **{f"{name}.csv": text for name, text in _tables(studies).items()},
    }
    if len(studies) == 1:
        return files | {
            "study.html": study_page(studies[0], judged),
            "config.toml": studies[0].config.to_toml(),
        }
    pages = {
        f"{study.name}.html": study_page(study, judged, claims_link="index.html")
        for study in studies
    }
    return files | pages | {"index.html": claims_page(judged, list(studies), draws=draws)}


def markdown(judged: Sequence[Judged]) -> str:
    """Return the findings as a Markdown table, a row each."""
    lines = [
        "| claim | asset | effect | 95 % interval | p | episodes | verdict |",
        "|---|---|---:|---:|---:|---:|---|",
    ]
    for one in judged:
        found = one.finding
        effect, p_value = size(found.estimate, found.unit), probability(found.p_value)
        statement, asset = as_markdown(one.claim.statement), as_markdown(found.asset)
        lines.append(
            f"| {statement} | {asset} | {effect} | {interval(found)} | {p_value} | "
            f"{found.episodes} | {one.verdict} |"
        )
    return "\n".join(lines) + "\n"


def _tables(studies: Sequence[Study]) -> dict[str, str]:
    parts: dict[str, list[pd.DataFrame]] = {}
    for study in studies:
        for asset in study.assets:
            for name, table in _frames(asset).items():
                named = table.copy()
                named.insert(0, "asset", asset.events.asset)
                named.insert(0, "claim", study.name)
                parts.setdefault(name, []).append(named)
    return {name: as_csv(pd.concat(tables, ignore_index=True)) for name, tables in parts.items()}


def _frames(asset: AssetStudy) -> dict[str, pd.DataFrame]:
    return {
        "horizons": asset.events.horizons,
        "episodes": asset.events.episodes,
        "left_out": asset.events.left_out,
        "path": asset.events.path.reset_index(),
        "delays": asset.delays,
        "lead_lag": asset.lead_lag.table,
        "rolling": asset.rolling.rename_axis("session").reset_index(),
    }


def _manifest(studies: Sequence[Study], draws: int) -> dict[str, Any]:
    bars = {str(one["symbol"]): one for study in studies for one in study.bars}
    return {
        "claims": [study.name for study in studies],
        "draws": draws,
        "versions": {name: _version(name) for name in PACKAGES},
        "bars": [bars[symbol] for symbol in sorted(bars)],
        "notes": sorted({note for study in studies for note in study.notes}),
    }


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
