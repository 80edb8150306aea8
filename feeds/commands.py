"""What all commands share: how they refuse, their exit codes, and how they fail."""

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NoReturn

from feeds.errors import ConfigError, InputError, Unreachable

if TYPE_CHECKING:
    from rich.progress import Progress


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
    except OSError as error:
        complain(error)
        return 1
    except KeyboardInterrupt:
        return 1


def exit_code(error: InputError) -> int:
    """Return 2 for wrong input and 1 for a vendor that did not answer."""
    return 1 if isinstance(error, Unreachable) else 2


def complain(error: Exception | str) -> None:
    """Say what is wrong in one line on stderr."""
    sys.stderr.write(f"error: {error}\n")


def progress_bar(*, quiet: bool) -> "Progress":
    """Return a bar of work done on stderr, off when nobody watches."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress

    console = Console(stderr=True)
    columns = (*Progress.get_default_columns(), MofNCompleteColumn())
    return Progress(*columns, console=console, disable=quiet or not console.is_terminal)
