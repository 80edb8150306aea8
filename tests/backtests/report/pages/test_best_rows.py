"""The best rows of a sweep: equal trials are one row, and it says what mattered."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtests.report.pages.best_table import best_table, robustness
from backtests.report.words import notation as written
from backtests.report.words.labels import list_words, names
from backtests.search.outcomes import Outcome, best_outcomes
from backtests.search.parameter_space import value_text
from backtests.search.plan import load_plan
from backtests.search.rows import table_of
from backtests.search.store import Store, create
from backtests.search.trials.evaluate import Evaluated
from backtests.search.trials.kernel import FIGURES

SWEEP = """
[sweep]
chunk = 7
objective = "{objective}"
"signal.lookback" = [20, 63, "all"]
"rules.trigger" = ["new_high", "breakout", "any"]
"rules.exit_on_support_lost" = [true, false]
"rules.stop_loss" = [0.0, 0.1, 0.2, 0.3, 0.4]
"""
DRAWS = """
[sweep]
search = "random"
trials = 90
chunk = 7
"rules.stop_loss" = {from = 0.1, to = 0.3}
"rules.hold_days" = {from = 10, to = 99}
"""


def stored(folder: Path, values: np.ndarray, *, sweep: str = SWEEP, objective: str) -> Store:
    """Return a store in which every figure of trial t is `values[t]`."""
    file = folder / "sweep.toml"
    file.write_text(sweep.replace("{objective}", objective))
    plan = load_plan(file)
    store = create(folder, plan, bars=())
    for chunk in range(plan.chunks):
        first, stop = plan.bounds(chunk)
        figures = np.repeat(values[first:stop, None], len(FIGURES), axis=1)
        evaluated = Evaluated(figures, [None] * (stop - first))
        store.write(chunk, table_of(plan, chunk, plan.columns(chunk), evaluated))
    return store


def by_hand(store: Store, objective: str, count: int) -> list[tuple[int, int]]:
    """Return the first trial and the number of trials of the best distinct results."""
    table = pd.concat([part.to_pandas() for _, part in store.parts(["trial", objective])])
    groups = table.dropna().groupby(objective)["trial"].agg(["min", "size"])
    return list(groups[::-1].head(count).itertuples(index=False, name=None))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("distinct", [3, 8, 60])
def test_best_outcomes_equal_those_of_the_whole_table(
    seed: int, distinct: int, tmp_path: Path
) -> None:
    rng = np.random.default_rng(seed)
    values = rng.integers(0, distinct, 90) / distinct
    values[rng.random(90) < 0.2] = np.nan
    store = stored(tmp_path, values, objective="sharpe_ratio")
    found = best_outcomes(store, count=5)
    assert [(one.trial, one.trials) for one in found] == by_hand(store, "sharpe_ratio", 5)
    for outcome in found:
        table = store.best("trial", count=90)
        same = table[table["sharpe_ratio"] == outcome.figures["sharpe_ratio"]]
        for key, taken in outcome.values.items():
            assert set(taken) == set(same[key].tolist())


def test_best_outcomes_with_one_other_figure_are_two(tmp_path: Path) -> None:
    store = stored(tmp_path, np.ones(90), objective="sharpe_ratio")
    evaluated = Evaluated(np.ones((7, len(FIGURES))), [None] * 7)
    evaluated.figures[3, FIGURES.index("trades")] = 2
    plan = store.plan
    store.write(2, table_of(plan, 2, plan.columns(2), evaluated))
    assert [(one.trial, one.trials) for one in best_outcomes(store, count=5)] == [(0, 89), (17, 1)]


def test_best_outcomes_of_nothing_defined_are_none(tmp_path: Path) -> None:
    store = stored(tmp_path, np.full(90, np.nan), objective="sharpe_ratio")
    assert best_outcomes(store, count=5) == []


def test_best_outcomes_of_draws_keep_the_ends_of_what_made_no_difference(tmp_path: Path) -> None:
    store = stored(tmp_path, np.ones(90), sweep=DRAWS, objective="")
    (found,) = best_outcomes(store, count=5)
    days = store.best("trial", count=90)["rules.hold_days"].tolist()[::-1]
    assert found.values["rules.hold_days"] == tuple(dict.fromkeys((days[0], min(days), max(days))))


def outcome(trial: int, sharpe: float, *, trials: int = 1, **values: object) -> Outcome:
    settings = {
        "signal.lookback": ("63",),
        "rules.trigger": ("new_high",),
        "rules.exit_on_support_lost": (True,),
        "rules.stop_loss": (0.1,),
    } | {key.replace("__", "."): value for key, value in values.items()}
    figures = dict.fromkeys(FIGURES, 0.25) | {"sharpe_ratio": sharpe, "max_drawdown": -0.5}
    return Outcome(trial, trials, figures, settings)  # type: ignore[arg-type]


def table_of_two(tmp_path: Path, objective: str = "sharpe_ratio"):
    plan = stored(tmp_path, np.ones(90), objective=objective).plan
    rows = [
        outcome(
            8,
            1.5,
            trials=30,
            rules__trigger=("new_high", "any"),
            rules__exit_on_support_lost=(True, False),
            rules__stop_loss=(0.0, 0.1, 0.3, 0.2),
            signal__lookback=("63", "all", "20"),
        ),
        outcome(3, 1.25),
    ]
    return best_table(plan, rows, around=np.array([1.2, np.nan]))


def test_best_table_puts_figures_first_and_writes_them_like_the_tearsheet(tmp_path: Path) -> None:
    table = table_of_two(tmp_path)
    assert [heading.text for heading in table.headings] == [
        "#", "Trial", "Same result", "Sharpe ratio", "CAGR", "Worst drawdown", "Time in market",
        "Trades", "Robustness", "lookback", "trigger", "exit on support lost", "stop loss",
    ]  # fmt: skip
    assert table.headings[-1].note == "rules.stop_loss"
    first, second = table.lines
    texts = ["1.50", "25.0 %", "\N{MINUS SIGN}50.0 %", "25.0 %", "0", "0.80"]
    assert [cell.text for cell in first.figures] == texts
    assert (second.figures[-1].text, second.figures[-1].sort) == (written.UNDEFINED, "")


def test_best_table_names_what_made_no_difference(tmp_path: Path) -> None:
    first, second = table_of_two(tmp_path).lines
    assert (first.more.text, second.more.text) == ("29 more", "")
    assert [(one.text, one.others) for one in first.settings] == [
        ("63", "or 20 or all"),
        ("new high", "or any"),
        ("yes", "or no"),
        ("0", "or 3 others"),
    ]
    assert [one.others for one in second.settings] == [""] * 4
    # by their place in the plan, so that "all" comes after the numbers
    assert [one.sort for one in first.settings] == ["1", "0", "0", "0"]


def test_best_table_of_losses_shows_a_difference(tmp_path: Path) -> None:
    plan = stored(tmp_path, np.ones(90), objective="max_drawdown").plan
    table = best_table(plan, [outcome(1, 1.0)], around=np.array([-0.6]))
    assert table.lines[0].figures[-1].text == "\N{MINUS SIGN}10.0 %"
    assert "minus the row's own" in table.robustness
    assert not table.has_equals


def test_robustness_is_a_ratio_only_above_zero() -> None:
    own, around = np.array([2.0, 0.0, -1.0]), np.array([1.0, 1.0, -2.0])
    np.testing.assert_array_equal(robustness(own, around, is_ratio=True), [0.5, np.nan, np.nan])
    np.testing.assert_array_equal(robustness(own, around, is_ratio=False), [-1.0, 1.0, -1.0])


def test_names_are_short_and_unlike() -> None:
    found = names(["asset", "rules.hold_days", "filters.flow.window", "filters.trend.window"])
    assert [(name.section, name.short) for name in found.values()] == [
        ("", "asset"),
        ("rules", "hold days"),
        ("filters", "flow window"),
        ("filters", "trend window"),
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "yes"), (0.0, "0"), (0.15, "0.15"), (30, "30"), ("new_high", "new high"), ("", "none")],
)
def test_values_are_written_as_words(value: object, text: str) -> None:
    assert value_text(value) == text


def test_listed_words() -> None:
    assert [list_words("abc"[:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]
