"""The house as a whole: one name for one thing, and modules a reader can hold in mind."""

import ast
import functools
import re
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from tests.conftest import ORDER, place_in_order

ROOT = Path(__file__).parents[1]
ROOMS = ("feeds", "strategies", "backtests")
MODULES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
LONGEST = 300
WORDS = ROOT / "docs" / "glossary.md"
# participles whose verb looks the same, and names of the field that only look like one
NOT_PARTICIPLES = {"fred", "feed", "speed", "need", "read", "put", "cut", "set", "run"}
IRREGULAR = {"kept", "shown", "held", "drawn", "taken", "written", "said", "known", "given", "sold"}
IRREGULAR |= {"bought", "told", "chosen", "spent", "lost", "led", "begun"}


@functools.cache
def trees():
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in MODULES}


def test_classes_have_names_of_their_own():
    places = defaultdict(list)
    for path, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(str(path.relative_to(ROOT)))
    assert len(places) > 200
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_modules_are_not_longer_than_can_be_read_at_once():
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {str(path): size for path, size in lengths.items() if size > LONGEST} == {}


def test_order_of_the_suite_names_files_that_are_there():
    tests = [str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("test_*.py")]
    assert {place_in_order(name) for name in tests} == set(range(len(ORDER)))
    first = min(tests, key=place_in_order)
    assert [name for name in tests if place_in_order(name) == 0] == [first]


def test_modules_are_not_named_like_those_of_the_standard_library():
    own = {path.stem for path in MODULES} - {"__init__", "__main__"}
    # heard of by nobody, and not to be confused: they stand in folders of their own
    known = {"calendar", "copy", "fractions", "html", "inspect", "io", "json", "logging", "queue"}
    known |= {"format", "random", "re", "select", "signal", "statistics", "string", "time", "types"}
    assert own & (known & set(sys.stdlib_module_names) | {"format", "pandas", "numpy"}) == set()


def test_functions_of_modules_are_no_bare_participles():
    found = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path, tree in trees().items()
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and is_participle(node.name.strip("_"))
    ]
    assert found == []


def test_methods_are_no_bare_participles():
    found = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path, tree in trees().items()
        if path.parent.name != "claims"
        for owner in ast.walk(tree)
        if isinstance(owner, ast.ClassDef)
        for node in owner.body
        if isinstance(node, ast.FunctionDef) and is_participle(node.name.strip("_"))
        # a property is a quality or a quantity, and may be named by an adjective
        if not any("property" in ast.unparse(each) for each in node.decorator_list)
    ]
    assert found == []


def test_numbers_for_people_get_their_sign_and_percent_in_one_place():
    """A "+" or "%" in a format would write a hyphen for a minus, or no space before "%"."""
    form = re.compile(r"\{[^{}]*:(\+[,.\d]*[f%]|[,.\d]*%)\}")
    found = [
        f"{path.relative_to(ROOT)}: {place[0]}"
        for path in MODULES
        for place in form.finditer(path.read_text(encoding="utf-8"))
        if path.parent.name != "claims"  # its figures stand in files for machines
    ]
    assert form.search('f"{share:+.0%}"')
    assert found == []


def is_participle(name: str) -> bool:
    if "_" in name or name in NOT_PARTICIPLES:
        return False
    return name.endswith("ed") or name in IRREGULAR


def test_glossary_is_sorted_and_explains_every_word_once():
    rows = re.findall(r"^\| ([a-z][a-z -]+) \| (.+) \|$", WORDS.read_text(encoding="utf-8"), re.M)
    words = [word for word, _ in rows if word != "word"]
    assert len(words) > 40
    assert words == sorted(set(words))


@pytest.mark.parametrize("page", ["docs/architecture.md", "README.md", "docs/extending.md"])
def test_pages_name_files_that_are_there(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:feeds|strategies|backtests|docs|tests)/[\w/.]*)`", text))
    assert named
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
