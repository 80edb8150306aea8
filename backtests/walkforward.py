"""Choose on the past, trade the future: python -m backtests.walkforward --asset ETH."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from backtests.options import Parser, add_run_options, flags, run_command

if TYPE_CHECKING:
    import pandas as pd

    from backtests.sweep.plan import Plan
    from backtests.sweep.walk import WalkForward
    from backtests.sweep.windows import WindowSettings

EXAMPLES = """\
  python -m backtests.walkforward --asset ETH --config configs/sweeps/eth.toml
  python -m backtests.walkforward --config configs/sweeps/eth.toml --train-days 730 --anchored
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, walk forward, write the results folder, print; return the exit code."""
    return run_command(_work, arguments)


def _parser() -> Parser:
    parser = Parser(
        prog="python -m backtests.walkforward",
        description="Walk forward: choose the best trial of a sweep on past bars, trade it on "
        "the next, and compare what came of it with buy-and-hold.",
        examples=EXAMPLES,
    )
    add_run_options(parser)
    group = parser.add_argument_group("how to walk")
    group.add_argument("--train-days", type=int, metavar="N", help="days to choose on: 1095")
    group.add_argument("--test-days", type=int, metavar="N", help="days to trade: 365")
    group.add_argument(
        "--embargo-days", type=int, metavar="N", help="days left out before a test: 0"
    )
    group.add_argument("--anchored", action="store_true", help="choose on all days so far")
    return parser


def _work(arguments: Sequence[str] | None) -> None:
    options = _parser().parse_args(arguments)

    import pandas as pd

    from backtests.report.folder import require_writable, run_id, write_folder
    from backtests.report.progress import steps
    from backtests.sweep.groups import Library
    from backtests.sweep.plan import load_plan
    from backtests.sweep.walk import walk_forward
    from backtests.sweep.windows import WindowSettings
    from feeds.errors import ConfigError

    plan = load_plan(options.config, overrides=options.set, flags=flags(options))
    if plan.settings.search == "guided":
        raise ConfigError('`sweep.search` must be "grid" or "random" here, received "guided".')
    names = ("train_days", "test_days", "embargo_days")
    given = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    settings = _settings({**given, "anchored": options.anchored}, WindowSettings)
    require_writable(options.out)
    with steps(quiet=options.quiet) as step:
        step(f"trying {plan.trials:,} trials on every window")
        found = walk_forward(plan, settings=settings, library=Library())
    now = pd.Timestamp.now(tz="UTC")
    asset = f"walkforward-{plan.base.asset}"
    name = run_id(asset=asset, config_hash=plan.base.short_hash, now=now)
    folder = write_folder(options.out, name, _files(found, plan, settings))
    print(_shown(found, plan))  # noqa: T201 (a command speaks to its user)
    print(f"All steps: {folder}")  # noqa: T201


def _settings(given: dict[str, Any], model: "type[WindowSettings]") -> "WindowSettings":
    from pydantic import ValidationError

    from feeds.errors import ConfigError

    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).replace("_", "-")
        message = f"`--{name}`: {first['msg']}, received {first['input']}."
        raise ConfigError(message) from error


def _table(found: "WalkForward") -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "train_start": f"{step.window.train_start:%Y-%m-%d}",
                "train_end": f"{step.window.train_end:%Y-%m-%d}",
                "test_start": f"{step.window.test_start:%Y-%m-%d}",
                "test_end": f"{step.window.test_end:%Y-%m-%d}",
                "trial": step.trial,
                **step.values,
                "in_sample": step.in_sample,
                "out_of_sample": step.out_of_sample,
                "median_out_of_sample": step.median,
                "rank_out_of_sample": step.rank,
            }
            for step in found.steps
        ]
    )


def _files(found: "WalkForward", plan: "Plan", settings: "WindowSettings") -> dict[str, str]:
    import pandas as pd

    from backtests.format import as_json
    from backtests.sweep.walk_sheet import walk_sheet

    equity = pd.DataFrame(
        {"walk_forward": (1 + found.returns).cumprod(), "buy_and_hold": (1 + found.held).cumprod()}
    )
    summary = {
        "objective": plan.settings.objective,
        "trials": plan.trials,
        "windows": settings.model_dump(),
        "efficiency": found.efficiency,
        "stability": found.stability(),
        **found.figures,
    }
    return {
        "steps.csv": _table(found).to_csv(index=False, lineterminator="\n"),
        "equity.csv": equity.to_csv(index_label="time", lineterminator="\n"),
        "walkforward.json": as_json(summary),
        "walkforward.html": walk_sheet(found, plan),
        "sweep.toml": plan.to_toml(),
    }


def _shown(found: "WalkForward", plan: "Plan") -> str:
    stable = ", ".join(f"{key} {share:.0%}" for key, share in found.stability().items())
    lines = [_table(found).drop(columns=["train_start", "test_end"]).to_string(index=False)]
    for name, figures in found.figures.items():
        lines.append(
            f"{name.replace('_', ' ')}: {1 + figures['total_return']:.2f}x the money, "
            f"{figures['cagr'] * 100:.1f} % a year, Sharpe ratio {figures['sharpe_ratio']:.2f}, "
            f"worst drawdown {figures['max_drawdown'] * 100:.1f} %"
        )
    lines += [
        f"Of the {plan.settings.objective} in sample, {found.efficiency:.0%} was left afterwards.",
        f"Steps that chose the most frequent value: {stable}.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
