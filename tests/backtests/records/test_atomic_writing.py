import errno
from pathlib import Path

import pytest

from backtests.records.atomic_writing import write_folder, write_page
from feeds.folders import write_whole


def test_write_folder_name_taken_adds_a_number(tmp_path):
    first = write_folder(tmp_path, "run", {"a.txt": "1"})
    second = write_folder(tmp_path, "run", {"a.txt": "2"})
    assert [path.name for path in (first, second)] == ["run", "run-2"]
    assert (first / "a.txt").read_text() == "1"


def test_write_folder_failing_half_way_leaves_nothing(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_folder(tmp_path, "run", {"a.txt": "fine", "no/such.txt": "folder"})
    assert list(tmp_path.iterdir()) == []


def test_write_folder_text_is_written_as_it_is(tmp_path):
    folder = write_folder(tmp_path, "run", {"a.csv": "a\r\nb\n"})
    assert (folder / "a.csv").read_bytes() == b"a\r\nb\n"
    assert folder.stat().st_mode & 0o755 == 0o755


@pytest.mark.parametrize(
    "write",
    [
        lambda out: write_folder(out, "run", {"a.txt": "x" * 2_500_000}),
        lambda out: write_page(out / "index.html", "x" * 2_500_000),
        lambda out: write_whole(out / "table", b"x" * 2_500_000),
    ],
    ids=["folder", "page", "file"],
)
def test_full_disk_says_where_and_how_much_and_leaves_nothing(write, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match=r"the disk is full: .* has no room for 2\.5 MB, [\d.,]+ MB"):
        write(tmp_path)
    assert list(tmp_path.iterdir()) == []
