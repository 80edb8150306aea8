"""A run handed on to other tools: returns for QuantStats, a workbook, or Parquet tables."""

import importlib.util
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from backtests.analysis.run_figures import Summary
from backtests.engines.backtest import Run
from backtests.records.atomic_writing import as_json
from backtests.records.run_files import table_files
from backtests.records.safe_reading import UnreadableError, is_file, text_of
from feeds.errors import ConfigError, DataError
from feeds.folders import write_whole
from feeds.message_text import nearest_hint

FORMATS: Final = ("quantstats", "excel", "parquet")
FOLDER: Final = "export"  # within a results folder
WORKBOOK: Final = "run.xlsx"
RETURNS: Final = "returns.csv"
EXCEL_LIBRARY: Final = "openpyxl"
MOST_BYTES: Final = 500_000_000
TIMES: Final = ("time", "entry_time", "exit_time")

Tables = Mapping[str, pd.DataFrame]


def require_formats(wanted: Sequence[str], *, parameter: str = "--export") -> None:
    """Refuse a format that is none, or whose library is not installed, before any work is done."""
    for name in wanted:
        if name not in FORMATS:
            raise ConfigError(
                f"`{parameter}` must be one of {', '.join(FORMATS)}, received {name!r}."
                f"{nearest_hint(name, FORMATS)}"
            )
        if name == "excel" and importlib.util.find_spec(EXCEL_LIBRARY) is None:
            raise ConfigError(
                f"`{parameter}` excel needs openpyxl, which is not installed. Install it: "
                "pip install 'russell-risk-on[excel]'."
            )


def hand_over_run(result: Run, summary: Summary) -> dict[str, pd.DataFrame]:
    """Return the tables of a run that is in memory; see `tables_of`."""
    files = {**table_files(result, summary), "metrics.json": as_json(summary.figures)}
    return tables_of(files)


def hand_over_folder(folder: Path) -> dict[str, pd.DataFrame]:
    """Return the tables of a results folder; see `tables_of`.

    Raises
    ------
    DataError
        If the folder is no complete run.
    """
    names = ["equity.csv", "trades.csv", "fills.csv", "metrics.json"]
    names += ["positions.csv"] if is_file(folder / "positions.csv") else []
    try:
        return tables_of({name: text_of(folder / name, most=MOST_BYTES) for name in names})
    except (UnreadableError, KeyError, ValueError, TypeError) as error:
        raise DataError(
            f"{folder} cannot be exported: {error}. Name a folder that a run left."
        ) from error


def tables_of(files: Mapping[str, str]) -> dict[str, pd.DataFrame]:
    """Return returns, positions, trades, fills and figures, from the texts of a run's files.

    Times are of UTC and without a zone, as spreadsheets and QuantStats take them. `returns` are
    simple and daily, dated by the day they were made on, of strategy and benchmark (buy-and-hold);
    hours are compounded, and days without a bar have no row. `positions` has a row per bar: the
    units of each symbol (`units` of a single coin) at its end, what all are worth, cash, equity.
    """
    equity = _table(files["equity.csv"])
    return {
        "returns": _returns(equity),
        "positions": _positions(equity, files.get("positions.csv")),
        "trades": _table(files["trades.csv"]),
        "fills": _table(files["fills.csv"]),
        "figures": _figures(files["metrics.json"]),
    }


def write_tables(tables: Tables, folder: Path, *, formats: Sequence[str]) -> list[Path]:
    """Write the tables in each format into `folder`, over older ones, and return the files."""
    require_formats(formats)
    contents: dict[str, bytes] = {}
    for name in formats:
        contents |= WRITERS[name](tables)
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in contents.items():
        write_whole(folder / file, content)
    return [folder / file for file in contents]


def _table(text: str) -> pd.DataFrame:
    table = pd.read_csv(io.StringIO(text))
    times = {name: _times(table[name]) for name in TIMES if name in table}
    return table.assign(**times)


def _times(column: pd.Series) -> pd.Series:
    return pd.to_datetime(column, utc=True).dt.tz_localize(None)


def _returns(equity: pd.DataFrame) -> pd.DataFrame:
    curves = equity.set_index("time")[["equity", "buy_and_hold"]]
    daily = curves.groupby(pd.DatetimeIndex(curves.index).normalize()).last()
    # an account that lost all has nothing left to move
    returns = daily.pct_change(fill_method=None).iloc[1:].fillna(0.0)
    return returns.rename_axis("date").set_axis(["strategy", "benchmark"], axis=1)


def _positions(equity: pd.DataFrame, units: str | None) -> pd.DataFrame:
    held = equity[["time", "units"]] if units is None else _table(units)
    worth = equity.assign(invested=equity["equity"] - equity["cash"])
    return held.merge(worth[["time", "invested", "cash", "equity", "weight"]], on="time")


def _figures(metrics: str) -> pd.DataFrame:
    content = json.loads(metrics)
    accounts = {
        name: figures
        for name, figures in content.items()
        if isinstance(figures, dict) and "cagr" in figures
    }
    return pd.DataFrame(accounts).astype("float64").rename_axis("figure").reset_index()


def _quantstats(tables: Tables) -> dict[str, bytes]:
    text = tables["returns"].to_csv(date_format="%Y-%m-%d", lineterminator="\n")
    return {RETURNS: text.encode()}


def _excel(tables: Tables) -> dict[str, bytes]:
    content = io.BytesIO()
    with pd.ExcelWriter(content, engine=EXCEL_LIBRARY) as book:
        for name, table in tables.items():
            shown = table.reset_index() if table.index.name else table
            shown.to_excel(book, sheet_name=name, index=False, freeze_panes=(1, 1))
    return {WORKBOOK: content.getvalue()}


def _parquet(tables: Tables) -> dict[str, bytes]:
    return {f"{name}.parquet": table.to_parquet(engine="pyarrow") for name, table in tables.items()}


WRITERS: Final[Mapping[str, Callable[[Tables], dict[str, bytes]]]] = {
    "quantstats": _quantstats,
    "excel": _excel,
    "parquet": _parquet,
}
