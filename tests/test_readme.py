import re
import tomllib

import pytest

from benchmarks.kept import Kept
from benchmarks.rows import WANTED, rows_table
from docs.readme import MEASURED, README, RUNS, SPEED, part, printed_run


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


@pytest.mark.parametrize(("page", "name"), [(README, "rows"), (SPEED, "work")])
def test_page_has_the_table_last_written(page, name):
    found = part(page.read_text(encoding="utf-8"), name)
    assert found.strip() == (MEASURED / f"{name}.md").read_text(encoding="utf-8").strip()


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
        ["99", "", "", "It is slow. |"],
        ["123,000", "", "", "reached |"],
        ["1.4", "", "", "reached |"],
        ["not measured", "", "", " |"],
    ]


def test_rows_are_held_to_ratios_measured_in_the_same_run():
    core = {"unit": "per second of a core", "before": "7", "file": "work", "reason": "Slow."}
    clock = core | {"unit": "per second of two cores", "file": "sweep"}
    whole = {"unit": "s", "before": "2.7", "file": "commands", "reason": "Slow."}
    rows = [
        {"work": "a", "at_least": 410_000, "figures": ["a"], **core},
        {"work": "b", "at_least": 820_000, "figures": ["b"], **clock},
        {"work": "c", "at_most": 1.8, "figures": ["c"], **whole},
    ]
    kept = {
        "work": Kept("w", 0.5, {"a": 50_000.0, "a, plain rule beside": 100_000.0}),
        "sweep": Kept(
            "s",
            0.5,
            {
                "sweep, no stops, 11 figures": 200_000.0,
                "raptorbt 1": 1_000.0,
                "raptorbt 1, all processors": 2_000.0,
                "b": 190_000.0,
            },
        ),
        "commands": Kept("c", 0.5, {"c": 3.0, "c, before": 6.0}),
    }
    shown = [line.split(" | ")[3:] for line in rows_table(rows, kept).splitlines()[2:5]]
    # half of the plain rule, which makes 200 times what raptorbt does on one core
    assert shown[0] == ["50,000", "100x raptorbt", "100x raptorbt", "reached as a ratio. Slow. |"]
    assert shown[1] == ["190,000", "100x raptorbt", "95x raptorbt", "Slow. |"]
    assert shown[2] == ["3", "0.67 of before", "0.50 of before", "reached as a ratio. Slow. |"]


def test_rows_wanted_have_a_bound_and_a_reason_each():
    rows = tomllib.loads(WANTED.read_text(encoding="utf-8"))["row"]
    for row in rows:
        assert ("at_least" in row) != ("at_most" in row)
        assert row["reason"].endswith(".")
        assert row["figures"]
