"""Run one backtest: python -m backtests.run --asset ETH."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from backtests.options import Parser, add_run_options, flags, run_command
from feeds.errors import ConfigError

if TYPE_CHECKING:
    from backtests.config.config import Config

MOST_DIGITS: Final = 18  # of a trial's number
EXAMPLES = """\
  python -m backtests.run --asset ETH
  python -m backtests.run --asset BTC --source files --data-dir DIR --set rules.hold_days=90
  python -m backtests.run --config configs/eth.toml --start 2018-01-01 --pdf
  python -m backtests.run --asset ETH --name "60 days" --export excel
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, run, write the results folder, print the comparison; return the exit code."""
    return run_command(_work, arguments)


def command_parser() -> Parser:
    """Return the parser of the command line."""
    parser = Parser(
        prog="python -m backtests.run",
        description="Backtest: go long a coin when the Russell 2000 makes a new high or holds "
        "support; compare with buy-and-hold; leave a results folder with a tearsheet.",
        examples=EXAMPLES,
    )
    output = add_run_options(parser)
    more = parser.add_argument_group("engine")
    more.add_argument(
        "--engine",
        choices=("backtrader", "fast"),
        default="backtrader",
        help="backtrader (default, the reference) or its compiled twin",
    )
    more.add_argument(
        "--from-trial", metavar="SWEEP:ID", help="the config of one row of a sweep's folder"
    )
    more.add_argument(
        "--audit",
        action="store_true",
        help="first prove that nothing sees the future, and refuse to run if something does",
    )
    output.add_argument(
        "--export",
        action="append",
        default=[],
        metavar="FORMAT",
        help="hand it on to quantstats, excel or parquet: files in export/; may be repeated",
    )
    output.add_argument("--name", metavar="NAME", help="what to call it in legends and lists")
    output.add_argument("--pdf", action="store_true", help="print the tearsheet to a PDF as well")
    return parser


def _work(arguments: Sequence[str] | None) -> None:
    options = command_parser().parse_args(arguments)

    from backtests.config.config import load_config
    from backtests.records.atomic_writing import require_name, require_writable

    name = "" if options.name is None else require_name(options.name)
    config = (
        _trial(options)
        if options.from_trial is not None
        else load_config(options.config, overrides=options.set, flags=flags(options))
    )
    require_writable(options.out)
    if options.export:
        from backtests.records.exports import require_formats

        require_formats(options.export)
    if options.pdf:
        from backtests.report.pdf import require_browser

        require_browser()

    from backtests.report.pyfolio_sheets.process import SheetWorker
    from feeds.commands import steps

    with SheetWorker() as worker, steps(quiet=options.quiet) as step:
        # pyfolio takes longer to import than a backtest to run: the worker does it meanwhile
        step("reading bars and running backtrader")
        from backtests.api.result import Result
        from backtests.engines.backtest import run_inputs
        from backtests.lookahead_audit import require_no_leak
        from backtests.market.inputs import load_inputs
        from backtests.report.pyfolio_sheets.request import sheet_request

        inputs = load_inputs(config)
        if options.audit:
            step("cutting the data and rewriting the future")
            require_no_leak(config, inputs)
        result = Result(run_inputs(config, inputs, engine=options.engine))
        worker.begin(sheet_request(result.run))
        step("asking whether it could be luck")
        _ = result.judgement
        step("running it at other costs")
        _ = result.costs
        step("drawing the tearsheet")
        folder = result.save(options.out, name=name, worker=worker)
        exported = _export(folder, options.export)
        if options.pdf:
            step("printing the tearsheet")
            from backtests.report.pdf import print_pdf

            print_pdf(folder / "tearsheet.html")

    from backtests.report.terminal.run import show

    show(result.run, result.summary, result.judgement, folder=folder)
    for path in exported:
        sys.stdout.write(f"Exported: {path}\n")


def _export(folder: Path, formats: Sequence[str]) -> list[Path]:
    """Write the tables of a results folder for other tools and return the files."""
    if not formats:
        return []
    from backtests.records.exports import FOLDER, hand_over_folder, write_tables

    return write_tables(hand_over_folder(folder), folder / FOLDER, formats=formats)


def _trial(options: argparse.Namespace) -> "Config":
    """Return the config of a sweep's row, which is to be run as it was."""
    from backtests.search.rerun import chosen_config

    given = [flag for flag, value in flags(options).items() if value is not None]
    if options.config or options.set or given:
        raise ConfigError("`--from-trial` takes its whole config from the sweep. Leave others out.")
    folder, _, trial = options.from_trial.rpartition(":")
    if not folder or not trial.isdecimal() or len(trial) > MOST_DIGITS:
        raise ConfigError(
            f"`--from-trial` takes a sweep's folder and a trial, such as "
            f"results/20260101T000000Z-sweep:17, received {options.from_trial!r}."
        )
    return chosen_config(Path(folder), int(trial))


if __name__ == "__main__":
    sys.exit(main())
