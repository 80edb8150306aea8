"""Files of every dialect, date order, separator and unit, drawn at random with their truth.

What a file says is decided first and written second, by code that shares nothing with the
reader: whatever it makes of the file is right, refused, or wrong.
"""

import datetime as dt
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

DATE_STYLES: Final[Mapping[str, Callable[[dt.datetime], str]]] = {
    "iso": lambda t: t.strftime("%Y-%m-%d"),
    "iso instant": lambda t: t.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
    "iso offset": lambda t: t.strftime("%Y-%m-%d %H:%M:%S+00:00"),
    "compact": lambda t: t.strftime("%Y%m%d"),
    "ymd": lambda t: t.strftime("%Y/%m/%d"),
    "ydm": lambda t: t.strftime("%Y/%d/%m"),
    "mdy": lambda t: t.strftime("%m/%d/%Y"),
    "dmy": lambda t: t.strftime("%d/%m/%Y"),
    "mdy short": lambda t: f"{t.month}/{t.day}/{t.year}",
    "dmy dots": lambda t: t.strftime("%d.%m.%Y"),
    "dmy dashes": lambda t: t.strftime("%d-%m-%Y"),
    "mdy of two digits": lambda t: t.strftime("%m/%d/%y"),
    "dmy of two digits": lambda t: t.strftime("%d/%m/%y"),
    "ymd of two digits": lambda t: t.strftime("%y/%m/%d"),
    "month name": lambda t: t.strftime("%b %d, %Y"),
    "day and month name": lambda t: t.strftime("%d-%b-%Y"),
    "month name of two digits": lambda t: t.strftime("%d-%b-%y"),
    "s": lambda t: f"{int(t.timestamp())}",
    "ms": lambda t: f"{int(t.timestamp())}000",
    "us": lambda t: f"{int(t.timestamp())}000000",
    "ns": lambda t: f"{int(t.timestamp())}000000000",
}
# What no reader can doubt, however short the file.
CERTAIN_DATES: Final = frozenset(
    {"iso", "iso instant", "iso offset", "compact", "month name", "day and month name"}
    | {"s", "ms", "us", "ns"}
)
NUMBER_STYLES: Final = {  # decimal separator and that of groups
    "point": (".", ""),
    "point and commas": (".", ","),
    "point and apostrophes": (".", "'"),
    "comma": (",", ""),
    "comma and points": (",", "."),
    "comma and spaces": (",", " "),
}

ENDS: Final = {"ms": "999", "us": "999999"}  # what follows the last second of a bar


@dataclass(frozen=True)
class Sheet:
    """A dialect as a vendor writes it: names by role, other columns, what stands around.

    `shift_days` is how far the stamps lie behind the bars. A sheet without `header` has its
    columns in the order of `columns`, as numbers.
    """

    columns: Mapping[str, str]
    others: Mapping[str, str] | None = None
    above: str = ""
    below: str = ""
    header: bool = True
    shift_days: int = 0
    kind: str = "coin"
    date_styles: tuple[str, ...] = tuple(DATE_STYLES)


