"""What pages show of a user's own code: marks, reasons, the rule in words, its digest, leaks."""

from pathlib import Path

import numpy as np
import pytest

import backtests as bt
from backtests.analysis.run_figures import summarise
from backtests.engines.backtest import Run
from backtests.records.run_files import own_code
from backtests.report.charts.hover_text import session_states
from backtests.report.charts.index_price import index_panel
from backtests.report.terminal.run import show
from backtests.report.words.prose import control_in_words, rule_in_words
from backtests.today import main
from feeds.errors import ConfigError

PLUGIN = '''\
from backtests import exit, signal, sizing


@signal("up_day")
def up_day(index, *, least: float = 0.01):
    """Fire on a day of a strong rise."""
    return index["close"].pct_change() > least


@signal("tomorrow")
def tomorrow(index):
    """Fire before a day of a rise: a leak."""
    return index["close"].pct_change().shift(-1) > 0


@exit("red_week")
def red_week(coin, *, days: int = 7):
    """Leave after a week of loss."""
    return coin["close"] < 0.9 * coin["close"].shift(days)


@sizing("half")
def half(coin, *, share: float = 0.5):
    """Hold half."""
    return 0 * coin["close"] + share
'''


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    file = tmp_path / "rules.py"
    file.write_text(PLUGIN)
    return file


def run_with(plugin: Path, **settings: object) -> bt.Result:
    """Return a short run of the sample with the plug-in."""
    given = {"source": "sample", "start": "2023-01-01", "plugins": [str(plugin)], **settings}
    return bt.backtest("ETH", **given)


def index_traces(run: Run) -> dict[str, dict]:
    return {one["name"]: one for one in index_panel(run, summarise(run))["data"]}


def test_index_chart_marks_each_own_signal_in_a_colour_of_its_own(plugin: Path) -> None:
    run = run_with(plugin, trigger=["up_day", "tomorrow"]).run
    traces = index_traces(run)
    sessions = run.market.traded_sessions
    for name in ("up_day", "tomorrow"):
        trace = traces[f"Signal {name.replace('_', ' ')}"]
        assert len(trace["x"]) == run.market.signals.own[name][sessions].sum() > 5
    others = [one["marker"] for name, one in traces.items() if "marker" in one]
    looks = {(one["color"], one["symbol"]) for one in others}
    assert len(looks) == len(others)


def test_control_of_own_signals_says_that_their_parameters_stay(plugin: Path) -> None:
    said = "read the coin's bars, their parameters as they are"
    own = control_in_words(run_with(plugin, trigger="up_day").run)
    assert said in own
    assert "days for a session" not in own
    both = control_in_words(run_with(plugin, trigger=["up_day", "new_high"]).run)
    assert said in both
    assert "1.45 days for a session (base 87 days" in both
    assert said not in control_in_words(run_with(plugin).run)


def test_index_chart_of_built_in_signals_has_no_own_marks() -> None:
    run = bt.backtest("ETH", source="sample", start="2024-01-01").run
    assert not [name for name in index_traces(run) if name.startswith("Signal ")]


def test_session_states_name_the_own_signals_that_fire(plugin: Path) -> None:
    signals = run_with(plugin, trigger="up_day").run.market.signals
    states = np.array(session_states(signals, []))
    fires = signals.own["up_day"]
    assert all("signal up day" in state for state in states[fires])
    assert not any("signal up day" in state for state in states[~fires])


def test_rule_in_words_names_own_signal_exit_and_sizing(plugin: Path) -> None:
    run = run_with(plugin, trigger="up_day", exits=["red_week"], mode="half", max_weight=0.4).run
    said = " ".join(rule_in_words(run))
    assert "gives the signal up day (least 0.01)" in said
    assert "Leave when the exit red week (days 7) asks for it." in said
    assert "Stake: as half (share 0.5) says, at most 40.0 % of equity." in said


