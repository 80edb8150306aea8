"""The package as a stranger has it: a wheel in an environment of its own, run from any folder."""

import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from backtests.__main__ import COMMANDS, SHELLS, main
from feeds.commands import missing_extra

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel without network from the files that would be shipped."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\n")  # fmt: skip
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    build = "from setuptools.build_meta import build_wheel; import sys; build_wheel(sys.argv[1])"
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", build, str(built)],
        cwd=source, capture_output=True, check=True,
    )  # fmt: skip
    return next(built.glob("*.whl"))


@pytest.fixture(scope="module")
def russell(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into a fresh environment that borrows the libraries of this one."""
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, with_pip=False)
    site = home / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    borrowed = [path for path in sys.path if path.endswith("site-packages")]
    (site / "borrowed.pth").write_text("\n".join([sysconfig.get_path("purelib"), *borrowed]))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    command = home / "bin" / "russell"
    entry = "import sys; from backtests.__main__ import main; sys.exit(main())"
    command.write_text(f"#!{home}/bin/python\n{entry}\n")
    command.chmod(0o755)
    return command


def test_wheel_holds_presets_templates_sample_and_the_command(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    shipped = [
        *(ROOT / "configs").rglob("*.toml"),
        *(ROOT / "backtests").rglob("templates/*"),
        *(ROOT / "feeds").rglob("*.csv"),
        *(
            path
            for room in ("backtests", "feeds", "strategies")
            for path in ROOT.glob(f"{room}/**/*.py")
        ),
    ]
    missing = {path.relative_to(ROOT).as_posix() for path in shipped} - names
    assert not missing
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/", "docs/"))]
    entry = next(name for name in names if name.endswith("entry_points.txt"))
    assert b"russell = backtests.__main__:main" in zipfile.ZipFile(wheel).read(entry)


def test_installed_command_runs_a_preset_from_any_folder(russell: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [russell, "run", "--config", "claims/new-high-eth", "--source", "sample", "--quiet",
         "--start", "2023-01-01", "--set", "significance.draws=100"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "results").iterdir()
    assert (folder / "tearsheet.html").is_file()
    assert "import backtests" not in done.stderr


def test_installed_command_speaks_of_itself(russell: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [russell, "run", "--set", "no.such=1"], cwd=tmp_path, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "python -m" not in done.stderr
    helped = subprocess.run(
        [russell, "run", "--help"], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert "usage: russell run" in helped
    assert "python -m" not in helped


@pytest.mark.parametrize("command", COMMANDS)
def test_command_prints_its_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert "usage:" in capsys.readouterr().out


def test_misspelt_command_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweeep"]) == 2
    assert "Did you mean sweep?" in capsys.readouterr().err


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_knows_commands_and_options(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "walkforward" in script
    assert "train-days" in script


def test_missing_library_names_its_extra() -> None:
    assert "pip install 'russell-risk-on[sweep]'" in missing_extra("numba.core")
    assert missing_extra("a_library_of_nobody") == ""
