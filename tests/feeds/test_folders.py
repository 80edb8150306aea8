"""Where the cache is, and that no place for it stops nothing."""

import subprocess
import sys

import pytest

from feeds.folders import FOLDER_VARIABLE, cache_folder


@pytest.fixture
def file(tmp_path, monkeypatch):
    """A file, below which no folder can be made, also not by the superuser."""
    monkeypatch.delenv(FOLDER_VARIABLE)
    path = tmp_path / "file"
    path.write_text("")
    return path


def test_cache_folder_is_as_configured_then_the_variable_then_the_usual_place(
    tmp_path, monkeypatch
):
    assert cache_folder("some/where").as_posix() == "some/where"
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "variable"))
    assert cache_folder() == tmp_path / "variable"
    monkeypatch.delenv(FOLDER_VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "russell-risk-on"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_folder() == tmp_path / "home" / ".cache" / "russell-risk-on"


@pytest.mark.parametrize("variable", ["XDG_CACHE_HOME", "HOME"])
def test_cache_folder_without_a_place_is_one_of_this_process(file, monkeypatch, variable, caplog):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv(variable, str(file / "below"))
    folder = cache_folder()
    assert folder.is_dir()
    assert folder == cache_folder()
    assert folder.stat().st_mode & 0o77 == 0
    assert "is kept for this command only. Set RUSSELL_CACHE_DIR" in caplog.text


def test_cache_folder_that_was_named_stays_though_it_cannot_be_made(file):
    assert cache_folder(str(file / "below")) == file / "below"


def test_cache_folder_of_an_unknown_user_is_taken_as_it_stands():
    assert cache_folder("~nosuchuser/x").as_posix() == "~nosuchuser/x"


def test_cache_folder_of_a_process_goes_with_it(file, tmp_path):
    code = "from feeds.folders import cache_folder; print(cache_folder())"
    environment = {"HOME": str(file / "below"), "TMPDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True)
    assert list(tmp_path.iterdir()) == [file]
