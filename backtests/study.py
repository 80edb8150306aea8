"""Study the claims: python -m backtests.study --all-claims."""

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

from backtests.claims import Event
from backtests.options import Parser, add_run_options, flags, run_command
from backtests.presets import CLAIMS
from feeds.errors import ConfigError

if TYPE_CHECKING:
    from backtests.config import Config
    from backtests.evidence.runner import Judged, Plan

DEFAULT_HORIZONS: Final = "5,10,20,30,60,90,180,365"
PIPED_WIDTH: Final = 132
EXAMPLES: Final = """\
  python -m backtests.study --all-claims --source files --data-dir DIR
  python -m backtests.study --claim new-high-btc
  python -m backtests.study --event support_held --assets BTC,ETH --horizons 30,90,180
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, run the studies, write the results folder; return the exit code."""
    return run_command(_work, arguments)


def command_parser() -> Parser:
    """Return the parser of the command line."""
    parser = Parser(
        prog="python -m backtests.study",
        description="Is it the signal, or luck? What coins did after the index's events, against "
        "random dates, with an honest verdict for each claim of the story.",
        examples=EXAMPLES,
    )
    what = parser.add_argument_group("what to study")
    choice = what.add_mutually_exclusive_group()
    choice.add_argument("--claim", metavar="NAME", help="one preset of configs/claims")
    choice.add_argument("--all-claims", action="store_true", help="every preset, on one page")
    choice.add_argument("--event", metavar="EVENT", help=", ".join(get_args(Event)))
    what.add_argument("--assets", metavar="A,B", help="BTC (default), ETH, any coin, ALTS")
    what.add_argument("--horizons", default=DEFAULT_HORIZONS, metavar="DAYS", help="calendar days")
    what.add_argument("--draws", default="10000", metavar="N", help="random arrangements")
    what.add_argument("--seed", default="0", metavar="N", help="same seed, same figures")
    what.add_argument(
        "--workers", default=str(min(os.cpu_count() or 1, 8)), metavar="N", help="processes"
    )
    add_run_options(parser)
    return parser


def _work(arguments: Sequence[str] | None) -> None:
    options = command_parser().parse_args(arguments)

    from backtests.evidence.folder import study_files
    from backtests.evidence.runner import judge, run_all
    from backtests.report.folder import require_writable, run_id, write_folder

    plans = _plans(options)
    require_writable(options.out)
    workers = _number(options.workers, "--workers", least=1)
    with _progress(len(plans), quiet=options.quiet) as tick:
        studies = run_all(plans, workers=workers, tick=tick)
    judged = judge(studies)

    import pandas as pd

    draws = plans[0].draws
    name = "claims" if options.all_claims else plans[0].name
    stamp = pd.Timestamp.now(tz="UTC")
    folder = write_folder(
        options.out,
        run_id(asset=f"study-{name}", config_hash=plans[0].config.short_hash, now=stamp),
        study_files(studies, judged, draws=draws),
    )
    _show(judged, folder / ("index.html" if len(studies) > 1 else "study.html"))


def _plans(options: Namespace) -> "list[Plan]":
    from backtests.evidence.runner import Plan, claim_plans

    horizons = tuple(_number(part, "--horizons", least=1) for part in options.horizons.split(","))
    draws = _number(options.draws, "--draws", least=100)
    seed = _number(options.seed, "--seed", least=0)

    def plan(name: str, config: "Config") -> Plan:
        return Plan(name, config, horizons=horizons, draws=draws, seed=seed)

    if options.all_claims or options.claim:
        names = [_known_claim(options.claim)] if options.claim else []
        overrides = [*options.set, *_assets_override(options)]
        settings = flags(options)
        return claim_plans(CLAIMS, names=names, flags=settings, overrides=overrides, plan=plan)
    return [plan(options.event or "new_high", _event_config(options))]


def _event_config(options: Namespace) -> "Config":
    """Return a config whose claim is no more than the event named."""
    from backtests.config import load_config

    event = options.event or "new_high"
    if event not in get_args(Event):
        known = ", ".join(get_args(Event))
        raise ConfigError(f"`--event` must be one of {known}, received {event!r}.")
    assets = _names(options.assets or options.asset or "BTC")
    claim: dict[str, Any] = {
        "claim.statement": f"{', '.join(assets)} after {event.replace('_', ' ')} of the index",
        "claim.source": "no claim: a study of the event",
        "claim.support": "at least 50 % more than after a random date, over 90 days",
        "claim.event": event,
        "claim.assets": assets,
    }
    return load_config(options.config, overrides=options.set, flags={**flags(options), **claim})


def _assets_override(options: Namespace) -> list[str]:
    chosen = _names(options.assets or options.asset or "")
    return [f"claim.assets={chosen}"] if chosen else []


def _known_claim(name: str) -> str:
    import difflib

    known = sorted(path.stem for path in CLAIMS.glob("*.toml"))
    if name in known:
        return name
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f"The nearest is {near[0]!r}." if near else f"There are: {', '.join(known)}."
    raise ConfigError(f"`--claim` {name!r} is no preset of configs/claims. {hint}")


def _names(text: str) -> list[str]:
    return [part.strip().upper() for part in text.split(",") if part.strip()]


def _number(text: str, parameter: str, *, least: int) -> int:
    if not text.strip().isdecimal() or int(text) < least:
        raise ConfigError(
            f"`{parameter}` must be a whole number of at least {least}, received {text!r}."
        )
    return int(text)


@contextmanager
def _progress(total: int, *, quiet: bool) -> Iterator[Callable[[str], None]]:
    """Yield a function that counts a study; it shows a bar only where someone watches."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("studying", total=total)
        yield lambda name: bar.update(task, advance=1, description=name)


def _show(judged: "list[Judged]", page: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    from backtests.evidence.page import interval, probability, size

    table = Table(box=None, pad_edge=False)
    for column in ("claim", "asset"):
        table.add_column(column, no_wrap=True)
    for column in ("effect", "interval", "p", "episodes"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for one in judged:
        found = one.finding
        table.add_row(
            one.study,
            found.asset,
            size(found.estimate, found.unit),
            interval(found),
            probability(found.p_value),
            str(found.episodes),
            one.verdict,
        )
    # piped, rich would fold the table at 80 columns
    console = Console(highlight=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)
    console.print(table)
    console.print(f"Page: {page}", soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