_OHLC: Final = {"open": "Open", "high": "High", "low": "Low", "close": "Close"}
SHEETS: Final[Mapping[str, Sheet]] = {
    "own": Sheet({"date": "date", **{r: r for r in _OHLC}, "volume": "volume"}),
    "own closes": Sheet({"date": "date", "close": "close"}, kind="index"),
    "stooq": Sheet({"date": "Date", **_OHLC, "volume": "Volume"}),
    "wsj": Sheet({"date": "Date", **_OHLC}, kind="index"),
    "cboe": Sheet({r: n.upper() for r, n in ({"date": "Date"} | _OHLC).items()}, kind="index"),
    "yahoo": Sheet({"date": "Date", **_OHLC, "volume": "Volume"}, {"Adj Close": "number"}),
    "yfinance": Sheet(
        {"date": "Date", **_OHLC, "volume": "Volume"}, {"Dividends": "0.0", "Stock Splits": "0.0"}
    ),
    "investing": Sheet(
        {"date": "Date", **_OHLC, "close": "Price", "volume": "Vol."}, {"Change %": "percent"}
    ),
    "investing in German": Sheet(
        {
            "date": "Datum",
            "close": "Zuletzt",
            "open": "Eröffn.",
            "high": "Hoch",
            "low": "Tief",
            "volume": "Vol.",
        },
        {"+/- %": "percent"},
    ),
    "cryptodatadownload": Sheet(
        {"date": "unix", **{r: r for r in _OHLC}, "volume": "Volume XYZ"},
        {"date": "2001-01-01", "symbol": "XYZ/USD", "Volume USD": "number"},
        above="https://www.CryptoDataDownload.com\n",
    ),
    "tradingview": Sheet(
        {"date": "time", **{r: r for r in _OHLC}, "volume": "Volume"}, {"MA": "number"}
    ),
    "candles": Sheet({"date": "time", **{r: r for r in _OHLC}, "volume": "volume"}),
    "coingecko": Sheet(
        {"date": "snapped_at", "close": "price", "market_cap": "market_cap"},
        {"total_volume": "number"},
        shift_days=1,
    ),
    "coinmetrics": Sheet({"date": "date", "close": "PriceUSD"}, {"AdrActCnt": "17"}),
    "coinmarketcap": Sheet(
        {
            "date": "timeOpen",
            **{r: r for r in _OHLC},
            "volume": "volume",
            "market_cap": "marketCap",
        },
        {"timeClose": "2001-01-01T23:59:59.999Z", "name": "2781"},
    ),
    "nasdaq": Sheet(
        {"date": "Date", **_OHLC, "close": "Close/Last", "volume": "Volume"}, kind="index"
    ),
    "macrotrends": Sheet(
        {"date": "date", "close": "value"},
        above='"MacroTrends Data Download"\n\n"Disclaimer, and terms"\n\n\n',
        kind="index",
    ),
    "barchart": Sheet(
        {"date": "Time", **_OHLC, "close": "Latest", "volume": "Volume"},
        {"%Change": "percent"},
        below='"Downloaded from Barchart.com as of 05-05-2026 07:59am CDT"\n',
        kind="index",
    ),
    "fred": Sheet({"date": "observation_date", "close": "RU2000PR"}, kind="index"),
    "binance": Sheet(
        {"date": "", **_OHLC, "volume": ""},
        {"end": "", "quote": "number"},
        header=False,
        date_styles=("ms", "us"),
    ),
    "kraken": Sheet(
        {"date": "", **_OHLC, "volume": ""}, {"trades": "7"}, header=False, date_styles=("s",)
    ),
}


@dataclass(frozen=True)
class Generated:
    """One file, what it says, and how it was drawn."""

    text: str
    dates: list[dt.date]
    values: dict[str, list[float]]
    kind: str
    drawn: tuple[str, ...]


def generated(seed: int) -> Generated:
    """Draw a file and its truth."""
    draw = random.Random(seed)  # noqa: S311
    name = draw.choice(list(SHEETS))
    sheet = SHEETS[name]
    dates = _dates(draw, sheet)
    date_style = draw.choice(sheet.date_styles)
    number_style = draw.choice(list(NUMBER_STYLES)) if sheet.header else "point"
    separator = draw.choice(",;\t|") if sheet.header else ","
    values, texts = _prices(draw, sheet, len(dates), number_style)
    stamps = [_midnight(day + dt.timedelta(sheet.shift_days)) for day in dates]
    table = {role: texts[role] for role in sheet.columns if role != "date"}
    table = {"date": [DATE_STYLES[date_style](stamp) for stamp in stamps], **table}
    cells = {sheet.columns[role] or role: column for role, column in table.items()}
    cells |= _others(draw, sheet, stamps, number_style)
    if "end" in cells:
        cells["end"] = [f"{int(s.timestamp()) + 86_399}{ENDS[date_style]}" for s in stamps]
    text = _written(draw, sheet, cells, separator)
    return Generated(
        text, dates, values, sheet.kind, (name, date_style, number_style, separator, str(seed))
    )


