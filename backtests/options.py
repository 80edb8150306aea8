"""What all commands share: their options, their exit codes, and how they fail."""

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

from feeds.errors import ConfigError, InputError

RESULTS: Final = Path("results")


class Parser(argparse.ArgumentParser):
    """A parser whose complaint is one line like every other wrong input."""

    def __init__(self, *, prog: str, description: str, examples: str) -> None:
        super().__init__(
            prog=prog,
            description=description,
            epilog=f"examples:\n{examples}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        """Refuse the command line."""
        raise ConfigError(f"{message}. See {self.prog} --help.")


def add_run_options(parser: Parser) -> None:
    """Add the options every command that runs a config takes."""
    run = parser.add_argument_group("what to run")
    run.add_argument("--asset", metavar="COIN", help="BTC, ETH or any coin with bars")
    run.add_argument("--index", metavar="INDEX", help="RUT (default), russell2000value, ...")
    run.add_argument("--config", type=Path, metavar="FILE", help="a TOML file, see configs/")
    run.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="override one setting, e.g. signal.lookback=252; may be repeated",
    )
    data = parser.add_argument_group("which bars")
    data.add_argument("--source", metavar="SOURCE", help="auto (default), files or sample")
    data.add_argument("--data-dir", metavar="DIR", help="folder of <SYMBOL>_<timeframe>.csv files")
    data.add_argument("--start", metavar="DATE", help="first day to trade, YYYY-MM-DD")
    data.add_argument("--end", metavar="DATE", help="last day to trade, YYYY-MM-DD")
    data.add_argument("--timeframe", metavar="BAR", help="1d (default), 4h or 1h")
    out = parser.add_argument_group("output")
    out.add_argument("--out", type=Path, default=RESULTS, metavar="DIR", help="default: results/")
    out.add_argument("--quiet", action="store_true", help="no progress, only the result")


def flags(options: argparse.Namespace) -> dict[str, Any]:
    """Return the settings given as flags, by their config key; None where not given."""
    return {
        "asset": options.asset,
        "index.symbol": options.index,
        "data.source": options.source,
        "data.data_dir": options.data_dir,
        "data.start": options.start,
        "data.end": options.end,
        "data.timeframe": options.timeframe,
    }


def run_command(
    work: Callable[[Sequence[str] | None], None], arguments: Sequence[str] | None
) -> int:
    """Do the work and return the exit code: 0 done, 2 wrong input, 1 anything else."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    try:
        work(arguments)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 (a command speaks to its user)
        return 2
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        return 1
    return 0
