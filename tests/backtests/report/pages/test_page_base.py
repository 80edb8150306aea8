"""What pages keep between commands changes nothing but how long they take."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from backtests.report.pages import page_base


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """An empty place for what is kept, and nothing remembered in this process."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    forget()
    yield tmp_path / "russell-risk-on" / "pages"
    forget()


def forget() -> None:
    page_base._environment.cache_clear()
    page_base.plotly_payload.cache_clear()


def template_code(name: str = "tables.html.j2") -> str:
    module = page_base._environment().get_template(name).module
    return str(module.table("Name", ("One", "Two"), [("a", "b")]))


def test_library_is_compressed_once_and_is_then_the_same(fresh: Path) -> None:
    first = page_base.plotly_payload()
    (kept,) = (path for path in fresh.iterdir() if path.is_file())
    os.utime(kept, (0, 0))
    forget()
    assert page_base.plotly_payload() == first
    assert kept.stat().st_mtime == 0


def test_template_is_compiled_once_and_renders_the_same(
    fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = template_code()
    forget()
    environment = page_base._environment()
    monkeypatch.setattr(environment, "_generate", None)  # compiling would fail
    assert template_code() == first


def test_template_with_another_text_is_compiled_anew(
    fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    template_code()
    forget()
    read = page_base._read
    monkeypatch.setattr(
        page_base, "_read", lambda name: read(name).replace("<table", "<table hidden")
    )
    assert "<table hidden" in template_code()


def test_page_stands_where_nothing_can_be_kept(
    fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, payload = template_code(), page_base.plotly_payload()
    forget()
    fresh.parent.parent.joinpath("file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(fresh.parent.parent / "file"))
    assert template_code() == first
    assert page_base.plotly_payload() == payload
