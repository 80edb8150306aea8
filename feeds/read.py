"""Say what is made of a file, and write it in our own form: `python -m feeds.read FILE`."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, get_args

import pandas as pd

from feeds import instruments
from feeds.bars import Bars
from feeds.commands import Parser, given_path, run_command
from feeds.errors import ConfigError
from feeds.files import DAILY, bar_file
from feeds.folders import is_folder, write_whole
from feeds.instruments import BY_SYMBOL, Instrument, symbols_of
from feeds.raw_table import RawTable
from feeds.reading import Choices, read_bars, read_series
from feeds.reading.column_layouts import Purpose, layout, one_ticker
from feeds.reading.dialects import Role, sound_date_format, sound_zone
from feeds.reading.file_contents import Content, contents
from feeds.reading.house_format import own_form
from feeds.reading.tables import grids_of
from feeds.sessions import BAR_LENGTHS
from feeds.validation import validate_bars

ENDS: Final = 2  # rows shown of either end
UNCHECKED: Final = "not checked as bars: say --asset or --index, the name does not"
EXAMPLES: Final = """\
  python -m feeds.read "Bitcoin Historical Data.csv" --asset BTC
  python -m feeds.read HistoricalData.csv --index RUT --write data
  python -m feeds.read prices.csv --columns close=Px --date-format %d/%m/%Y
  python -m feeds.read fredgraph.csv --series M2SL
"""


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """What a file is read as: the bars of an instrument, if it is known, or a series."""

    instrument: Instrument | None
    timeframe: str
    series: str

    @property
    def stem(self) -> str:
        """The name of such a file in our own form."""
        if self.series:
            return f"{self.series}_series"
        return f"{self.instrument.symbol}_{self.timeframe}" if self.instrument else ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what is made of a file and return the exit code, 2 where nothing certain is."""
    return run_command(_work, arguments)


def _work(arguments: Sequence[str] | None) -> None:
    options = command_parser().parse_args(arguments)
    choices, wanted = _choices(options), _wanted_now(options)
    if options.write and not wanted.stem:
        raise ConfigError("`--write` needs a symbol. Give it with --asset, --index or --series.")
    if options.write and not (is_folder(options.write) or is_folder(options.write.parent)):
        raise ConfigError(f"`--write` must be a file in a folder, received {options.write}.")
    table = _read(options.file, wanted, choices)
    _print(_columns(options.file, wanted, choices))
    _print([*table.notes, *_rows(table)])
    bars = None
    if wanted.instrument is not None:
        bars = validate_bars(
            table, instrument=wanted.instrument, timeframe=wanted.timeframe, source="files"
        )
        _print([f"{wanted.stem}: {len(bars)} bars", *bars.notes[len(table.notes) :]])
    elif not wanted.series:
        _print([UNCHECKED])
    if options.write is not None:
        text = _own_form(table if bars is None else bars, is_close_only=table.is_close_only)
        _write(options.write, wanted, text)


