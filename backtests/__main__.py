"""Every command under one name: `russell run --asset ETH`, or `python -m backtests run`."""

import difflib
import importlib
import importlib.metadata
import sys
from collections.abc import Sequence
from typing import Final

from feeds.commands import DISTRIBUTION, Parser, run_command
from feeds.errors import ConfigError

COMMANDS: Final = {
    "run": ("backtests.run", "backtest one config and leave a tearsheet"),
    "study": ("backtests.study", "judge the claims, or any event of the index"),
    "sweep": ("backtests.sweep", "try many settings, and say what the best is worth"),
    "walkforward": ("backtests.walkforward", "choose on past bars, trade the next"),
    "today": ("backtests.today", "is the signal on, and what is due at the next open"),
    "compare": ("backtests.compare", "list all runs on one page, or put some side by side"),
    "audit": ("backtests.audit", "prove that nothing in a config sees the future"),
    "list": ("backtests.list", "show the signals, filters, exits, ... a config can name"),
    "download": ("feeds.download", "fill the cache of live bars and series"),
    "read": ("feeds.read", "say what is made of a file, and write it in our own form"),
    "cached": ("feeds.cached", "show what the cache holds"),
    "doctor": ("feeds.doctor", "ask every vendor whether it answers from here"),
}
SHELLS: Final = ("bash", "zsh", "tcsh")
EXAMPLES: Final = """\
  russell run --asset ETH --source sample
  russell study --all-claims
  russell run --help
  russell completion bash > ~/.local/share/bash-completion/completions/russell
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Hand the arguments to the command named first and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given and given[0] in COMMANDS:
        return int(importlib.import_module(COMMANDS[given[0]][0]).main(given[1:]))
    # what follows a command that is none would be complained of first
    unknown = bool(given) and given[0] != "completion" and not given[0].startswith("-")
    return run_command(_work, given[:1] if unknown else given)


def _work(arguments: Sequence[str] | None) -> None:
    options = _parser().parse_args(arguments)
    if options.command == "completion":
        sys.stdout.write(completion(options.shell))
        return
    near = difflib.get_close_matches(options.command, [*COMMANDS, "completion"], n=1)
    hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(COMMANDS)}."
    raise ConfigError(f"`{options.command}` is not a command. {hint}")


def completion(shell: str) -> str:
    """Return a script that completes commands and options in `shell`, one of `SHELLS`.

    Raises
    ------
    ConfigError
        If the shell is another one.
    """
    if shell not in SHELLS:
        raise ConfigError(
            f"`completion` must be for one of {', '.join(SHELLS)}, received {shell!r}."
        )
    import shtab

    tree = Parser(prog="russell", description="", examples=EXAMPLES)
    commands = tree.add_subparsers()
    for name, (module, purpose) in COMMANDS.items():
        commands.add_parser(name, help=purpose, prog=f"russell {name}", description="", examples="")
        commands.choices[name] = importlib.import_module(module).command_parser()
    return str(shtab.complete(tree, shell=shell))


def _parser() -> Parser:
    listing = "\n".join(f"  {name:<12} {purpose}" for name, (_, purpose) in COMMANDS.items())
    parser = Parser(
        prog="russell",
        description="Does crypto follow when the Russell 2000 makes a new high or turns "
        f"resistance into support, and can you trade it?\n\ncommands:\n{listing}\n"
        f"  {'completion':<12} print a script that completes commands in bash, zsh or tcsh",
        examples=EXAMPLES,
    )
    parser.add_argument("command", metavar="COMMAND", help="one of the above; it has its --help")
    parser.add_argument("shell", metavar="SHELL", nargs="?", default="bash", help="for completion")
    parser.add_argument("--version", action="version", version=version())
    return parser


def version() -> str:
    """Return name and version of the installed package."""
    return f"{DISTRIBUTION} {importlib.metadata.version(DISTRIBUTION)}"


if __name__ == "__main__":
    sys.exit(main())
