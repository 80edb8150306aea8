"""What all commands share: how they refuse, their exit codes, and how they fail."""

import argparse
import atexit
import codecs
import gc
import io
import logging
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from feeds.errors import ConfigError, InputError, Unreachable

if TYPE_CHECKING:
    from rich.progress import Progress

INSTALLED: Final = "russell"
DISTRIBUTION: Final = "russell-risk-on"
LONGEST_COMPLAINT: Final = 1_000
OBJECTS_BEFORE_COLLECTION: Final = (250_000, 20, 100)
_PLAINER: Final = "feeds.plainer"
_LIKE: Final = {
    "\N{MINUS SIGN}": "-", "\N{EN DASH}": "-", "\N{NO-BREAK SPACE}": " ",
    "\N{HORIZONTAL ELLIPSIS}": "...", "\N{MULTIPLICATION SIGN}": "x",
}  # fmt: skip
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

    def parse_args(self, *arguments: Any, **named: Any) -> Any:
        """Return the options; `--quiet` also silences the log, errors excepted."""
        options = super().parse_args(*arguments, **named)
        if getattr(options, "quiet", False):
            logging.getLogger().setLevel(logging.ERROR)
        return options

    def error(self, message: str) -> NoReturn:
        """Refuse the command line."""
        raise ConfigError(f"{message}. See {self.prog} --help.")


def given_path(text: str) -> Path:
    """Return a path named on the command line, for argparse: "" would be this folder."""
    if not text.strip() or "\0" in text:
        raise argparse.ArgumentTypeError(f"must be a path, received {text!r}")
    return Path(text)


def run_command(
    work: Callable[[Sequence[str] | None], int | None], arguments: Sequence[str] | None
) -> int:
    """Do the work and return the exit code: 0 done, 2 wrong input, 1 anything else.

    What is wrong is one line on stderr; a defect of the program keeps its traceback.
    """
    _open_streams()
    try:
        _collect_seldom()
        with _logs_on_stderr():
            code = work(arguments) or 0
            sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as head, has seen enough
        code = 1
    except (InputError, ModuleNotFoundError, OSError, MemoryError, RecursionError) as error:
        code = _failures(error)
    except KeyboardInterrupt:
        code = 1
    _let_go_of_stdout()
    return code


def _open_streams() -> None:
    """Have a place for results and complaints, whatever the shell has closed."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_PLAINER)


def _plainer(error: UnicodeError) -> tuple[str, int]:
    """Write what a terminal lacks: signs by their like, a foreign folder's name by its codes.

    A loss must not lose its sign.
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    plain = (
        _LIKE.get(each) or each.encode("ascii", "backslashreplace").decode() for each in lacking
    )
    return "".join(plain), error.end


codecs.register_error(_PLAINER, _plainer)


@contextmanager
def _logs_on_stderr() -> Iterator[None]:
    """Show warnings while a command works; `--quiet` leaves errors alone."""
    root, handler = logging.getLogger(), logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(before)


def _collect_seldom() -> None:
    """Look for cyclic garbage seldom: a command is short, and most it makes are modules.

    Looking takes a sixth of its time otherwise, and once more when Python ends.
    """
    gc.set_threshold(*OBJECTS_BEFORE_COLLECTION)
    atexit.register(gc.freeze)


def _let_go_of_stdout() -> None:
    """Drop what can no longer be written, or Python complains of it once more when it ends."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _failures(error: Exception) -> int:
    """Say what went wrong and return the exit code."""
    if isinstance(error, InputError):
        complain(error)
        return exit_code(error)
    if isinstance(error, MemoryError):
        complain("the memory does not suffice. Take fewer draws, trials or processes.")
    elif isinstance(error, RecursionError):
        complain("something that was given is nested too deeply. Give it in a flatter form.")
    elif isinstance(error, OSError):
        complain(_system_reason(error))
    else:
        remedy = missing_extra(getattr(error, "name", None) or "")
        if not remedy:
            raise error
        complain(remedy)
    return 1


def _system_reason(error: OSError) -> str:
    """Return what the system says, without its numbers."""
    named = f"{error.filename}: " if isinstance(error.filename, str) else ""
    return f"{named}{error.strerror}." if error.strerror else str(error)


def missing_extra(module: str) -> str:
    """Return what to install where `module` belongs to an extra that is not there, else ""."""
    import importlib.metadata

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
    sys.stderr.write(f"error: {one_line(as_invoked(str(error)))}\n")


def one_line(text: str, *, longest: int = LONGEST_COMPLAINT) -> str:
    """Return the text on one line that no terminal takes for a command, cut in its middle."""
    written = "".join(
        each
        if each.isprintable()
        else " "
        if each.isspace()
        else each.encode("unicode_escape").decode("ascii")
        for each in text
    )
    if len(written) <= longest:
        return written
    tail = longest // 3  # the remedy stands at the end
    return f"{written[: longest - tail]} ... {written[-tail:]}"


def progress_bar(*, quiet: bool) -> "Progress":
    """Return a bar of work done on stderr, with rate and time left; off when nobody watches."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
    from rich.progress import TimeRemainingColumn as TimeLeft
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            rate = f", {task.speed:,.1f} per second" if task.speed else ""
            return Text(f"{task.completed:,.0f} of {task.total or 0:,.0f}{rate}")

    columns = (TextColumn("{task.description}"), BarColumn(bar_width=20), Rate(), TimeLeft())
    console = Console(stderr=True)
    off = quiet or not console.is_terminal
    return Progress(*columns, console=console, disable=off, transient=True)


@contextmanager
def steps(*, quiet: bool) -> Iterator[Callable[[str], None]]:
    """Yield a function that names the step in progress; it shows nothing when piped or quiet."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status("") as status:
        yield lambda text: status.update(f"{text} ...")
