"""What people read: guides, pages, sentences and errors, held to `docs/writing.md`."""

import ast
import functools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SKIPPED = {"api.md", "writing.md"}  # from docstrings; names the habits
HABITS = {
    "a sentence that begins with That": r"(?:^|[.;:!?] )That [a-z]",
    "a rate without per": r"\d(?: ?%)? an? (?:year|day|month|bar|session|hour|week|trial|worker)\b",
    "no space before percent": r"\d%(?![a-zA-Z0-9({])",
    "filler": r"\b(?:very(?! large)|simply|just|obviously|clearly|basically|actually|really"
    r"|quite|please|lately|utili[sz]e|of course|in order to|note that)\b",
    "a contraction": r"\b\w+(?:n't|'re|'ll|'ve)\b|\b[Ii]t's\b",
    "a hyphen for a minus": r"(?<![\w-])-\d+(?:\.\d+)? ?%",
}
LONGEST = 50  # words


def guides():
    """Return the paragraphs of README and guides, without code and generated parts."""
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        if path.name in SKIPPED:
            continue
        text = path.read_text(encoding="utf-8")
        text = re.sub(
            r"```.*?```|^(?: {4}|\t).*$|`[^`]*`", "x", text, flags=re.DOTALL | re.MULTILINE
        )
        for paragraph in re.split(r"\n\s*\n|\n(?=[-|#*\d])", text):
            yield path.name, paragraph.replace("\n", " ")


def pages():
    """Return the texts of the templates."""
    for path in sorted((ROOT / "backtests" / "report" / "templates").glob("*.j2")):
        text = re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        for found in re.findall(r'>([^<>{}]{3,}?)<|"([^"{}<>]{15,})"', text):
            yield path.name, "".join(found)


def sentences_of_code():
    """Return the texts of the program that are no docstrings: sentences, errors, help."""
    for room in ("backtests", "feeds", "strategies"):
        for path in sorted((ROOT / room).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            docs = {
                id(node.body[0].value)
                for node in ast.walk(tree)
                if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
                and node.body
                and isinstance(node.body[0], ast.Expr)
            }
            for node in ast.walk(tree):
                is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
                if is_text and id(node) not in docs and " " in node.value:
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node.value


@functools.cache
def texts():
    return [*guides(), *pages(), *sentences_of_code()]


@pytest.mark.parametrize("habit", HABITS)
def test_texts_are_free_of_our_worst_habits(habit):
    read = texts()
    assert len(read) > 2_000
    found = [
        (place, text[max(0, match.start() - 30) : match.end() + 30])
        for place, text in read
        for match in re.finditer(HABITS[habit], text)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("habit", "text"),
    [
        ("a sentence that begins with That", "It fell. That is all."),
        ("a rate without per", "made 43.8 % a year"),
        ("no space before percent", "made 5% more"),
        ("filler", "a very small effect"),
        ("a contraction", "it doesn't follow"),
        ("a hyphen for a minus", "fell by -5.0 %"),
    ],
)
def test_habits_are_recognised(habit, text):
    assert re.search(HABITS[habit], text)


def test_sentences_can_be_read_in_one_breath():
    long = [
        (place, sentence[:80])
        for place, text in (*guides(), *pages())
        if "|" not in text
        for sentence in re.split(r"(?<=[.!?]) ", text)
        if len(re.findall(r"[\w'.-]+", sentence)) > LONGEST
    ]
    assert long == []
