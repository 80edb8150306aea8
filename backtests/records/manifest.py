"""The manifest of a run: versions, where its bars and own code come from, and what they are."""

import hashlib
import importlib.metadata
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from backtests.config.config import Config
from backtests.config.plugins import config_texts, plugin_at
from backtests.records.weekly_equity import courses_json
from backtests.records.writing import as_json
from feeds.bars import Bars, Span
from feeds.history import spans_of
from feeds.series import Series

if TYPE_CHECKING:
    from backtests.engines.backtest import Run

TIME_FORMAT: Final = "%Y-%m-%dT%H:%M:%SZ"
LIBRARIES: Final = ("backtrader", "exchange_calendars", "numpy", "pandas", "pyfolio-reloaded")


def manifest_json(result: "Run", *, created: pd.Timestamp, name: str = "") -> str:
    """Return what was used: versions, source, symbols, ranges, rows and digests of the bars.

    Series that only tell regimes apart say so: no figure of the run depends on them. With it
    stand the `name` that its maker gave the run and its course week by week.
    """
    regimes = result.regime_series
    content = {
        "created": created.strftime(TIME_FORMAT),
        "name": name,
        "versions": {
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in LIBRARIES},
        },
        "config_hash": result.config.short_hash,
        "config": result.config.model_dump(mode="json"),
        "prices": "split-adjusted, not dividend-adjusted",
        "bars": [provenance(bars) for bars in result.market.inputs.all_bars],
        "series": [
            *map(_series, result.market.inputs.series.values()),
            *(_series(regimes.found[name]) | {"only_for": "regimes"} for name in regimes.read),
        ],
        "warnings": list(result.warnings),
        "course": courses_json(result),
    }
    if own := own_code(result.config):
        content["own_code"] = own
    return as_json(content)


def _series(series: Series) -> dict[str, Any]:
    return {
        "name": series.name,
        "origin": series.origin,
        "rows": len(series),
        "sha256": series.sha256,
        "notes": list(series.notes),
    }


def provenance(bars: Bars) -> dict[str, Any]:
    """Return where bars come from, which they are, and what is known against them."""
    return {
        "symbol": bars.instrument.symbol,
        "source": bars.source,
        "origin": bars.origin,
        "timeframe": bars.timeframe,
        "first": bars.frame.index[0].strftime("%Y-%m-%dT%H:%M:%S"),
        "last": bars.frame.index[-1].strftime("%Y-%m-%dT%H:%M:%S"),
        "rows": len(bars),
        "close_only": bars.is_close_only,
        "sha256": bars.sha256,
        "spans": [_span(span) for span in spans_of(bars)],
        "notes": list(bars.notes),
    }


def _span(span: Span) -> dict[str, Any]:
    """Return one source's share of the bars; the newest was compared with nothing: null."""
    return {
        "source": span.source,
        "origin": span.origin,
        "first": span.first.strftime("%Y-%m-%dT%H:%M:%S"),
        "last": span.last.strftime("%Y-%m-%dT%H:%M:%S"),
        "rows": span.rows,
        "is_close_only": span.is_close_only,
        "common_bars": span.common,
        "median_difference": span.median,
        "worst_difference": span.worst,
    }


def own_code(config: Config) -> list[dict[str, Any]]:
    """Return the own functions a config uses: kind, name, where from, and the source's digest.

    `files` has the digest of each file where one imports others from beside it.
    """
    found = [
        _own_function(entry.kind, entry.name, entry.origin.name, entry.origin.sha256)
        for entry in config.own_functions
    ]
    if config.strategy:
        file, _, name = config.strategy.rpartition(":")
        found.append(_own_function("strategy", name, file, plugin_at(file).sha256))
    files = {name: _digests(texts) for name, texts in config_texts(config).items()}
    return [one | {"files": files[one["from"]]} if len(files.get(one["from"], ())) > 1 else one
            for one in found]  # fmt: skip


def _own_function(kind: str, name: str, origin: str, sha256: str) -> dict[str, Any]:
    return {"kind": kind, "name": name, "from": origin, "sha256": sha256}


def _digests(texts: Mapping[str, str]) -> dict[str, str]:
    return {file: hashlib.sha256(text.encode()).hexdigest() for file, text in texts.items()}


def own_sources(config: Config) -> dict[str, str]:
    """Return the text of each file of a config's plug-ins, by the file name it is kept under.

    It is kept to be read: nothing loads code from a folder of results.
    """
    texts = {file: text for one in config_texts(config).values() for file, text in one.items()}
    kept: dict[str, str] = {}
    for file, text in texts.items():
        name = f"plugin-{Path(file).name}"
        same = sum(other.startswith(name) for other in kept)
        kept[f"{name}{f'-{same + 1}' if same else ''}.txt"] = text
    return kept
