"""Which column is what: a dialect of the table, or columns whose names leave no doubt."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from feeds.errors import DataError
from feeds.reading.dialects import (
    ADJUSTED_NAMES,
    OWN_NAMES,
    PRICES,
    Choices,
    Dialect,
    Headless,
    plain_name,
    table,
)
from feeds.reading.grid import Grid
from feeds.reading.numbers import plain_numbers, printable

Purpose = Literal["bars", "series"]
NEEDED: Final = {"bars": "close", "series": "value"}
ROLES_OF: Final = {
    "bars": ("date", *PRICES, "volume", "quote_volume", "market_cap", "symbol"),
    "series": ("date", "value", "symbol"),
}


@dataclass(frozen=True, slots=True)
class Layout:
    """What each column is: the dialect, and the number of the column of each role."""

    dialect: Dialect
    columns: dict[str, int]

    def name(self, role: str, grid: Grid) -> str:
        """Return the header of a role's column, as the file writes it."""
        at = self.columns[role]
        return printable(grid.names[at]) if grid.names else f"{at + 1}"


def layout(grid: Grid, *, purpose: Purpose, symbols: Iterable[str], choices: Choices) -> Layout:
    """Return which column of a grid is what.

    `symbols` are the names the instrument or series goes by: a column so called is its close.

    Raises
    ------
    DataError
        If a role that is needed has no column, or several, with what to set.
    """
    if not grid.names:
        return _headless(grid)
    names = [plain_name(name) for name in grid.names]
    dialect = _dialect(names, grid)
    columns = _choose(names, purpose=purpose, choices=choices)
    needed = NEEDED[purpose]
    named = _named_by_symbol(names, symbols)
    if named is not None and needed not in columns and (purpose == "series" or not _prices(names)):
        columns[needed] = named
    columns |= _roles(names, dialect, purpose=purpose, grid=grid, chosen=columns)
    if purpose == "series" and needed not in columns and len(names) == 2 and "date" in columns:
        columns[needed] = 1 - columns["date"]
    found = Layout(dialect, columns)
    _require_roles(found, names, grid, purpose)
    return found


def one_ticker(grid: Grid, *, symbols: Iterable[str]) -> Grid:
    """Return the columns of one ticker of a header of two levels.

    Raises
    ------
    DataError
        If there are several tickers and none is the instrument's.
    """
    if not grid.tickers:
        return grid
    ticker = the_ticker([t for t in grid.tickers if t], symbols=symbols, origin=grid.origin)
    keep = [at for at, name in enumerate(grid.tickers) if name in ("", ticker)]
    return replace(
        grid,
        names=tuple(grid.names[at] for at in keep),
        columns=tuple(grid.columns[at] for at in keep),
        tickers=(),
    )


def the_ticker(tickers: Sequence[str], *, symbols: Iterable[str], origin: str) -> str:
    """Return the one ticker of a table, or the one of several that is asked for."""
    different = list(dict.fromkeys(tickers))
    if len(different) == 1:
        return different[0]
    wanted = {bare_symbol(symbol) for symbol in symbols}
    alike = [ticker for ticker in different if bare_symbol(ticker) in wanted]
    if len(alike) == 1:
        return alike[0]
    listed = ", ".join(map(printable, different[:6])) + (", ..." if len(different) > 6 else "")
    raise DataError(
        f"{origin}: holds {len(different)} tickers ({listed}), none or several of which can be "
        f"{next(iter(symbols))}. Write one file per ticker."
    )


def bare_symbol(symbol: str) -> str:
    """Return a symbol without what vendors dress it in: `BTC/USD` and `^RUT` are BTCUSD, RUT."""
    return re.sub(r"[^A-Z0-9]", "", symbol.upper())


def _dialect(names: Sequence[str], grid: Grid) -> Dialect:
    above = grid.preamble.casefold()
    is_own = grid.delimiter in {"", ","} and not above.strip()
    is_own &= any(own <= set(grid.names) for own in OWN_NAMES)
    if is_own and set(grid.names) <= {*PRICES, "date", "volume", "market_cap", "value"}:
        return table().own
    for dialect in table().dialects:
        if dialect.above in above and all(_columns_called(m, names) for m in dialect.marks):
            return dialect
    return table().own if is_own else table().plain


def _columns_called(name: str, names: Sequence[str]) -> list[int]:
    """Return the columns of a name, or of a regular expression between slashes."""
    if name.startswith("/"):
        pattern = re.compile(name.strip("/"))
        return [at for at, each in enumerate(names) if each and pattern.fullmatch(each)]
    return [at for at, each in enumerate(names) if each == name]


