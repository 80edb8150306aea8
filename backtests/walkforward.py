"""Choose on the past, trade the future: python -m backtests.walkforward --asset ETH."""

import hashlib
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from backtests.options import Parser, add_run_options, flags, run_command, whole_number

if TYPE_CHECKING:
    from backtests.search.plan import Plan
    from backtests.search.walkforward.windows import WindowSettings

EXAMPLES = """\
  python -m backtests.walkforward --asset ETH --config configs/sweeps/eth.toml
  python -m backtests.walkforward --config configs/sweeps/eth.toml --train-days 730 --anchored
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, walk forward, write the results folder, print; return the exit code."""
    return run_command(_work, arguments)


def command_parser() -> Parser:
    """Return the parser of the command line."""
    parser = Parser(
        prog="python -m backtests.walkforward",
        description="Walk forward: choose the best trial of a sweep on past bars, trade it on "
        "the next, and compare what came of it with buy-and-hold.",
        examples=EXAMPLES,
    )
    add_run_options(parser)
    group = parser.add_argument_group("how to walk")
    group.add_argument(
        "--train-days", type=whole_number, metavar="N", help="days to choose on: 1095"
    )
    group.add_argument("--test-days", type=whole_number, metavar="N", help="days to trade: 365")
    group.add_argument(
        "--embargo-days", type=whole_number, metavar="N", help="days left out before a test: 0"
    )
    group.add_argument("--anchored", action="store_true", help="choose on all days so far")
    return parser


def _work(arguments: Sequence[str] | None) -> None:
    options = command_parser().parse_args(arguments)

    import pandas as pd

    from backtests.config.plugins import pin_plugins
    from backtests.config.raw_settings import config_tree
    from backtests.records.atomic_writing import require_writable, run_id, write_folder
    from backtests.report.save_search import walk_files
    from backtests.report.terminal.search import walk_summary
    from backtests.search.plan import load_plan
    from backtests.search.trials.trial_library import Library
    from backtests.search.walkforward.walk import require_walkable, walk_forward
    from backtests.search.walkforward.windows import WindowSettings
    from feeds.commands import steps

    plan = load_plan(options.config, overrides=options.set, flags=flags(options))
    require_walkable(plan)
    names = ("train_days", "test_days", "embargo_days")
    given = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    given |= {"anchored": True} if options.anchored else {}
    written = config_tree(options.config, overrides=options.set).get("walkforward", {})
    settings = _settings(written, given, WindowSettings)
    require_writable(options.out)
    with pin_plugins(plan.base), steps(quiet=options.quiet) as step:
        step(f"trying {plan.trials:,} trials on every window")
        found = walk_forward(plan, settings=settings, library=Library())
    now = pd.Timestamp.now(tz="UTC")
    asset = f"walkforward-{plan.base.asset}"
    name = run_id(asset=asset, config_hash=walk_hash(plan, settings), now=now)
    folder = write_folder(options.out, name, walk_files(found, plan, settings))
    print(walk_summary(found, plan, settings))  # noqa: T201 (a command speaks to its user)
    print(f"Sheet: {folder / 'walkforward.html'}")  # noqa: T201


def walk_hash(plan: "Plan", settings: "WindowSettings") -> str:
    """Return eight hexadecimal digits that name a plan and its windows."""
    text = plan.to_toml() + settings.model_dump_json()
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _settings(
    written: Any, given: dict[str, Any], model: "type[WindowSettings]"
) -> "WindowSettings":
    """Return the windows of the config's table [walkforward] and of the flags, which go first."""
    from pydantic import ValidationError

    from backtests.config.explain_errors import allowed_values, as_written, explain_error
    from feeds.errors import ConfigError

    if not isinstance(written, dict):
        raise ConfigError(f"`walkforward` must be a section, received {as_written(written)}.")
    try:
        return model.model_validate(written | given)
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0])
        if key not in given:
            raise ConfigError(explain_error(error, model, section="walkforward")) from error
        must, received = allowed_values(model.model_fields[key]), as_written(first["input"])
        name = key.replace("_", "-")
        raise ConfigError(f"`--{name}` must be {must}, received {received}.") from error


if __name__ == "__main__":
    sys.exit(main())
