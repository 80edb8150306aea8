import re
import tomllib

import pytest

from benchmarks.kept import Kept
from benchmarks.rows import WANTED, rows_table
from docs.readme import MEASURED, README, RUNS, part, printed_run


@pytest.mark.parametrize(("name", "asset"), RUNS.items())
def test_readme_run_is_what_the_program_prints(name, asset, shared_data):
    text = part(README.read_text(encoding="utf-8"), name)
    assert text == printed_run(asset, shared_data / "deep")


@pytest.mark.parametrize(
    ("name", "file", "peer"), [("speed", "sweep.md", "vectorbt"), ("twin", "twin.md", "ETH")]
)
def test_readme_speed_is_the_table_last_measured(name, file, peer):
    found = part(README.read_text(encoding="utf-8"), name)
    assert found.strip() == (MEASURED / file).read_text(encoding="utf-8").strip()
    table = [line.strip("|").split("|") for line in found.splitlines() if line.startswith("|")]
    assert {len(cells) for cells in table} == {5}
    assert peer in table[2][0]
    for cells in table[2:]:
        assert all(re.fullmatch(r" [\d,.e+-]+x? ", cell) for cell in cells[1:]), cells


def test_readme_rows_are_the_table_last_written():
    found = part(README.read_text(encoding="utf-8"), "rows")
    assert found.strip() == (MEASURED / "rows.md").read_text(encoding="utf-8").strip()


def test_rows_of_several_figures_count_the_worst_and_say_why_it_is_missed():
    shared = {"unit": "per second", "before": "7", "file": "work", "reason": "It is slow."}
    rows = [
        {"work": "all", "at_least": 100, "figures": ["a", "b"], **shared},
        {"work": "one", "at_least": 100, "figures": ["a"], **shared},
        {"work": "memory", "at_most": 1.5, "figures": ["c"], **shared},
        {"work": "more", "at_most": 1.5, "figures": ["d"], **shared},
    ]
    kept = {"work": Kept("python -m x", 0.5, {"a": 123_456.0, "b": 99.0, "c": 1.44})}
    shown = [line.split(" | ") for line in rows_table(rows, kept).splitlines()]
    assert [cells[3:] for cells in shown[2:6]] == [
        ["99", "It is slow. |"],
        ["123,000", "reached |"],
        ["1.4", "reached |"],
        ["not measured", " |"],
    ]


def test_rows_wanted_have_a_bound_and_a_reason_each():
    rows = tomllib.loads(WANTED.read_text(encoding="utf-8"))["row"]
    for row in rows:
        assert ("at_least" in row) != ("at_most" in row)
        assert row["reason"].endswith(".")
        assert row["figures"]
