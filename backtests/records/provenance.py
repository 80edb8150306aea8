"""Where bars come from, which they are, and what is known against them."""

from pathlib import Path
from typing import Any

from backtests.config.config import Config
from backtests.config.plugins import config_texts, plugin_at
from feeds.bars import Bars, Span
from feeds.history import spans_of


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
    """Return the own functions a config uses: kind, name, where from, and the source's digest."""
    found = [
        {
            "kind": entry.kind,
            "name": entry.name,
            "from": entry.origin.name,
            "sha256": entry.origin.sha256,
        }
        for entry in config.own_functions
    ]
    if config.strategy:
        file, _, name = config.strategy.rpartition(":")
        found.append(
            {"kind": "strategy", "name": name, "from": file, "sha256": plugin_at(file).sha256}
        )
    return found


def own_sources(config: Config) -> dict[str, str]:
    """Return the text of each plug-in a config names, by the file name it is kept under.

    It is kept to be read: nothing loads code from a folder of results.
    """
    return {f"plugin-{Path(name).name}.txt": text for name, text in config_texts(config).items()}
