import re

from docs.readme import README, SPEED, filled, part


def test_readme_generated_parts_are_what_the_program_prints():
    text = README.read_text(encoding="utf-8")
    assert filled(text) == text


def test_readme_speed_is_the_table_last_measured():
    found = part(README.read_text(encoding="utf-8"), "speed")
    assert found.strip() == SPEED.read_text(encoding="utf-8").strip()
    table = [line.strip("|").split("|") for line in found.splitlines() if line.startswith("|")]
    assert {len(cells) for cells in table} == {5}
    assert "vectorbt" in table[2][0]
    for cells in table[2:]:
        assert all(re.fullmatch(r" [\d,.]+x? ", cell) for cell in cells[1:]), cells
