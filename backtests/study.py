"""Study the claims: python -m backtests.study --all-claims."""

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from backtests.options import MOST_WORKERS, Parser, add_run_options, flags, run_command
from feeds.commands import progress_bar
from feeds.errors import ConfigError

if TYPE_CHECKING:
    from backtests.claims.plans import StudyPlan

EXAMPLES: Final = """\
  python -m backtests.study --all-claims --data-dir DIR
  python -m backtests.study --claim new-high-btc
  python -m backtests.study --claim my-claim.toml
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
    what = parser.add_argument_group("what to study; without any of these, what --config says")
    choice = what.add_mutually_exclusive_group()
    choice.add_argument("--claim", metavar="NAME", help="a preset of configs/claims, or a file")
    choice.add_argument("--all-claims", action="store_true", help="every preset, on one page")
    choice.add_argument(
        "--event",
        metavar="EVENT",
        help="new_high, breakout, support_held, support_lost, relative_high, or one of a plug-in",
    )
    what.add_argument("--assets", metavar="A,B", help="BTC (default), ETH, any coin, ALTS")
    what.add_argument(
        "--horizons", metavar="DAYS", help="calendar days; default: 5,10,20,30,60,90,180,365"
    )
    what.add_argument("--draws", metavar="N", help="random arrangements; default: 10000")
    what.add_argument("--seed", metavar="N", help="same seed, same figures; default: 0")
    what.add_argument(
        "--workers", default=str(min(os.cpu_count() or 1, 8)), metavar="N", help="processes"
    )
    add_run_options(parser)
    return parser


def _work(arguments: Sequence[str] | None) -> None:
    options = command_parser().parse_args(arguments)

    from backtests.claims.runner import judge, run_all
    from backtests.records.atomic_writing import require_writable, run_id, write_folder
    from backtests.report.save_study import study_files
    from backtests.report.terminal.study import show

    workers = _number(options.workers, "--workers", least=1, most=MOST_WORKERS)
    plans = _plans(options)
    require_writable(options.out)
    with _progress(len(plans), quiet=options.quiet) as tick:
        studies = run_all(plans, workers=workers, tick=tick)
    judged = judge(studies)

    import pandas as pd

    name = "claims" if options.all_claims else plans[0].name
    stamp = pd.Timestamp.now(tz="UTC")
    folder = write_folder(
        options.out,
        run_id(asset=f"study-{name}", config_hash=plans[0].config.short_hash, now=stamp),
        study_files(studies, judged),
    )
    from backtests.report.words.notation import warning_lines

    leaks = dict.fromkeys(leak for each in studies for leak in each.leaks)
    sys.stdout.writelines(f"{line}\n" for line in warning_lines(list(leaks)))
    show(judged, page=folder / ("index.html" if len(studies) > 1 else "study.html"))


def _plans(options: Namespace) -> "list[StudyPlan]":
    """Return what to study: claims of files, the claim of the config, or an event."""
    if options.all_claims or options.claim is not None:
        from backtests.claims.plans import claim_file, claim_presets

        if options.config:
            raise ConfigError(
                "`--config` does not fit `--claim` and `--all-claims`, which bring their own. "
                "Leave one out; --source and --data-dir choose the bars, --set any setting."
            )
        one = options.claim
        names = claim_presets() if one is None else [claim_file(one, parameter="--claim")]
        return [_claim_plan(path, options) for path in names]
    return [_config_plan(options)]


def _claim_plan(path: Path, options: Namespace) -> "StudyPlan":
    from backtests.claims.plans import claim_plan
    from backtests.config.raw_settings import config_tree

    tree = config_tree(path, overrides=options.set, flags=_flags(options), parameter="--claim")
    return claim_plan(tree, path=path)


def _config_plan(options: Namespace) -> "StudyPlan":
    from backtests.claims.plans import config_plan, require_event
    from backtests.config.raw_settings import config_tree

    tree = config_tree(options.config, overrides=options.set, flags=_flags(options))
    event = (
        None
        if options.event is None
        else require_event(options.event, parameter="--event", tree=tree)
    )
    return config_plan(tree, event=event, name=options.config.stem if options.config else "claim")


def _flags(options: Namespace) -> dict[str, Any]:
    """Return the settings given as flags; None where not given."""
    horizons = options.horizons
    return {
        **flags(options),
        "claim.assets": _assets(options),
        "study.horizons": horizons
        if horizons is None
        else [_number(part, "--horizons", least=1) for part in horizons.split(",")],
        "study.draws": _if_given(options.draws, "--draws", least=100),
        "study.seed": _if_given(options.seed, "--seed", least=0),
    }


def _assets(options: Namespace) -> list[str] | None:
    """Return the assets given as flags; None where not given."""
    parameter = "assets" if options.assets is not None else "asset"
    text = getattr(options, parameter)
    if text is None:
        return None
    names = [part.strip().upper() for part in text.split(",") if part.strip()]
    if not names:
        raise ConfigError(f"`--{parameter}` must name coins, such as BTC,ETH, received {text!r}.")
    return names


def _if_given(text: str | None, parameter: str, *, least: int) -> int | None:
    return None if text is None else _number(text, parameter, least=least)


def _number(text: str, parameter: str, *, least: int, most: int = 10**9) -> int:
    wanted = f"of at least {least}" if most == 10**9 else f"from {least} to {most}"
    digits = text.strip()
    if not digits.isdecimal() or len(digits) > 10 or not least <= int(digits) <= most:
        raise ConfigError(f"`{parameter}` must be a whole number {wanted}, received {text!r}.")
    return int(digits)


@contextmanager
def _progress(total: int, *, quiet: bool) -> Iterator[Callable[[str], None]]:
    """Yield a function that counts a study; it shows a bar only where someone watches."""
    with progress_bar(quiet=quiet) as bar:
        task = bar.add_task("studying", total=total)
        yield lambda name: bar.update(task, advance=1, description=name)


if __name__ == "__main__":
    sys.exit(main())
