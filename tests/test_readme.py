import re

import pytest

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
