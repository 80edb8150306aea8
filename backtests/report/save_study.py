"""Leave a study's results folder: pages, tables and what they were made from."""

import importlib.metadata
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from backtests.claims.all_readings import curve_row
from backtests.claims.runner import MECHANISM, AssetStudy, Judged, Study
from backtests.records.atomic_writing import as_csv, as_json, as_markdown
from backtests.report.pages.page_base import LIBRARY_FILE, plotly_library
from backtests.report.pages.study import (
    claims_page,
    figures_row,
    study_page,
)
from backtests.report.words.claims import (
    INTERVAL,
    P_HEADING,
    evidence_in_words,
    interval,
    p_values,
    probability,
    size,
    stated_in_words,
)

TEXT_CELLS: Final = frozenset(
    {"claim", "study", "asset", "reading", "as stated", "as evidence", "verdict"}
)
PACKAGES: Final = ("russell-risk-on", "numpy", "pandas", "scipy")


def study_files(studies: Sequence[Study], judged: list[Judged]) -> dict[str, str]:
    """Return every file of the folder by name; same studies, same bytes.

    One study: `study.html` and `config.toml`. Several: `index.html`, a page and a config each,
    and once the library that draws their charts. Always the findings as `claims.csv`,
    `claims.json` and a Markdown table, `claims.md` (`findings` where only an event is
    studied); the tables `horizons`, `episodes`, `left_out`, `path`, `delays`, `lead_lag`,
    `rolling` and `curve` as CSV with the study and `asset` in front; and `manifest.json`.
    """
    kind, stem = ("claim", "claims") if studies[0].claim.is_claim else ("study", "findings")
    findings = [figures_row(one) for one in judged]
    study_of = {study.name: study for study in studies}
    files = {
        f"{stem}.csv": as_csv(pd.DataFrame(findings)),
        f"{stem}.json": as_json([claim_row(one, study_of[one.study]) for one in judged]),
        f"{stem}.md": markdown(judged, kind=kind),
        "manifest.json": as_json(_manifest(studies)),
        **{f"{name}.csv": text for name, text in _tables(studies, kind).items()},
    }
    if len(studies) == 1:
        return files | {
            "study.html": study_page(studies[0], judged),
            "config.toml": studies[0].config.to_toml(),
        }
    for study in studies:
        files[f"{study.name}.html"] = study_page(
            study,
            judged,
            claims_link="index.html",
            mechanism_link=f"{MECHANISM}.html" if MECHANISM in study_of else "",
            library_file=LIBRARY_FILE,
        )
        files[f"{study.name}.toml"] = study.config.to_toml()
    files |= {
        "index.html": claims_page(judged, list(studies), library_file=LIBRARY_FILE),
        LIBRARY_FILE: plotly_library(),
    }
    return files


def claim_row(one: Judged, study: Study) -> dict[str, Any]:
    """Return a finding with its dates, and what followed since the claim was published."""
    found = one.finding
    since = study.since.get(found.first_asset)
    return {
        **figures_row(one),
        "episodes": list(found.dates),
        "episode_count": found.episodes,
        "since_published": since
        and {
            "from": f"{since.first:%Y-%m-%d}",
            "to": f"{since.last:%Y-%m-%d}",
            "value": since.at_horizon,
            "buy_and_hold": since.value,
            "usual": since.usual,
            "share_below": since.share_below,
        },
        "curve": curve_row(study.curve),
    }


def markdown(judged: Sequence[Judged], *, kind: str = "claim") -> str:
    """Return the findings as a Markdown table, a row per finding."""
    cells = _claim_cells if kind == "claim" else _event_cells
    rows = [cells(one) for one in judged]
    marks = ("---" if name in TEXT_CELLS else "---:" for name in rows[0])
    lines = [f"| {' | '.join(rows[0])} |", f"|{'|'.join(marks)}|"]
    lines += [f"| {' | '.join(row.values())} |" for row in rows]
    return "\n".join(lines) + "\n"


def _claim_cells(one: Judged) -> dict[str, str]:
    found = one.finding
    return {
        "claim": as_markdown(one.claim.statement),
        "asset": as_markdown(found.asset),
        "reading": as_markdown(found.reading),
        "as stated": stated_in_words(found),
        "effect": size(found.estimate, found.unit),
        "claimed": size(found.claimed, found.unit),
        "ruled out above": size(found.high, found.unit),
        **_shared_cells(one),
        "as evidence": evidence_in_words(found),
    }


def _event_cells(one: Judged) -> dict[str, str]:
    found = one.finding
    return {
        "study": as_markdown(one.claim.statement),
        "asset": as_markdown(found.asset),
        "effect": size(found.estimate, found.unit),
        INTERVAL: interval(found),
        **_shared_cells(one),
        "verdict": one.verdict,
    }


def _shared_cells(one: Judged) -> dict[str, str]:
    return {
        P_HEADING: p_values(one.finding),
        "p, all counted": probability(one.adjusted_p),
        "episodes": str(one.finding.episodes),
    }


def _tables(studies: Sequence[Study], kind: str) -> dict[str, str]:
    parts: dict[str, list[pd.DataFrame]] = {}
    for study in studies:
        for asset in study.assets:
            for name, table in _frames(asset).items():
                named = table.copy()
                named.insert(0, "asset", asset.events.asset)
                named.insert(0, kind, study.name)
                parts.setdefault(name, []).append(named)
        if study.curve is not None:
            parts.setdefault("curve", []).append(_readings(study.name, study.curve.effects, kind))
    return {name: as_csv(pd.concat(tables, ignore_index=True)) for name, tables in parts.items()}


def _readings(name: str, effects: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Return a row per reading, smallest effect first, as growth beyond other dates."""
    ordered = [kind, "asset", *(column for column in effects if column != "asset")]
    grown = effects.assign(**{kind: name, "effect": np.expm1(effects["effect"])})
    return grown[ordered]


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


def _manifest(studies: Sequence[Study]) -> dict[str, Any]:
    bars = {str(one["symbol"]): one for study in studies for one in study.bars}
    return {
        "studies": [study.name for study in studies],
        "draws": studies[0].draws,
        "versions": {name: _version(name) for name in PACKAGES},
        "bars": [bars[symbol] for symbol in sorted(bars)],
        "notes": sorted({note for study in studies for note in study.notes}),
    }


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
