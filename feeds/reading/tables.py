"""Files of bars and of series to the one typed table to be validated."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from feeds.arrays import DAY_IN_NANOSECONDS
from feeds.errors import DataError
from feeds.instruments import BY_SYMBOL, Instrument, symbols_of
from feeds.raw_table import RawTable, with_prices
from feeds.reading.column_layouts import Layout, bare_symbol, layout, one_ticker, the_ticker
from feeds.reading.dialects import NOTHING_CHOSEN, Choices
from feeds.reading.file_contents import Content, contents, decode, parquet_grid
from feeds.reading.grid import Grid, text_grids
from feeds.reading.house_format import own_form
from feeds.reading.numbers import PlacedError, quote
from feeds.reading.typed_columns import Typed, join, typed_columns
from feeds.sessions import BAR_LENGTHS

ORDER: Final = ("open", "high", "low", "close", "volume", "quote_volume", "market_cap", "value")
ISO_READINGS: Final = ("%Y-%m-%d", "%Y-%m-%d %H:%M", "dates as typed")


def read_bars(
    paths: Path | Sequence[Path],
    *,
    instrument: Instrument,
    timeframe: str,
    choices: Choices = NOTHING_CHOSEN,
) -> RawTable:
    """Return the bars of a file in any form, or of several files that are parts of one series.

    Parameters
    ----------
    paths
        CSV in whatever dialect, Parquet, or an archive of them; recognised by content.
    instrument
        Chooses among the tickers of a table, and says whether midnights are sessions and
        what the other prices are where a file has closes alone.
    timeframe
        The length of the bars that are expected; that they have it is for validation to see.

    Raises
    ------
    DataError
        If nothing certain can be made of a file: what was seen there, and what to set.
    """
    files = [paths] if isinstance(paths, Path) else list(paths)
    parts = [content for path in files for content in contents(path)]
    tables = _own_bars(parts, instrument, timeframe, choices) or [
        _bars(grid, instrument, timeframe, choices) for grid in grids_of(parts, choices)
    ]
    return with_prices(join(tables), kind=instrument.kind)


def read_series(path: Path, *, name: str, choices: Choices = NOTHING_CHOSEN) -> RawTable:
    """Return the observations of one series, `date` and `value`, from a file in any form.

    Raises
    ------
    DataError
        If nothing certain can be made of the file: what was seen there, and what to set.
    """
    parts = contents(path)
    own = _own_tables(parts, "value")
    if own and all(map(_are_days, own)):
        return join(own)
    return join([_series(grid, name, choices) for grid in grids_of(parts, choices)])


def _own_tables(parts: Sequence[Content], column: str) -> list[RawTable]:
    """Return the tables of files that are all our own form, else nothing."""
    tables = []
    for part in parts:
        table = None if part.is_parquet else own_form(part.data, origin=part.name)
        if table is None or column not in table.frame.columns:
            return []
        tables.append(table)
    return tables


def _own_bars(
    parts: Sequence[Content], instrument: Instrument, timeframe: str, choices: Choices
) -> list[RawTable]:
    tables = _own_tables(parts, "close")
    return [_zone(table, instrument, timeframe, choices) for table in tables]


def _bars(grid: Grid, instrument: Instrument, timeframe: str, choices: Choices) -> RawTable:
    symbols = symbols_of(instrument)
    grid = one_ticker(grid, symbols=symbols)
    found = layout(grid, purpose="bars", symbols=symbols, choices=choices)
    _require_price(found, grid, instrument)
    grid, ticker = _of_one_ticker(grid, found, instrument)
    read = typed_columns(grid, found, choices=choices)
    return _table(grid, found, read, _BarContext(instrument, timeframe, choices, ticker))


def _series(grid: Grid, name: str, choices: Choices) -> RawTable:
    grid = one_ticker(grid, symbols=(name,))
    found = layout(grid, purpose="series", symbols=(name,), choices=choices)
    read = typed_columns(grid, found, choices=choices)
    if not read.dates.is_midnights:
        raise DataError(
            f"{grid.origin}: column `{found.name('date', grid)}`: {read.dates.reading} carries a "
            "time of day. An observation of a series has a date."
        )
    dates = pd.DatetimeIndex(read.dates.local.view("datetime64[ns]"))
    frame = pd.DataFrame({"date": dates, "value": read.numbers["value"]})
    note = _note(found, read, dates, grid)
    return _of_grid(frame, grid, note, readings=note)


def _of_grid(
    frame: pd.DataFrame, grid: Grid, note: tuple[str, ...], *, readings: tuple[str, ...]
) -> RawTable:
    return RawTable(
        frame,
        origin=grid.origin,
        lines=grid.lines,
        notes=(*note, *grid.notes),
        files=grid.files,
        file_rows=grid.file_rows,
        readings=readings,
    )


def _are_days(table: RawTable) -> bool:
    dates = pd.DatetimeIndex(table.frame["date"])
    return dates.tz is None and bool((dates.asi8 % DAY_IN_NANOSECONDS == 0).all())


def grids_of(parts: Sequence[Content], choices: Choices) -> list[Grid]:
    """Return the columns of tables in text or Parquet, not yet typed."""
    chosen = tuple(choices.columns.values())
    grids: list[Grid] = []
    for is_parquet, alike in groupby(parts, key=lambda part: part.is_parquet):
        if is_parquet:
            grids += map(parquet_grid, alike)
        else:
            grids += text_grids([(part.name, decode(part)) for part in alike], chosen=chosen)
    return grids


@dataclass(frozen=True, slots=True)
class _BarContext:
    """What a table of bars is read for."""

    instrument: Instrument
    timeframe: str
    choices: Choices
    ticker: str


def _require_price(found: Layout, grid: Grid, instrument: Instrument) -> None:
    if found.dialect.is_adjusted and instrument.kind == "index":
        raise DataError(
            f"{grid.origin}: {found.dialect.title} says above the table that its prices are "
            "adjusted for dividends, which rewrites the old highs that signals are judged on. "
            "Take an export whose close is not, such as Yahoo's or Nasdaq's."
        )


def _of_one_ticker(grid: Grid, found: Layout, instrument: Instrument) -> tuple[Grid, str]:
    """Return the rows of the instrument's ticker, and the ticker where a column has it."""
    at = found.columns.get("symbol")
    if at is None:
        return grid, ""
    texts = grid.columns[at].cast(pa.string())
    symbols = symbols_of(instrument)
    tickers = [str(ticker) for ticker in texts.unique().to_pylist()]
    ticker = the_ticker(tickers, symbols=symbols, origin=grid.origin)
    is_other = bare_symbol(ticker) not in {bare_symbol(symbol) for symbol in symbols}
    if is_other and instrument.kind == "coin":
        raise DataError(
            f"{grid.origin}: holds {quote(ticker)}, not {instrument.symbol}. "
            "Name the file after what it holds."
        )
    if len(tickers) == 1:
        return grid, ticker
    rows = np.flatnonzero(np.array(texts.to_pylist(), dtype=object) == ticker)
    columns = tuple(column.take(pa.array(rows)) for column in grid.columns)
    lines, file_rows = (each[rows] if each.size else each for each in (grid.lines, grid.file_rows))
    return replace(grid, columns=columns, lines=lines, file_rows=file_rows), ticker


