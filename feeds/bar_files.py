"""Which bars a folder holds, by the names people give to files: one finder for all who look."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from feeds.errors import DataError
from feeds.instruments import COIN_ALIASES, DOLLARS, INDEX_NAMES, YAHOO_COINS, Instrument, Kind

SUFFIXES: Final = (".csv", ".parquet", ".zip", ".csv.gz", ".tsv", ".txt")
DAILY: Final = "1d"
# Vendors' words for the lengths of bars; any other length goes by its own name.
TIMEFRAMES: Final = {"d": "1d", "1440": "1d", "daily": "1d"} | {
    "h": "1h",
    "60": "1h",
    "hourly": "1h",
    "240": "4h",
}
_LENGTH: Final = rf"(?P<timeframe>\d+(?:[smhdw]|mo)|{'|'.join(TIMEFRAMES)})"
_PLAIN: Final = r"(?P<symbol>\^?[a-z0-9]+(?:-[a-z0-9]+)?)"
NAMES: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # BTCUSDT-1d-2024-01: one month of Binance's archive
        rf"(?P<symbol>[a-z0-9]+)-{_LENGTH}-(?P<part>\d{{4}}-\d\d(?:-\d\d)?)",
        # RUT_1d, and BTC-USD_1d_bitstamp for a further source of it
        rf"{_PLAIN}_{_LENGTH}(?:_(?P<source>.+))?",
        # Binance_BTCUSDT_d of CryptoDataDownload, "INDEX_BTCUSD, 1D" of TradingView
        rf"[a-z]+_{_PLAIN}(?:_|, ){_LENGTH}",
        # BTC-USD and ^RUT, as Yahoo names them
        _PLAIN,
    )
)
_COIN_OF_YAHOO: Final = {yahoo: symbol for symbol, yahoo in YAHOO_COINS.items()}
_COIN_OF_ALIAS: Final = {alias: base for base, names in COIN_ALIASES.items() for alias in names}


@dataclass(frozen=True, slots=True)
class BarFile:
    """One file of bars and what its name says of it.

    `series` is the name without the date of a part, "" for a file that is whole; `source` the
    name of a further source, "" for the main one. A name without a length is of daily bars.
    """

    path: Path
    instrument: Instrument
    timeframe: str
    series: str = ""
    source: str = ""


def bar_files(folder: Path) -> list[BarFile]:
    """Return the files of bars in a folder, sorted by name."""
    found = (bar_file(path) for path in sorted(folder.iterdir()) if not path.name.startswith("."))
    return [file for file in found if file is not None]


def bar_file(path: Path) -> BarFile | None:
    """Return what a file's name says of it, None if it is no name of bars."""
    name = path.name.casefold()
    suffix = next((suffix for suffix in SUFFIXES if name.endswith(suffix)), None)
    if suffix is None:
        return None
    stem = path.name[: -len(suffix)]
    match = next(filter(None, (pattern.fullmatch(stem) for pattern in NAMES)), None)
    if match is None:
        return None
    fields = match.groupdict(default="")
    length = fields.get("timeframe", DAILY).casefold()
    if suffix == ".txt" and "timeframe" not in fields:
        return None  # a note, more likely than bars
    part = fields.get("part", "")
    return BarFile(
        path,
        instrument_named(fields["symbol"]),
        TIMEFRAMES.get(length, length),
        stem.removesuffix(f"-{part}").casefold() if part else "",
        fields.get("source", ""),
    )


def instrument_named(name: str) -> Instrument:
    """Return the coin or the index a vendor's name stands for: BTCUSDT, btc-usd, ^GSPC."""
    symbol = _COIN_OF_YAHOO.get(name.upper(), name.upper())
    base, dash, quote = symbol.partition("-")
    if not dash:
        quote = next((dollar for dollar in DOLLARS if _is_pair(base, dollar)), "")
        base = base.removesuffix(quote)
    if not quote:
        plain = base.removeprefix("^")
        return Instrument(INDEX_NAMES.get(plain, plain), "index")
    base = _COIN_OF_ALIAS.get(base, base)
    return Instrument(f"{base}-{'USD' if quote in DOLLARS else quote}", "coin")


def _is_pair(symbol: str, quote: str) -> bool:
    return symbol.endswith(quote) and len(symbol) > len(quote) + 1


def files_of(
    files: Iterable[BarFile], instrument: Instrument, timeframe: str
) -> dict[str, list[Path]]:
    """Return the files of each source of an instrument's bars, "" being the main one.

    A source is one file, or the parts of one series. Prices that are adjusted for dividends
    are no further source: adjustment rewrites old highs.

    Raises
    ------
    DataError
        If two files could be one source: both are named.
    """
    sources: dict[str, dict[str, list[Path]]] = defaultdict(lambda: defaultdict(list))
    for file in files:
        is_asked_for = (file.instrument, file.timeframe) == (instrument, timeframe)
        source = file.source.casefold()
        if is_asked_for and "adjusted" not in source:
            sources[source][file.series or file.path.name].append(file.path)
    for source, series in sources.items():
        if len(series) > 1:
            names = [paths[0].name for paths in series.values()]
            count = "two" if len(names) == 2 else str(len(names))
            from_source = f" from {source}" if source else ""
            raise DataError(
                f"`{instrument.parameter}` {instrument.label} has {count} files of {timeframe} "
                f"bars{from_source}: {' and '.join(names[:2])}. Keep one of them."
            )
    return {source: next(iter(series.values())) for source, series in sorted(sources.items())}


def labels(files: Iterable[BarFile], *, kind: Kind, timeframe: str) -> list[str]:
    """Return the short names of the coins or indices with bars of a length, sorted."""
    alike = (file.instrument for file in files if file.timeframe == timeframe)
    return sorted({instrument.label for instrument in alike if instrument.kind == kind})
