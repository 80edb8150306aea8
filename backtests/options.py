"""The options shared by all commands that run a config."""

import argparse
from pathlib import Path
from typing import Any, Final

from backtests.config.raw_settings import SHORT_NAMES
from feeds.commands import Parser, given_path, run_command

__all__ = [
    "RESULTS",
    "Parser",
    "add_run_options",
    "count",
    "flags",
    "given_path",
    "run_command",
    "whole_number",
]

MOST_WORKERS: Final = 1_024

RESULTS: Final = Path("results")


def add_run_options(parser: Parser, *, configs: bool = False) -> argparse._ArgumentGroup:
    """Add the options every command that runs a config takes; return the group of outputs.

    With `configs` several files may be named.
    """
    run = parser.add_argument_group("what to run")
    run.add_argument("--asset", metavar="COIN", help="BTC, ETH or any coin with bars")
    run.add_argument("--index", metavar="INDEX", help="RUT (default), russell2000value, ...")
    if configs:
        run.add_argument(
            "--config",
            action="append",
            default=[],
            type=given_path,
            metavar="FILE",
            help="a TOML file, see configs/; may be repeated",
        )
    else:
        run.add_argument(
            "--config", type=given_path, metavar="FILE", help="a TOML file, see configs/"
        )
    run.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="override one setting, e.g. signal.lookback=252; may be repeated",
    )
    run.add_argument(
        "--plugin",
        action="append",
        default=[],
        type=given_folder,
        metavar="FILE",
        help="a Python file with signals, filters, ... of your own; it is run",
    )
    data = parser.add_argument_group("which bars")
    data.add_argument(
        "--source", metavar="SOURCE", help="auto (default), yahoo, exchange, files, sample"
    )
    data.add_argument(
        "--data-dir",
        type=given_folder,
        metavar="DIR",
        help="folder of <SYMBOL>_<timeframe>.csv files; without --source it means files",
    )
    data.add_argument(
        "--offline", action="store_true", default=None, help="live sources use only the cache"
    )
    data.add_argument(
        "--cache-dir", type=given_folder, metavar="DIR", help="where live bars are kept"
    )
    data.add_argument("--start", metavar="DATE", help="first day to trade, YYYY-MM-DD")
    data.add_argument("--end", metavar="DATE", help="last day to trade, YYYY-MM-DD")
    data.add_argument("--timeframe", metavar="BAR", help="1d (default), 4h or 1h")
    out = parser.add_argument_group("output")
    out.add_argument(
        "--out", type=given_path, default=RESULTS, metavar="DIR", help="default: results/"
    )
    out.add_argument("--quiet", action="store_true", help="no progress, only the result")
    return out


def given_folder(text: str) -> str:
    """Return a folder named on the command line as text, for argparse."""
    return str(given_path(text))


def whole_number(text: str) -> int:
    """Return a whole number, for argparse."""
    try:
        return int(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"must be a whole number, received {text!r}") from error


def count(text: str) -> int:
    """Return a number of threads or processes, for argparse."""
    if not text.isdecimal() or not 1 <= whole_number(text) <= MOST_WORKERS:
        raise argparse.ArgumentTypeError(
            f"must be a whole number from 1 to {MOST_WORKERS}, received {text!r}"
        )
    return int(text)


def flags(options: argparse.Namespace) -> dict[str, Any]:
    """Return the settings given as flags, by their config key; None where not given."""
    given = {key: getattr(options, name) for name, key in SHORT_NAMES.items()}
    return {**given, "plugins": options.plugin or None}
