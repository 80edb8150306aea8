"""Show what the cache holds: `python -m feeds.cached`."""

import sys
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Final

from feeds import instruments
from feeds.archive.folder import ArchiveFolder
from feeds.archive.universe import Universe
from feeds.bars import Bars
from feeds.cache.manifest import Manifest
from feeds.cache.store import Damaged, Key, StoredTable, TableStore
from feeds.checks import Disagreement, cross_check, missing_bars
from feeds.commands import Parser, as_invoked, run_command
from feeds.folders import cache_folder
from feeds.live import bars_of
from feeds.message_text import share_text
from feeds.sessions import BAR_LENGTHS

HEADER: Final = (
    "symbol", "timeframe", "source", "first", "last", "rows", "gaps", "updated", "revisions"
)  # fmt: skip

EXAMPLES: Final = """\
  python -m feeds.cached
  python -m feeds.cached --events --cross-check
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line a table and return the exit code, 1 if a table is damaged."""
    return run_command(_work, arguments)


def _work(arguments: Sequence[str] | None) -> int:
    options = command_parser().parse_args(arguments)
    store = TableStore(cache_folder(options.cache_dir))
    keys = store.held_keys()
    universe = ArchiveFolder(store.folder, timeframe="1d")
    if not keys and not universe.universe.is_file():
        hint = as_invoked("Fill it: python -m feeds.download")
        sys.stdout.write(f"The cache {store.folder} is empty. {hint}\n")
        return 0
    tables, damage = _read(store, keys)
    if keys:
        sys.stdout.write(_align([HEADER, *(_row(key, tables[key]) for key in tables)]))
    if universe.universe.is_file():
        sys.stdout.write(f"universe {Universe(universe).summary()}\n")
    if options.events:
        for key, table in tables.items():
            sys.stdout.writelines(_event_lines(key, table.manifest))
    if options.cross_check:
        sys.stdout.writelines(_cross_check_lines(tables))
    sys.stderr.writelines(f"{line}\n" for line in damage)
    return 1 if damage else 0


def command_parser() -> Parser:
    """Return the parser of the command line."""
    parser = Parser(
        prog="python -m feeds.cached",
        description="Show what the cache holds; gaps are bars missing inside the range.",
        examples=EXAMPLES,
    )
    parser.add_argument("--cache-dir", default="", help="default: the user's cache folder")
    parser.add_argument("--events", action="store_true", help="list revisions and reloads")
    parser.add_argument(
        "--cross-check", action="store_true", help="compare symbols held from two sources"
    )
    parser.add_argument("--quiet", action="store_true", help="as all commands; it says no more")
    return parser


def _read(store: TableStore, keys: Sequence[Key]) -> tuple[dict[Key, StoredTable], list[str]]:
    tables, damage = {}, []
    for key in keys:
        try:
            table = store.read(key)
        except Damaged as error:
            damage.append(str(error))
        else:
            if table is not None:
                tables[key] = table
    return tables, damage


def _row(key: Key, table: StoredTable) -> tuple[str, ...]:
    manifest = table.manifest
    shape = "%Y-%m-%d" if key.timeframe not in {"1h", "4h"} else "%Y-%m-%d %H:%M"
    gaps = len(missing_bars(_bars(key, table))) if key.timeframe in BAR_LENGTHS else "-"
    return (
        key.symbol,
        key.timeframe,
        manifest.about.source,
        f"{manifest.first:{shape}}",
        f"{manifest.last:{shape}}",
        str(manifest.rows),
        str(gaps),
        manifest.about.updated[:16].replace("T", " "),
        str(manifest.about.revisions),
    )


def _bars(key: Key, table: StoredTable) -> Bars:
    name = instruments.coin if "-" in key.symbol else instruments.index
    return bars_of(table, name(key.symbol), timeframe=key.timeframe)


def _align(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
    return "\n".join(lines) + "\n"


def _event_lines(key: Key, manifest: Manifest) -> Iterator[str]:
    for event in manifest.about.events:
        yield f"{key}: {event.at[:16].replace('T', ' ')} {event.kind}: {event.text}\n"


def _cross_check_lines(tables: dict[Key, StoredTable]) -> Iterator[str]:
    for one, other in combinations(tables, 2):
        if (one.symbol, one.timeframe) != (other.symbol, other.timeframe):
            continue
        found = cross_check(_bars(one, tables[one]), _bars(other, tables[other]))
        yield f"{one.symbol} {one.timeframe}: {one.vendor} and {other.vendor} {_describe(found)}\n"


def _describe(found: Disagreement) -> str:
    if found.worst_at is None:
        return "share no bar"
    return (
        f"share {found.bars} bars; their closes differ by {share_text(found.median, decimals=3)} "
        "in the median, "
        f"{share_text(found.worst, decimals=3)} at worst ({found.worst_at:%Y-%m-%d %H:%M}); "
        f"{found.only_first} bars "
        f"in between are with the first only, {found.only_second} with the second"
    )


if __name__ == "__main__":
    sys.exit(main())