def _dates(draw: random.Random, sheet: Sheet) -> list[dt.date]:
    first = dt.date(draw.randint(1990, 2024), draw.randint(1, 12), draw.randint(1, 28))
    days = [first + dt.timedelta(n) for n in range(draw.choice((1, 2, 5, 9, 20)))]
    if sheet.kind == "index":
        days = [day for day in days if day.weekday() < 5] or [dt.date(2024, 1, 3)]
    return days[:: draw.choice((1, -1))]


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)


def _prices(
    draw: random.Random, sheet: Sheet, rows: int, style: str
) -> tuple[dict[str, list[float]], dict[str, list[str]]]:
    """Return numbers by role and as they are written, all with so many decimals."""
    decimals = draw.choice((0, 1, 2, 3, 3, 4, 8))
    scale = draw.choice((0.5, 5, 500, 5_000, 50_000, 5_000_000))
    low = [round(scale * draw.uniform(0.5, 1.5), decimals) + 1 for _ in range(rows)]
    spread = [max(round(scale * 0.1, decimals), 10.0**-decimals) for _ in range(rows)]
    numbers = {
        "low": low,
        "high": [one + 2 * gap for one, gap in zip(low, spread, strict=True)],
        "open": [one + gap for one, gap in zip(low, spread, strict=True)],
        "close": [one + gap for one, gap in zip(low, spread, strict=True)],
        "volume": [float(draw.randint(1, 10**7)) for _ in range(rows)],
        "market_cap": [float(draw.randint(1, 10**12)) for _ in range(rows)],
    }
    digits = {"volume": 0, "market_cap": 0}
    texts = {
        role: [written(number, digits.get(role, decimals), style) for number in column]
        for role, column in numbers.items()
    }
    exact = {
        role: [float(f"{number:.{digits.get(role, decimals)}f}") for number in column]
        for role, column in numbers.items()
        if role in sheet.columns
    }
    return exact, texts


def written(number: float, decimals: int, style: str) -> str:
    """Write a number with the separators of a style."""
    point, group = NUMBER_STYLES[style]
    text = f"{number:,.{decimals}f}" if group else f"{number:.{decimals}f}"
    return text.replace(",", "\0").replace(".", point).replace("\0", group)


def _others(
    draw: random.Random, sheet: Sheet, stamps: list[dt.datetime], style: str
) -> dict[str, list[str]]:
    made = {
        "number": lambda _: written(draw.uniform(1, 1e5), 2, style),
        "percent": lambda _: written(draw.uniform(-9, 9), 2, style) + "%",
    }
    return {
        name: [made[what](stamp) if what in made else what for stamp in stamps]
        for name, what in (sheet.others or {}).items()
    }


def _written(draw: random.Random, sheet: Sheet, cells: dict[str, list[str]], separator: str) -> str:
    names = list(cells)
    if sheet.header:
        draw.shuffle(names)
    else:  # Binance's twelve columns and Kraken's seven
        names = names if len(names) == 7 else [*names, "a", "b", "c", "d"]
        cells = cells | {name: ["1"] * len(cells["date"]) for name in "abcd"}
    case = draw.choice((str, str.lower, str.upper)) if sheet.header else str
    if sheet.columns["date"] == "date":
        case = str  # our own form is known by its small letters
    always = draw.random() < 0.3
    lines = [_line([case(name) for name in names], separator, always)] if sheet.header else []
    lines += [
        _line(list(row), separator, always) for row in zip(*(cells[n] for n in names), strict=True)
    ]
    end = draw.choice(("\n", "\r\n"))
    text = sheet.above + "\n".join(lines) + "\n" + sheet.below
    return draw.choice(("", "\ufeff")) + text.replace("\n", end)


def _line(fields: list[str], separator: str, always: bool) -> str:
    quoted = (f'"{field}"' if always or separator in field else field for field in fields)
    return separator.join(quoted)