def _print(lines: Sequence[str] | Iterator[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)


def command_parser() -> Parser:
    """Return the parser of the command line."""
    parser = Parser(
        prog="python -m feeds.read",
        description="Say what is made of a file of bars, or with --series of a series.",
        examples=EXAMPLES,
    )
    parser.add_argument("file", type=given_path, help="CSV of any vendor, Parquet, or an archive")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--asset", default="", help="the coin, where the name does not say it")
    which.add_argument("--index", default="", help="the index, where the name does not say it")
    which.add_argument("--series", default="", help="read dates and values of this series")
    parser.add_argument("--timeframe", choices=tuple(BAR_LENGTHS), help="length of the bars")
    parser.add_argument("--columns", nargs="+", default=[], metavar="ROLE=NAME")
    parser.add_argument("--date-format", default="", help="as strptime has it: %%d/%%m/%%Y")
    parser.add_argument("--zone", default="", help="of stamps without one: America/New_York")
    parser.add_argument("--decimal", default="", choices=(".", ","))
    parser.add_argument(
        "--write", type=given_path, metavar="OUT", help="file or folder for our own form"
    )
    return parser


def _choices(options: argparse.Namespace) -> Choices:
    columns: dict[Role, str] = {}
    for given in options.columns:
        name, _, column = given.partition("=")
        role = next((role for role in get_args(Role) if role == name), None)
        if role is None or not column:
            raise ConfigError(
                f"`--columns` takes ROLE=NAME, a role being one of {', '.join(get_args(Role))}, "
                f"received {given!r}."
            )
        columns[role] = column
    for option, sound in (("date_format", sound_date_format), ("zone", sound_zone)):
        try:
            sound(getattr(options, option))
        except ValueError as error:
            raise ConfigError(
                f"`--{option.replace('_', '-')}` is no such thing: {getattr(options, option)!r}. "
                "A format is like %d/%m/%Y, a zone like America/New_York."
            ) from error
    return Choices(columns, options.date_format, options.zone, options.decimal)


def _wanted_now(options: argparse.Namespace) -> ReadRequest:
    named = bar_file(options.file)
    instrument = named.instrument if named else None
    if named and instrument and named.timeframe == DAILY and instrument.kind == "index":
        # any word can be a symbol: only one we know is taken from a name that says no more
        is_known = instrument.symbol in BY_SYMBOL or "_" in options.file.stem
        instrument = instrument if is_known else None
    if options.asset or options.index:
        is_coin = bool(options.asset)
        instrument = (
            instruments.coin(options.asset) if is_coin else instruments.index(options.index)
        )
    length = named.timeframe if named and named.timeframe in BAR_LENGTHS else DAILY
    return ReadRequest(
        None if options.series else instrument, options.timeframe or length, options.series
    )


def _read(path: Path, wanted: ReadRequest, choices: Choices) -> RawTable:
    if wanted.series:
        return read_series(path, name=wanted.series, choices=choices)
    instrument = wanted.instrument or Instrument("", "index")
    return read_bars(path, instrument=instrument, timeframe=wanted.timeframe, choices=choices)


def _columns(path: Path, wanted: ReadRequest, choices: Choices) -> Iterator[str]:
    """Say which column of the first table in a file is what."""
    content: Content = contents(path)[0]
    if not content.is_parquet and own_form(content.data, origin=content.name):
        yield f"{content.name}: our own form"
        return
    purpose: Purpose = "series" if wanted.series else "bars"
    symbols = symbols_of(wanted.instrument) if wanted.instrument else (wanted.series,)
    grid = one_ticker(grids_of([content], choices)[0], symbols=symbols)
    found = layout(grid, purpose=purpose, symbols=symbols, choices=choices)
    roles = (f"{role} = `{found.name(role, grid)}`" for role in found.columns)
    yield f"{content.name}: {', '.join(roles)}"


def _rows(table: RawTable) -> Iterator[str]:
    frame = table.frame
    first, last = frame["date"].min(), frame["date"].max()
    zone = "UTC" if frame["date"].dt.tz is not None else "no zone"
    yield f"{table.origin}: {len(frame)} rows, {_text(first)} to {_text(last)}, {zone}"
    shown = [*range(min(ENDS, len(frame))), *range(max(len(frame) - ENDS, ENDS), len(frame))]
    for row in shown:
        cells = (f"{name} {value}" for name, value in frame.iloc[row].items() if name != "date")
        yield f"  {table.place(row)}: {_text(frame['date'][row])}  {', '.join(cells)}"


def _text(time: pd.Timestamp) -> str:
    return f"{time:%Y-%m-%d}" if time == time.normalize() else f"{time:%Y-%m-%d %H:%M:%S}"


def _write(out: Path, wanted: ReadRequest, text: str) -> None:
    path = out / f"{wanted.stem}.csv" if out.is_dir() else out
    if path.exists():
        raise ConfigError(f"`--write` {path} is there already. Remove it or give another name.")
    write_whole(path, text.encode())
    _print([f"written: {path}"])


def _own_form(what: RawTable | Bars, *, is_close_only: bool) -> str:
    if isinstance(what, RawTable):
        frame = what.frame.dropna(subset="value").sort_values("date")
    else:
        frame = what.frame.dropna(axis="columns", how="all").reset_index(names="date")
        if is_close_only:  # as it came, so that it is read as what it is
            frame = frame.drop(columns=["open", "high", "low"])
    dates = pd.DatetimeIndex(frame["date"])
    whole = bool((dates == dates.normalize()).all())
    shape = "%Y-%m-%d" if whole else "%Y-%m-%dT%H:%M:%SZ"
    return frame.assign(date=dates.strftime(shape)).to_csv(index=False)


if __name__ == "__main__":
    sys.exit(main())
