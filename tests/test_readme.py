from docs.readme import README, filled


def test_readme_generated_parts_are_what_the_program_prints():
    text = README.read_text(encoding="utf-8")
    assert filled(text) == text