def test_rule_in_words_says_that_a_strategy_of_ones_own_decides(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("from strategies.position_rule import step as mine\n")
    run = bt.backtest("ETH", source="sample", start="2024-01-01", strategy=f"{file}:mine").run
    assert rule_in_words(run)[0].startswith("mine of mine.py decides when to buy and sell.")


def test_tearsheet_shows_own_code_with_its_digest(plugin: Path, tmp_path: Path) -> None:
    beside = tmp_path / "rises.py"
    beside.write_text("LEAST = 0.01\n")
    plugin.write_text(f"from rises import LEAST\n{PLUGIN.replace('= 0.01', '= LEAST')}")
    result = run_with(plugin, trigger="up_day")
    page = result.tearsheet(tmp_path / "page.html").read_text(encoding="utf-8")
    (row,) = own_code(result.config)
    assert "Code from outside the package" in page
    assert row["sha256"] in page
    assert row["files"][str(beside)] in page
    assert ".../rises.py" in page
    assert ".../rules.py" in page
    assert str(plugin) not in page
    assert 'class="grave"' not in page
    plain = bt.backtest("ETH", source="sample", start="2024-01-01")
    text = plain.tearsheet(tmp_path / "plain.html").read_text(encoding="utf-8")
    assert "Code from outside the package" not in text


def test_leak_stands_above_all_else_on_page_and_terminal(
    plugin: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run_with(plugin, trigger="tomorrow")
    assert result.warnings[0].startswith("LOOK-AHEAD: the signal tomorrow sees the future of RUT")
    page = result.tearsheet(tmp_path / "page.html").read_text(encoding="utf-8")
    assert '<p class="grave">LOOK-AHEAD' in page
    assert page.index('class="grave"') < page.index("<h1>")
    show(result.run, result.summary, result.judgement, folder=tmp_path)
    assert capsys.readouterr().out.startswith("WARNING  LOOK-AHEAD: the signal tomorrow")


def test_leak_stands_above_a_study_of_its_event(plugin: Path, tmp_path: Path) -> None:
    found = bt.study("tomorrow", asset="ETH", source="sample", draws=100, plugins=[str(plugin)])
    (leak,) = found.study.leaks
    assert leak.startswith("LOOK-AHEAD: the signal tomorrow")
    page = found.page(tmp_path / "study.html").read_text(encoding="utf-8")
    assert page.index('class="grave"') < page.index("<h1>")
    clean = bt.study("up_day", asset="ETH", source="sample", draws=100, plugins=[str(plugin)])
    assert clean.study.leaks == ()


def test_plugin_that_no_setting_names_is_warned_about(plugin: Path) -> None:
    said = run_with(plugin).warnings
    assert any("UNUSED PLUG-IN: rules.py has the signal up_day" in text for text in said)
    used = run_with(plugin, trigger="up_day").warnings
    assert not any("UNUSED PLUG-IN" in text for text in used)


def test_name_of_no_loaded_function_is_refused_with_the_way_to_load_one(plugin: Path) -> None:
    with pytest.raises(ConfigError, match="needs its file: --plugin FILE, or `plugins`"):
        bt.load_config("eth", trigger="zigzag")
    with pytest.raises(ConfigError, match="`signal.up_dai` is not .* nearest is `signal.up_day`"):
        bt.load_config("eth", plugins=[str(plugin)], signal={"up_dai": {"least": 0.1}})


def test_leak_of_a_signal_that_an_axis_names_is_warned_about(plugin: Path) -> None:
    given = {"source": "sample", "start": "2024-01-01", "plugins": [str(plugin)]}
    found = bt.sweep("ETH", {"rules.trigger": ["new_high", "tomorrow"]}, **given)
    assert found.warnings[0].startswith("LOOK-AHEAD: the signal tomorrow")
    clean = bt.sweep("ETH", {"rules.trigger": ["new_high", "up_day"]}, **given)
    assert not any("LOOK-AHEAD" in text for text in clean.warnings)


def test_leak_stands_above_the_answer_of_an_evening(
    plugin: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--asset", "ETH", "--source", "sample", "--end", "2025-12-01"]
    own = ["--plugin", str(plugin), "--set"]
    main([*arguments, *own, "rules.trigger=tomorrow"])
    assert capsys.readouterr().out.startswith("WARNING  LOOK-AHEAD: the signal tomorrow")
    main([*arguments, *own, "rules.trigger=up_day"])
    assert "LOOK-AHEAD" not in capsys.readouterr().out
