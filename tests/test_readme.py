from docs.readme import README, claims, filled, part


def test_readme_generated_parts_are_what_the_program_prints():
    text = README.read_text(encoding="utf-8")
    assert filled(text) == text


def test_readme_table_of_claims_is_what_the_real_bars_say(shared_data):
    assert part(README.read_text(encoding="utf-8"), "claims") == claims(shared_data)
