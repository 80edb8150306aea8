"""Run one backtest: python -m backtests.run --asset ETH."""

import sys
from collections.abc import Sequence

from backtests.options import Parser, add_run_options, flags, run_command

EXAMPLES = """\
  python -m backtests.run --asset ETH
  python -m backtests.run --asset BTC --source files --data-dir DIR --set rules.hold_days=90
  python -m backtests.run --config configs/eth.toml --start 2018-01-01
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
    add_run_options(parser)
    return parser


def _work(arguments: Sequence[str] | None) -> None:
    options = _parser().parse_args(arguments)

    from backtests.config import load_config
    from backtests.report.folder import require_writable

    config = load_config(options.config, overrides=options.set, flags=flags(options))
    require_writable(options.out)

    from backtests.report.progress import steps

    with steps(quiet=options.quiet) as step:
        step("reading bars and running backtrader")
        from backtests.analysis.summary import summarise
        from backtests.backtest import backtest

        result = backtest(config)
        summary = summarise(result)
        step("drawing the tearsheet")
        from backtests.report.leave import leave

        folder = leave(result, summary, out=options.out)

    from backtests.report.terminal import show

    show(result, summary, folder=folder)


if __name__ == "__main__":
    sys.exit(main())
