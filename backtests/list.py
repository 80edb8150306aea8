"""Show what a config can name: python -m backtests list signals."""

import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from backtests.options import Parser, given_folder, run_command
from backtests.report.terminal import WIDTH
from feeds.errors import ConfigError

if TYPE_CHECKING:
    from strategies.registry import Entry, Kind

# what is asked for, and how a config uses it
KINDS: Final[dict[str, tuple["Kind", str]]] = {
    "signals": ("signal", 'rules.trigger = "NAME", --event NAME, claim.event = "NAME"'),
    "filters": ("filter", '[filters.ANY_NAME] kind = "NAME"'),
    "exits": ("exit", 'rules.exits = ["NAME"] for one of a plug-in, else by its setting'),
    "sizings": ("sizing", 'size.mode = "NAME"'),
    "weightings": ("weighting", 'basket.weights = "NAME"'),
    "selections": ("selection", 'basket.select = "NAME"'),
}
EXAMPLES: Final = """\
  russell list
  russell list signals --plugin my_rules.py
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what can be named; return the exit code."""
    return run_command(_work, arguments)


def command_parser() -> Parser:
    """Return the parser of the command line."""
    parser = Parser(
        prog="python -m backtests.list",
        description="The signals, filters, exits, sizings, weightings and selections a config can "
        "name, those of plug-ins included, with their parameters.",
        examples=EXAMPLES,
    )
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"{', '.join(KINDS)}; all of them")
    parser.add_argument(
        "--plugin",
        action="append",
        default=[],
        type=given_folder,
        metavar="FILE",
        help="a Python file with functions of your own; it is run",
    )
    return parser


def _work(arguments: Sequence[str] | None) -> None:
    options = command_parser().parse_args(arguments)

    from backtests.config.plugins import load_plugins
    from feeds.message_text import nearest_hint
    from strategies.registry import load_packages

    load_packages()
    load_plugins(options.plugin)
    for name in options.kinds:
        if name not in KINDS:
            raise ConfigError(
                f"`list` takes {', '.join(KINDS)}, received {name!r}.{nearest_hint(name, KINDS)}"
            )
    chosen = options.kinds or list(KINDS)
    sys.stdout.write("\n\n".join("\n".join(_listing(name)) for name in chosen) + "\n")


def _listing(name: str) -> Iterator[str]:
    from strategies.registry import entries

    kind, use = KINDS[name]
    yield f"{name}: {use}"
    for entry in entries(kind).values():
        where = f" ({Path(entry.origin.name).name})" if entry.is_own else ""
        note = " Dates studies; no trigger." if entry.only_event else ""
        yield f"\n{_fold(f'{entry.name}{where}: {entry.summary}{note}', indent=2)}"
        yield from (_fold(line, indent=6) for line in _parameters(entry))
    if kind == "filter":
        from strategies.rule_settings import READY_MADE

        ready = f"Ready-made, as [filters.NAME] with nothing inside: {', '.join(READY_MADE)}."
        yield f"\n{_fold(ready, indent=2)}"


def _fold(text: str, *, indent: int) -> str:
    """Return a line as several where it is too long for the terminal, or for `WIDTH`."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDTH
    return textwrap.fill(
        text,
        max(width, 40),
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + 4),
        break_on_hyphens=False,
        break_long_words=False,
    )


def _parameters(entry: "Entry") -> Iterator[str]:
    """Yield a line per setting or parameter: its key, its type or range, and its default."""
    from backtests.config.config import Config
    from backtests.config.explain_errors import said_of, with_default
    from backtests.config.user_parameters import parameter_model
    from strategies.registry import SECTIONS

    section = SECTIONS[entry.kind] + ".ANY_NAME" * (entry.kind == "filter")
    for key in entry.settings:
        yield f"{key.replace('filters.NAME', section)}: {said_of(key, Config)}"
    if entry.is_own:
        for name, field in parameter_model(entry).model_fields.items():
            yield f"{section}.{entry.name}.{name}: {with_default(field)}"
    if extra := entry.reads[1:]:
        yield f"reads {', '.join(extra)} as well"


if __name__ == "__main__":
    sys.exit(main())