def _prices(names: Sequence[str]) -> bool:
    return not {"open", "high", "low", "close"}.isdisjoint(names)


def _choose(names: Sequence[str], *, purpose: Purpose, choices: Choices) -> dict[str, int]:
    """Return the columns that the user names, where the file has them."""
    called = {role: _columns_called(plain_name(n), names) for role, n in choices.columns.items()}
    return {
        role: columns[0]
        for role, columns in called.items()
        if len(columns) == 1 and role in ROLES_OF[purpose]
    }


def _roles(
    names: Sequence[str],
    dialect: Dialect,
    *,
    purpose: Purpose,
    grid: Grid,
    chosen: Mapping[str, int],
) -> dict[str, int]:
    columns = dict(chosen)
    for role in ROLES_OF[purpose]:
        if role in columns or role not in dialect.columns:
            continue
        candidates = _candidates(dialect, role, names, taken=set(columns.values()))
        if len(candidates) > 1:
            listed = " and ".join(f"`{printable(grid.names[at])}`" for at in candidates[:3])
            raise DataError(
                f"{grid.origin}: columns {listed} can each be the {role}. Say which: "
                f'data.columns = {{{role} = "{printable(grid.names[candidates[0]])}"}}.'
            )
        columns.update((role, at) for at in candidates)
    return columns


def _candidates(dialect: Dialect, role: str, names: Sequence[str], *, taken: set[int]) -> list[int]:
    candidates: list[int] = []
    for name in dialect.columns[role]:
        called = [at for at in _columns_called(name, names) if at not in taken]
        candidates += [at for at in called if at not in candidates]
        if candidates and not dialect.is_by_names:
            break
    return candidates


def _named_by_symbol(names: Sequence[str], symbols: Iterable[str]) -> int | None:
    wanted = {bare_symbol(symbol) for symbol in symbols}
    alike = [at for at, name in enumerate(names) if name and bare_symbol(name) in wanted]
    return alike[0] if len(alike) == 1 else None


def _require_roles(found: Layout, names: Sequence[str], grid: Grid, purpose: Purpose) -> None:
    there = [role for role in PRICES[:3] if role in found.columns]
    needed = ["date", *(PRICES if there else ()), NEEDED[purpose]]
    missing = [role for role in needed if role not in found.columns]
    if not missing:
        return
    adjusted = [
        printable(grid.names[at]) for at, name in enumerate(names) if name in ADJUSTED_NAMES
    ]
    if missing == ["close"] and adjusted:
        raise DataError(
            f"{grid.origin}: has `{adjusted[0]}` and no close: a close that is adjusted for "
            "dividends rewrites old highs. Export the close, or take the adjusted one with "
            f'data.columns = {{close = "{adjusted[0]}"}}.'
        )
    listed = ", ".join(printable(name) or "(none)" for name in grid.names[:12])
    raise DataError(
        f"{grid.origin}: column `{missing[0]}` is missing, found {listed}. Name it: "
        f'data.columns = {{{missing[0]} = "..."}}.'
    )


def _headless(grid: Grid) -> Layout:
    for shape in table().headless:
        if len(shape.roles) == len(grid.columns) and _is_proven(shape, grid):
            return Layout(shape.dialect, {r: at for at, r in enumerate(shape.roles) if r})
    raise DataError(
        f"{grid.origin}: has {len(grid.columns)} columns and no header, and is neither Binance's "
        "nor Kraken's layout. Put a header above it: date,open,high,low,close,volume."
    )


def _is_proven(shape: Headless, grid: Grid) -> bool:
    """Return whether the numbers themselves show that the columns are what they should be."""
    numbers = [plain_numbers(column) for column in grid.columns]
    needed = [numbers[at] for at, role in enumerate(shape.roles) if role]
    if any(column is None for column in needed):
        return False
    columns = dict(zip(shape.roles, numbers, strict=True))
    prices = np.array([columns[role] for role in PRICES], dtype=np.float64)
    opens, highs, lows, closes = prices
    if not ((highs >= np.fmax(opens, closes)) & (lows <= np.fmin(opens, closes))).all():
        return False
    if shape.counted is not None:
        counts = numbers[shape.counted]
        return counts is not None and bool((counts == np.floor(counts)).all())
    if shape.closes_at is None:
        return True
    starts, ends = columns["date"], numbers[shape.closes_at]
    return starts is not None and ends is not None and bool((ends > starts).all())
