"""Where bars come from, which they are, and what is known against them."""

from typing import Any

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
