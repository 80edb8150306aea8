"""Prove that nothing sees the future: python -m backtests.audit --plugin my_rules.py."""

import sys
from collections.abc import Sequence

from backtests.options import Parser, add_run_options, flags, run_command

EXAMPLES = """\
  python -m backtests.audit
  python -m backtests.audit --plugin my_rules.py --set rules.trigger=reclaim
  python -m backtests.audit --config configs/eth.toml --data-dir bars
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Audit a config and print a line for each function; return 1 if one saw the future."""
    leaks: list[bool] = []
    code = run_command(lambda given: leaks.append(_audit(given)), arguments)
    return code or int(any(leaks))


def command_parser() -> Parser:
    """Return the parser of the command line."""
    parser = Parser(
        prog="python -m backtests.audit",
        description="Cut the data at many bars, and put another future behind them: no signal, "
        "filter, sizing, basket or order of a run may change before the cut. Exit 1 if one does.",
        examples=EXAMPLES,
    )
    add_run_options(parser)
    return parser


def _audit(arguments: Sequence[str] | None) -> bool:
    """Print what was found; return whether anything leaks."""
    options = command_parser().parse_args(arguments)

    from backtests.config.config import load_config
    from feeds.commands import steps

    config = load_config(options.config, overrides=options.set, flags=flags(options))
    with steps(quiet=options.quiet) as step:
        step("reading bars")
        from backtests.lookahead_audit import audit_of
        from backtests.market.inputs import load_inputs

        inputs = load_inputs(config)
        step("cutting the data and rewriting the future")
        found = audit_of(config, inputs)
    sys.stdout.write("\n".join(found.lines) + "\n")
    return not found.ok


if __name__ == "__main__":
    sys.exit(main())
