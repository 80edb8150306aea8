"""What all commands share: how they refuse, their exit codes, and how they fail."""

import argparse
import importlib.metadata
import logging
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from feeds.errors import ConfigError, InputError, Unreachable

if TYPE_CHECKING:
    from rich.progress import Progress

INSTALLED: Final = "russell"
DISTRIBUTION: Final = "russell-risk-on"
_MODULE: Final = re.compile(r"python -m (?:backtests|feeds)\.(?=\w)")


def as_invoked(text: str) -> str:
    """Return a text with its commands spelled the way this one was called.

    `python -m backtests.run` is `russell run` for those who installed the package.
    """
    return _MODULE.sub(f"{INSTALLED} ", text) if Path(sys.argv[0]).name == INSTALLED else text


class Parser(argparse.ArgumentParser):
    """A parser whose complaint is one line like every other wrong input."""

    def __init__(self, *, prog: str, description: str, examples: str) -> None:
        super().__init__(
            prog=as_invoked(prog),
            description=description,
            epilog=f"examples:\n{as_invoked(examples)}" if examples else None,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        """Refuse the command line."""
        raise ConfigError(f"{message}. See {self.prog} --help.")


def run_command(
    work: Callable[[Sequence[str] | None], int | None], arguments: Sequence[str] | None
) -> int:
    """Do the work and return the exit code: 0 done, 2 wrong input, 1 anything else."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    try:
        return work(arguments) or 0
    except InputError as error:
        complain(error)
        return exit_code(error)
    except ModuleNotFoundError as error:
        remedy = missing_extra(error.name or "")
        if not remedy:
            raise
        complain(remedy)
        return 1
    except OSError as error:
        complain(error)
        return 1
    except KeyboardInterrupt:
        return 1


def missing_extra(module: str) -> str:
    """Return what to install where `module` belongs to an extra that is not there, else ""."""
    wanted = module.partition(".")[0].replace("_", "-").lower()
    for requirement in importlib.metadata.requires(DISTRIBUTION) or []:
        name, _, marker = requirement.partition(";")
        extra = re.search(r"extra == [\"'](\w+)", marker)
        if extra and re.match(rf"{re.escape(wanted)}\b", name.replace("_", "-").lower()):
            return (
                f"this needs {module}, which is not installed. Install it: "
                f"pip install '{DISTRIBUTION}[{extra[1]}]'"
            )
    return ""


def exit_code(error: InputError) -> int:
    """Return 2 for wrong input and 1 for a vendor that did not answer."""
    return 1 if isinstance(error, Unreachable) else 2


def complain(error: Exception | str) -> None:
    """Say what is wrong in one line on stderr."""
    sys.stderr.write(as_invoked(f"error: {error}\n"))


def progress_bar(*, quiet: bool) -> "Progress":
    """Return a bar of work done on stderr, off when nobody watches."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress

    console = Console(stderr=True)
    columns = (*Progress.get_default_columns(), MofNCompleteColumn())
    return Progress(*columns, console=console, disable=quiet or not console.is_terminal)
