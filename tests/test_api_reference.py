"""docs/api.md is what the docstrings and settings say now, and can be found."""

import backtests as bt
from docs.api import PAGE, reference

ROOT = PAGE.parents[1]


def test_reference_is_what_docstrings_and_settings_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), "run `python -m docs.api`"


def test_reference_has_every_public_name_with_an_example() -> None:
    sections = PAGE.read_text(encoding="utf-8").split("\n### ")
    by_name = {section.partition("\n")[0]: section for section in sections}
    assert [name for name in bt.__all__ if ">>> " not in by_name[name]] == []


def test_reference_leaves_no_setting_without_what_it_may_be() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert "a section |" not in text
    for row in (
        "| `filters` | one of 'all', 'any' | `\"all\"` |",
        "| `statement` | text | needed |",
    ):
        assert row in text


def test_reference_is_linked_from_readme_and_architecture() -> None:
    assert "(docs/api.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "(api.md)" in (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
