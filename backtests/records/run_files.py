"""What a run leaves, as text: its tables and documents, and the manifest of where all came from."""

import hashlib
import importlib.metadata
import platform
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pandas as pd

from backtests.analysis.exposure import compared_equity, with_start
from backtests.analysis.run_figures import Summary
from backtests.analysis.run_significance import Significance
from backtests.config.config import Config
from backtests.config.plugins import config_texts, plugin_at
from backtests.engines.account import Capacity
from backtests.engines.backtest import Run
from backtests.records.atomic_writing import as_csv, as_json
from backtests.records.weekly_equity import courses_json
from feeds.bars import Bars, Span
from feeds.history import spans_of
from feeds.series import Series
from feeds.sessions import BAR_LENGTHS

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


def run_files(
    result: Run,
    summary: Summary,
    significance: Significance,
    *,
    verdict: str,
    conclusion: str,
) -> dict[str, str]:
    """Return file name -> content of everything but the manifest's clock and the tearsheet."""
    return {
        "metrics.json": metrics_json(
            result, summary, significance, verdict=verdict, conclusion=conclusion
        ),
        **table_files(result, summary),
        "signals.csv": signals_csv(result),
        "drawdowns.csv": as_csv(drawdowns_table(summary)),
        "config.toml": result.config.to_toml(),
        **own_sources(result.config),
    }


def table_files(result: Run, summary: Summary) -> dict[str, str]:
    """Return file name -> content of what the strategy was worth, held and traded."""
    files = {
        "equity.csv": equity_csv(result),
        "fills.csv": as_csv(result.strategy.fills),
        "trades.csv": as_csv(summary.trades),
    }
    if result.strategy.positions.shape[1] > 1:
        positions = with_start(result.strategy.positions, 0.0, length=_bar_length(result))
        files["positions.csv"] = as_csv(positions)
    return files


def metrics_json(
    result: Run,
    summary: Summary,
    significance: Significance,
    *,
    verdict: str,
    conclusion: str,
) -> str:
    """Return all figures; an undefined or infinite one is null: JSON has neither."""
    content: dict[str, Any] = {
        **summary.figures,
        "periods_per_year": result.periods_per_year,
        "index_periods_per_year": summary.index_periods_per_year,
        "years": result.years,
        "first_bar": result.market.traded_bars.index[0].strftime(TIME_FORMAT),
        "last_bar": result.market.traded_bars.index[-1].strftime(TIME_FORMAT),
        "bars": len(result.market.traded_bars),
        "capacity": _capacity(summary.capacity),
        "episodes": summary.episodes,
        "episodes_traded": summary.episodes_traded,
        "refused_orders": result.strategy.refused,
        "pending_order": result.strategy.pending or None,
        "best_time_in_market": _best(summary),
        "verdict": verdict,
        "significance": {"conclusion": conclusion, **significance.figures()},
        "warnings": list(result.warnings),
    }
    if own := own_code(result.config):
        content["own_code"] = own
    return as_json(content)


def _capacity(found: Capacity) -> dict[str, Any]:
    time = found.time.strftime(TIME_FORMAT) if found.time is not None else None
    return asdict(found) | {"time": time}


def _best(summary: Summary) -> dict[str, Any]:
    """Return the time in the market that gained most, and what the run made without it."""
    best = summary.best
    times = {"from": best.start, "to": best.end}
    return {
        **{
            name: None if pd.isna(time) else time.strftime(TIME_FORMAT)
            for name, time in times.items()
        },
        "gain": best.gain,
        "total_return_without": best.total_return,
        "cagr_without": best.cagr,
    }


def equity_csv(result: Run) -> str:
    """Return a row of the starting cash and one per tradable bar; time is the bar's open, UTC.

    The accounts it is compared with follow under the names they have in metrics.json. Units of
    several coins are in positions.csv.
    """
    account, cash = result.strategy, result.strategy.initial_cash
    table = account.bars[["equity", "cash"]].copy()
    if account.positions.shape[1] == 1:
        table["units"] = account.positions.iloc[:, 0]
    table["weight"] = account.bars["weight"]
    others = compared_equity(result)
    start = dict.fromkeys(map(str, table), 0.0)
    start |= dict.fromkeys(("equity", "cash", *others), cash)
    return as_csv(with_start(table.assign(**others), start, length=_bar_length(result)))


def _bar_length(result: Run) -> pd.Timedelta:
    return BAR_LENGTHS[result.market.coin.timeframe]


def signals_csv(result: Run) -> str:
    """Return one row an index session, the whole history."""
    market, signals = result.market, result.market.signals
    table = pd.DataFrame(
        {
            "session": pd.DatetimeIndex(market.index.frame.index).strftime("%Y-%m-%d"),
            "available_at": market.available_at,
            "close": market.index.frame["close"].to_numpy(),
            "prior_high": signals.prior_high,
            "resistance_age": pd.array(signals.resistance_age).astype("Int64"),
            "new_high": signals.new_high,
            "breakout": signals.breakout,
            "support_level": signals.support_level,
            "support_held": signals.support_held,
            "support_lost": signals.support_lost,
        }
    )
    for name, fires in signals.own.items():
        table[f"signal_{name}"] = fires
    known_at = market.available_at.as_unit("ns").asi8
    for gate in market.gates:
        table[f"filter_{gate.name}"] = pd.array(gate.at(known_at)).astype("Int64")
    return as_csv(table)


def drawdowns_table(summary: Summary) -> pd.DataFrame:
    """Return every drawdown of the strategy and of buy-and-hold, deepest first."""
    tables = [table.assign(of=name) for name, table in summary.drawdowns.items()]
    joined = pd.concat(tables, ignore_index=True)
    return joined[["of", *joined.columns.drop("of")]]
