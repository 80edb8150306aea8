"""Whatever is wrong is one line: parameter, value, remedy; exit code 2, and nothing written."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from backtests.__main__ import COMMANDS, main
from feeds.read import main as read
from tests.bad_inputs import RUNNING, SPELLINGS, Case, Kit, all_cases

SEED = 11
REPOSITORY = Path(__file__).parents[1]
REMEDY = re.compile(
    r"must be|must not|must name|nearest|mean|takes|needs|Needed|There are|holds|is served|exclude|"
    r"Save|Convert|Write|Give|Leave|Choose|Use|Download|Correct|[Rr]emove|Put|Make|Take|Add|Start|"
    r"See|Set|is like|Name|Bring|Drop|Keep"
)


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Kit:
    return Kit(tmp_path_factory.mktemp("bad"), SEED)


def run(command: str, *arguments: str) -> int:
    if command == "read":
        return read(arguments)
    return main([command, *arguments])


def complaint(case: Case, capsys: pytest.CaptureFixture[str], out: Path) -> str:
    """Return what is wrong with the refusal of a case; empty where it is right."""
    place = () if any(a.startswith("--out") for a in case.arguments) else ("--out", str(out))
    if case.command not in RUNNING or "--resume" in case.arguments:
        place = ()
    try:
        code = run(case.command, *case.arguments, *place)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a traceback is the finding
        capsys.readouterr()
        return f"{type(error).__name__}: {error}"
    shown = capsys.readouterr()
    line = shown.err
    faults = [
        *([f"exit code {code}"] if code != 2 else []),
        *(["wrote something"] if out.exists() else []),
        *(["something on stdout"] if shown.out else []),
        *(["not one line"] if not (line.startswith("error: ") and line.count("\n") == 1) else []),
        *([f"says {said[0]}"] if (said := re.search(SPELLINGS, line)) else []),
        *([f"does not name {case.named}"] if case.named not in line else []),
        *(["no remedy"] if not REMEDY.search(line) else []),
        *(["too long"] if len(line) > 2_100 else []),
    ]
    return f"{'; '.join(faults)}: {line[:300]}" if faults else ""


def test_bad_inputs_of_every_kind_are_refused_in_one_useful_line(
    kit: Kit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = all_cases(kit)
    assert len(cases) >= 400
    assert COMMANDS.keys() <= {case.command for case in cases}
    found = [
        (case, complaint(case, capsys, tmp_path / f"out{number}"))
        for number, case in enumerate(cases)
    ]
    wrong = [f"{case}: {fault}" for case, fault in found if fault]
    assert not wrong, f"{len(wrong)} of {len(cases)}:\n" + "\n".join(wrong)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("run", "--config", "/"), b"`--config` /"),
        (("study", "--claim", b"caf\xe9"), b"`--claim` 'caf\\udce9'"),
        (("walkforward", "--asset=\x1b[2J"), b"`asset`"),
        (("compare", b"--out=/\xff"), b"`--out`"),
    ],
)
def test_bad_inputs_on_a_real_command_line_end_the_same(
    arguments: tuple[str | bytes, ...], named: bytes, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "backtests", *arguments],
        cwd=tmp_path,
        env={"PYTHONPATH": str(REPOSITORY), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"error: ")
    assert named in done.stderr
    assert done.stderr.count(b"\n") == 1
    assert not list(tmp_path.iterdir())
