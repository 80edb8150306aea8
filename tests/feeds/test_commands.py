"""How every command ends: exit code, one line, and nothing that Python has to add."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from feeds.commands import Parser, one_line, run_command
from feeds.errors import ConfigError

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ConfigError("`x` must be y."), 2, "error: `x` must be y.\n"),
        (ConfigError("a\nb\x1b[2Jc\udcff"), 2, "error: a b\\x1b[2Jc\\udcff\n"),
        (MemoryError(), 1, "error: the memory does not suffice. Take fewer draws, trials or pro"),
        (RecursionError("maximum"), 1, "error: something that was given is nested too deeply."),
        (OSError(28, "No space left on device", "/x/y"), 1, "error: /x/y: No space left on dev"),
        (OSError("the disk is full"), 1, "error: the disk is full\n"),
        (PermissionError(13, "Permission denied", "/x"), 1, "error: /x: Permission denied.\n"),
        (KeyboardInterrupt(), 1, ""),
        (BrokenPipeError(32, "Broken pipe"), 1, ""),
    ],
)
def test_run_command_ends_every_failure_in_one_line(
    error: BaseException, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def work(_: object) -> int:
        raise error

    assert run_command(work, None) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(line)
    assert shown.err.count("\n") == (1 if line else 0)


def test_run_command_leaves_a_defect_its_traceback() -> None:
    def work(_: object) -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_command(work, None)


@pytest.mark.parametrize(
    ("arguments", "said"), [([], "WARNING: mind the gap\nERROR: it broke\n"), (["--quiet"], "")]
)
def test_quiet_silences_warnings_of_the_log_for_this_command_alone(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = Parser(prog="x", description="", examples="")
    parser.add_argument("--quiet", action="store_true")

    def work(given: object) -> int:
        parser.parse_args(given)
        logging.getLogger("feeds").warning("mind the gap")
        if not arguments:
            logging.getLogger("feeds").error("it broke")
        return 0

    before = logging.getLogger().level
    assert run_command(work, arguments) == 0
    assert capsys.readouterr().err == said
    assert logging.getLogger().level == before


def test_one_line_cuts_the_middle_so_that_the_remedy_stays() -> None:
    text = one_line("`x` " + "y" * 5_000 + " Take fewer.", longest=100)
    assert text.startswith("`x` yyy")
    assert text.endswith("yyy Take fewer.")
    assert len(text) < 110


@pytest.mark.parametrize(
    ("surroundings", "said"),
    [
        ({"PYTHONIOENCODING": "ascii"}, "-5.0 % -  caf\\xe9 \\u2603"),
        ({"PYTHONIOENCODING": "latin-1"}, "-5.0 % - \xa0caf\xe9 \\u2603"),
        (
            {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
            "-5.0 % -  caf\\xe9 \\u2603",
        ),
        ({"PYTHONIOENCODING": "utf-8"}, "\N{MINUS SIGN}5.0 % \N{EN DASH} \xa0caf\xe9 \N{SNOWMAN}"),
    ],
)
def test_terminal_that_lacks_a_sign_shows_its_like_and_never_loses_a_minus(
    surroundings: dict[str, str], said: str
) -> None:
    text = "\\u22125.0 % \\u2013 \\u00a0caf\\u00e9 \\u2603"
    work = f"from feeds.commands import run_command; run_command(lambda _: print('{text}'), None)"
    done = subprocess.run(
        [sys.executable, "-c", work],
        cwd=REPOSITORY,
        env={"PATH": "/usr/bin:/bin"} | surroundings,
        capture_output=True,
        check=True,
    )
    encoding = surroundings.get("PYTHONIOENCODING", "ascii")
    assert done.stdout.decode(encoding) == f"{said}\n"
    assert done.stderr == b""


SPEAK = "run_command(lambda _: print('\u00fc' * 100_000), None)"
SPEAKING = f'{sys.executable} -c "import sys; from feeds.commands import *; sys.exit({SPEAK})"'
REFUSED = SPEAKING.replace("print('\u00fc' * 100_000)", "Parser(**{'prog': '', 'description': '', "
    "'examples': ''}).error('no')")  # fmt: skip


@pytest.mark.parametrize(
    ("shell", "code", "said"),
    [
        (f"{SPEAKING} | head -c 1 > /dev/null; exit ${{PIPESTATUS[0]}}", 1, ""),
        (f"{SPEAKING} > /dev/full", 1, "error: No space left on device.\n"),
        (f"{SPEAKING} >&-", 0, ""),
        (f"PYTHONIOENCODING=ascii {SPEAKING} > /dev/null", 0, ""),
        (REFUSED, 2, "error: no. See  --help.\n"),
        (f"{REFUSED} 2>&-", 2, ""),
    ],
)
def test_command_whose_output_goes_nowhere_ends_without_a_word_of_python(
    shell: str, code: int, said: str
) -> None:
    done = subprocess.run(
        ["bash", "-c", shell],
        cwd=REPOSITORY,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == said
    assert done.returncode == code
