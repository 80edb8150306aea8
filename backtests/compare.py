"""Show all runs on one page, or some side by side: python -m backtests.compare."""

import argparse
import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from backtests.options import RESULTS, Parser, given_path, run_command
from feeds.errors import ConfigError
from feeds.folders import is_folder

if TYPE_CHECKING:
    from backtests.desk.review import JournalShown

EXAMPLES: Final = """\
  python -m backtests.compare
  python -m backtests.compare RUN RUN --out results
  python -m backtests.compare RUN --export excel
  python -m backtests.compare --serve
"""
PORT: Final = 8_765


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, write the page or serve it, print where it is; return the exit code."""
    return run_command(_work, arguments)


def command_parser() -> Parser:
    """Return the parser of the command line."""
    parser = Parser(
        prog="python -m backtests.compare",
        description="List every run of a results folder on one page, or put some side by side: "
        "figures, equities, drawdowns and what differs in their configs.",
        examples=EXAMPLES,
    )
    parser.add_argument("runs", nargs="*", metavar="RUN", help="names of runs, two or more")
    parser.add_argument(
        "--out",
        type=given_path,
        default=RESULTS,
        metavar="DIR",
        help="the results; default: results/",
    )
    parser.add_argument(
        "--journal",
        action="append",
        default=[],
        type=given_path,
        metavar="FILE",
        help="list this journal of today as well, besides those in the results; may be repeated",
    )
    parser.add_argument(
        "--export",
        action="append",
        default=[],
        metavar="FORMAT",
        help="hand the named runs on to quantstats, excel or parquet instead; may be repeated",
    )
    parser.add_argument("--serve", action="store_true", help="show it on this machine's browser")
    parser.add_argument("--port", type=int, default=PORT, help=f"for --serve; default: {PORT}")
    parser.add_argument("--quiet", action="store_true", help="print only where the page is")
    return parser


def _work(arguments: Sequence[str] | None) -> None:
    options = command_parser().parse_args(arguments)
    if not is_folder(options.out):
        raise ConfigError(
            f"`--out` must be a folder of results, received {str(options.out)!r}. Make a run first."
        )
    if options.export:
        _export(options)
    elif options.serve:
        _serve(options)
    elif options.runs:
        _say(_write_comparison(options.out, options.runs))
    else:
        _write_index(options)


def _write_index(options: argparse.Namespace) -> None:
    from backtests.records.atomic_writing import write_page
    from backtests.records.decision_journal import journal_files
    from backtests.records.saved_runs import read_runs
    from backtests.records.saved_searches import read_searches
    from backtests.report.pages.chosen_runs import CHOSEN_PAGE, chosen_page
    from backtests.report.pages.runs import index_page, problems

    try:
        runs, broken = read_runs(options.out)
    except PermissionError as error:
        raise ConfigError(f"`--out` {options.out}: {error.strerror}.") from error
    searches = read_searches(options.out)
    journals = _journals(journal_files(options.out, options.journal))
    page = index_page(runs, broken, searches=searches, journals=journals)
    if not options.quiet:
        _say_counts(len(runs), [*broken, *problems(searches, journals)])
        if searches:
            _say(f"{len(searches)} sweeps, walk-forwards and studies")
        if journals:
            from backtests.report.words.notation import count_noun

            _say(count_noun(len(journals), "journal"))
    write_page(options.out / CHOSEN_PAGE, chosen_page(runs))
    _say(f"Index: {write_page(options.out / 'index.html', page)}")


def _journals(paths: Sequence[Path]) -> "list[JournalShown]":
    if not paths:
        return []  # what reads them is slow to load
    from backtests.desk.review import show_journal

    return [show_journal(path) for path in paths]


def _say_counts(runs: int, broken: Sequence[tuple[str, str]]) -> None:
    _say(f"{runs} runs, {len(broken)} folders that cannot be shown")
    for name, reason in broken:
        _say(f"  {name!r}: {reason}")


def _write_comparison(out: Path, runs: Sequence[str]) -> str:
    from backtests.records.atomic_writing import write_page
    from backtests.records.saved_runs import BrokenRunError, chosen_folders
    from backtests.report.pages.comparison import compare_page

    try:
        folders = chosen_folders(out, runs)
        page = compare_page(folders)
    except BrokenRunError as error:
        raise ConfigError(f"{error}. Choose among the runs in {out}.") from error
    names = "\n".join(folder.name for folder in folders)
    digest = hashlib.sha256(names.encode()).hexdigest()[:8]
    return f"Comparison: {write_page(out / f'compare-{digest}.html', page)}"


def _export(options: argparse.Namespace) -> None:
    from backtests.records.exports import FOLDER, hand_over_folder, require_formats, write_tables
    from backtests.records.saved_runs import BrokenRunError, run_folder

    require_formats(options.export)
    if not options.runs:
        raise ConfigError("`--export` needs a run, received none. Name folders of the results.")
    try:
        folders = [run_folder(options.out, name) for name in options.runs]
    except BrokenRunError as error:
        raise ConfigError(f"{error}. Choose among the runs in {options.out}.") from error
    for folder in folders:
        tables = hand_over_folder(folder)
        for path in write_tables(tables, folder / FOLDER, formats=options.export):
            _say(f"Exported: {path}")


def _serve(options: argparse.Namespace) -> None:
    from backtests.report.server import server

    if options.runs:
        raise ConfigError(f"`--serve` takes no runs, received {options.runs[0]!r}: choose there.")
    with server(options.out, port=options.port) as serving:
        _say(f"http://127.0.0.1:{serving.server_port}/ (Ctrl-C ends it)")
        serving.serve_forever()


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 (a command speaks to its user)


if __name__ == "__main__":
    sys.exit(main())
