import pytest

from backtests.report.folder import write_folder


def test_write_folder_name_taken_adds_a_number(tmp_path):
    first = write_folder(tmp_path, "run", {"a.txt": "1"})
    second = write_folder(tmp_path, "run", {"a.txt": "2"})
    assert [path.name for path in (first, second)] == ["run", "run-2"]
    assert (first / "a.txt").read_text() == "1"


def test_write_folder_failing_half_way_leaves_nothing(tmp_path):
    with pytest.raises(TypeError):
        write_folder(tmp_path, "run", {"a.txt": "fine", "b.txt": None})
    assert list(tmp_path.iterdir()) == []


def test_write_folder_text_is_written_as_it_is(tmp_path):
    folder = write_folder(tmp_path, "run", {"a.csv": "a\r\nb\n"})
    assert (folder / "a.csv").read_bytes() == b"a\r\nb\n"
    assert folder.stat().st_mode & 0o755 == 0o755
