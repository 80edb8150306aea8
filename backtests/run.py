"""Run one backtest: python -m backtests.run --asset ETH."""

import sys
from collections.abc import Sequence

from backtests.options import Parser, add_run_options, flags, run_command

EXAMPLES = """\
  python -m backtests.run --asset ETH
  python -m backtests.run --asset BTC --source files --data-dir DIR --set rules.hold_days=90
  python -m backtests.run --config configs/eth.toml --start 2018-01-01 --pdf
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, run, write the results folder, print the comparison; return the exit code."""
    return run_command(_work, arguments)


def _parser() -> Parser:
    parser = Parser(
        prog="python -m backtests.run",
        description="Backtest: go long a coin when the Russell 2000 makes a new high or holds "
        "support; compare with buy-and-hold; leave a results folder with a tearsheet.",
        examples=EXAMPLES,
    )
    output = add_run_options(parser)
    output.add_argument("--pdf", action="store_true", help="print the tearsheet to a PDF as well")
    return parser


def _work(arguments: Sequence[str] | None) -> None:
    options = _parser().parse_args(arguments)

    from backtests.config import load_config
    from backtests.report.folder import require_writable

    config = load_config(options.config, overrides=options.set, flags=flags(options))
    require_writable(options.out)
    if options.pdf:
        from backtests.report.pdf import require_browser

        require_browser()

    from backtests.report.progress import steps
    from backtests.report.sheet_worker import SheetWorker

    with SheetWorker() as worker, steps(quiet=options.quiet) as step:
        # pyfolio takes longer to import than a backtest to run: the worker does it meanwhile
        step("reading bars and running backtrader")
        from backtests.analysis.summary import summarise
        from backtests.backtest import backtest

        result = backtest(config)
        summary = summarise(result)
        step("asking whether it could be luck")
        from backtests.analysis.significance import significance

        found = significance(result)
        step("drawing the tearsheet")
        from backtests.report.leave import leave

        folder = leave(result, summary, found, out=options.out, worker=worker)
        if options.pdf:
            step("printing the tearsheet")
            from backtests.report.pdf import print_pdf

            print_pdf(folder / "tearsheet.html")

    from backtests.report.terminal import show

    show(result, summary, found, folder=folder)


if __name__ == "__main__":
    sys.exit(main())