def _table(grid: Grid, found: Layout, read: Typed, context: _BarContext) -> RawTable:
    instrument, dialect = context.instrument, found.dialect
    is_session = instrument.has_sessions(context.timeframe) and read.dates.is_midnights
    dates = read.dates.index()
    if is_session:  # a midnight is the session's, whatever its zone
        dates = pd.DatetimeIndex(read.dates.local.view("datetime64[ns]"))
    if dialect.is_stamped_at_end:
        dates -= BAR_LENGTHS[context.timeframe]
    columns: dict[str, object] = {"date": dates}
    columns |= {role: read.numbers[role] for role in ORDER if role in read.numbers}
    if dialect.is_volume_in_money and instrument.kind == "coin" and "volume" in columns:
        columns.setdefault("quote_volume", columns["volume"])
    note = _note(found, read, dates, grid, context)
    if is_session and read.dates.is_off_utc:
        note = (*note, f"{grid.origin}: midnights of a zone, read as that day's session")
    is_open = bool(dialect.caution) and _is_fund(instrument)
    readings = () if is_open else note
    table = _of_grid(pd.DataFrame(columns, copy=False), grid, note, readings=readings)
    return _zone(table, instrument, context.timeframe, context.choices, found)


def _zone(
    table: RawTable,
    instrument: Instrument,
    timeframe: str,
    choices: Choices,
    found: Layout | None = None,
) -> RawTable:
    """Return the table with its stamps in the zone that the dialect or the user gives them.

    Our own form has a coin's stamps in UTC by definition, and a session carries no zone.
    """
    declared = found.dialect.zone if found else ""
    is_own = found is None or not found.dialect.title
    zone = declared or ("" if is_own and instrument.kind == "coin" else choices.zone)
    if not zone or instrument.has_sessions(timeframe) or (not declared and timeframe == "1d"):
        return table
    dates = pd.DatetimeIndex(table.frame["date"])
    if dates.tz is not None:
        return table
    zoned = dates.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    lost = np.flatnonzero(zoned.isna())
    if lost.size:
        faults = [(table.place(row), f"{dates[row]:%Y-%m-%d %H:%M}") for row in lost.tolist()]
        raise PlacedError(
            table.origin, faults, remedy=f"In {zone} the clock shows this twice or never."
        )
    note = () if declared else (f"{table.origin}: stamps without a zone read as {zone}",)
    frame = table.frame.assign(date=zoned.tz_convert("UTC"))
    notes, readings = (*table.notes, *note), (*table.readings, *note)
    return replace(table, frame=frame, notes=notes, readings=readings)


def _note(
    found: Layout,
    read: Typed,
    dates: pd.DatetimeIndex,
    grid: Grid,
    context: _BarContext | None = None,
) -> tuple[str, ...]:
    """Return how the file was read in one line, nothing for our own form."""
    dialect = found.dialect
    if not dialect.title and read.dates.reading in ISO_READINGS and not read.writing:
        return ()
    words = [dialect.close, read.dates.reading, _order(dates), *read.writing]
    if context is not None:
        if "open" not in found.columns:
            words.append("closes only")
        if context.ticker:
            words.append(f"ticker {context.ticker}")
        if dialect.caution and _is_fund(context.instrument):
            words.append(dialect.caution)
    title = dialect.title or "our own columns"
    return (f"{grid.origin}: {title}: {', '.join(filter(None, words))}",)


def _is_fund(instrument: Instrument) -> bool:
    listing = BY_SYMBOL.get(instrument.symbol)
    return instrument.kind == "index" and not (listing and listing.yahoo.startswith("^"))


def _order(dates: pd.DatetimeIndex) -> str:
    if len(dates) < 2:
        return ""
    if dates.is_monotonic_increasing:
        return "oldest first"
    return "newest first" if dates.is_monotonic_decreasing else "in no order"
