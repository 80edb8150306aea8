"""What `list` prints of what a config can name."""

from pathlib import Path

import pytest

from backtests.config.config import Config
from backtests.config.explain_errors import default_text, said_of
from backtests.list import KINDS, WIDTH, main
from strategies.registry import entries

PLUGIN = '''\
from backtests import exit


@exit("late")
def late(coin, vix, *, days: int, level: float = 0.5, hard: bool = False):
    """Leave late."""
    return coin["close"] < 0
'''


def test_list_of_built_in_names_says_each_setting_with_its_range_and_default(capsys) -> None:
    assert main([]) == 0
    printed = capsys.readouterr().out
    assert "signal.tolerance: a number at least 0 and below 1, default 0.02\n" in printed
    assert 'signal.lookback: a whole number from 1 to 10000, or "all", default "all"\n' in printed
    assert "filters.ANY_NAME.window: a whole number" in printed
    assert max(map(len, printed.splitlines())) <= WIDTH
    for kind, _ in KINDS.values():
        assert all(f"\n  {name}: " in printed for name in entries(kind))


def test_list_of_a_plugin_says_what_its_parameters_may_be(tmp_path: Path, capsys) -> None:
    file = tmp_path / "late.py"
    file.write_text(PLUGIN)
    assert main(["exits", "--plugin", str(file)]) == 0
    printed = capsys.readouterr().out
    assert "  late (late.py): Leave late.\n" in printed
    assert "rules.late.days: a whole number, needed\n" in printed
    assert "rules.late.level: a number, default 0.5\n" in printed
    assert "rules.late.hard: true or false, default false\n" in printed
    assert "reads vix as well\n" in printed
    assert "sizings" not in printed


def test_list_of_an_unknown_kind_names_the_nearest(capsys) -> None:
    assert main(["signal"]) == 2
    assert "The nearest is 'signals'" in capsys.readouterr().err.replace("`", "'")


@pytest.mark.parametrize("kind", ["signal", "filter", "exit", "sizing", "weighting", "selection"])
def test_built_in_settings_are_settings_of_the_config(kind) -> None:
    for entry in entries(kind).values():
        assert all("default" in said_of(key, Config) for key in entry.settings)


def test_default_of_a_section_that_may_be_left_out_is_none() -> None:
    assert default_text(Config.model_fields["claim"]) == "none"
    with pytest.raises(ValueError, match="no setting 'signal.nothing'"):
        said_of("signal.nothing", Config)
