"""The charts of a study against the tables they are drawn from."""

import base64
from types import SimpleNamespace

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from backtests.report.charts.figure_dicts import UndrawableError, band, growth_axis, intervals
from backtests.report.charts.study import CHARTS

CLAIM = SimpleNamespace(horizon_days=90)
DAYS = np.arange(-2, 4)


def unpacked(array):
    return np.frombuffer(base64.b64decode(array["bdata"]), dtype=f"<{array['dtype']}")


def trace(spec, name):
    (found,) = [one for one in spec["data"] if one["name"] == name and "fill" not in one]
    return found


def around(middle, name="correlation"):
    middle = np.asarray(middle, np.float64)
    return {name: middle, f"{name}_low": middle - 0.1, f"{name}_high": middle + 0.1}


@pytest.fixture
def study():
    growth = np.array([-0.5, np.nan, 0.0, 0.1, 0.5, 1.0])
    index = pd.Index(DAYS, name="day")
    path = {"mean": growth, "random_mean": growth / 2, "random_low": growth / 2 - 0.1}
    paths = pd.DataFrame({"2020": growth, "<b>2021": growth / 4}, index=index)
    horizons = {"horizon_days": [20, 60, 90], "detectable": [0.3, 0.4, np.nan], "p_value": 0.5}
    effects = around([0.2, -1.0, 0.1], "excess")
    return SimpleNamespace(
        events=SimpleNamespace(
            asset="BTC",
            path=pd.DataFrame({**path, "random_high": growth / 2 + 0.1}, index=index),
            paths=paths,
            horizons=pd.DataFrame({**horizons, "episodes": 4, **effects}),
        ),
        delays=pd.DataFrame(
            {"delay_days": DAYS, "uses_future": DAYS < 0, **around(DAYS / 10, "excess")}
        ),
        lead_lag=SimpleNamespace(table=pd.DataFrame({"lag": DAYS, **around(DAYS / 10)})),
        rolling=pd.DataFrame(
            around(DAYS / 10), index=pd.date_range("2020-01-01", periods=6, name="session")
        ),
        drawn=np.log1p(np.linspace(-0.2, 0.4, 500)),
        actual=float(np.log1p(0.25)),
    )


@pytest.mark.parametrize("name", CHARTS)
def test_chart_of_a_study_is_valid_for_plotly(study, name):
    assert len(go.Figure(CHARTS[name](study, CLAIM)).data) > 0


def test_path_chart_draws_the_mean_and_every_episode_as_multiples(study):
    spec = CHARTS["path"](study, CLAIM)
    assert spec["layout"]["yaxis"]["type"] == "log"
    mean = unpacked(trace(spec, "Mean of the episodes")["y"])
    np.testing.assert_allclose(mean, 1 + study.events.path["mean"], rtol=1e-6)
    episode = trace(spec, "&lt;b&gt;2021")  # plotly would read markup
    np.testing.assert_allclose(unpacked(episode["y"]), 1 + study.events.paths["<b>2021"], rtol=1e-6)
    np.testing.assert_array_equal(unpacked(episode["x"]), DAYS)


def test_horizon_chart_sets_each_effect_against_what_was_detectable(study):
    columns, effects = CHARTS["horizon"](study, CLAIM)["data"]
    assert columns["x"] == effects["x"] == ["20", "60", "90"]
    assert columns["base"] == 1
    np.testing.assert_allclose(unpacked(columns["y"]), study.events.horizons["detectable"])
    # a coin that lost all has no place on a log axis
    np.testing.assert_allclose(unpacked(effects["y"]), [1.2, np.nan, 1.1], rtol=1e-6)
    whiskers = unpacked(effects["error_y"]["array"])
    np.testing.assert_allclose(whiskers, [0.1, np.nan, 0.1], rtol=1e-5)
    assert (
        effects["text"][0]
        == "20 days: +20\N{NO-BREAK SPACE}% beyond random dates, p 0.500, 4 episodes"
    )


def test_placebo_chart_counts_every_draw_and_marks_the_real_episodes(study):
    spec = CHARTS["placebo"](study, CLAIM)
    assert unpacked(spec["data"][0]["y"]).sum() == study.drawn.size
    (mark,) = spec["layout"]["shapes"]
    assert mark["x0"] == mark["x1"] == study.actual
    assert mark["name"] == "The real episodes: +25\N{NO-BREAK SPACE}%"


def test_delay_chart_dashes_what_knows_the_future(study):
    spec = CHARTS["delay"](study, CLAIM)
    future, known = trace(spec, "Uses the future"), trace(spec, "Effect")
    np.testing.assert_array_equal(unpacked(future["x"]), [-2, -1])
    np.testing.assert_array_equal(unpacked(known["x"]), [0, 1, 2, 3])
    assert future["line"]["dash"] == "dash"
    assert "dash" not in known["line"]


@pytest.mark.parametrize(("name", "series"), [("lag", "lead_lag"), ("rolling", "rolling")])
def test_correlation_chart_draws_each_correlation(study, name, series):
    table = getattr(study, series)
    wanted = getattr(table, "table", table)["correlation"]
    drawn = CHARTS[name](study, CLAIM)["data"][-1]
    np.testing.assert_allclose(unpacked(drawn["y"]), wanted, rtol=1e-6)


def test_study_without_outcomes_says_why_nothing_is_drawn(study):
    study.events.path["mean"] = np.nan
    study.events.horizons["excess"] = np.nan
    study.delays["excess"] = np.nan
    study.drawn, study.rolling = np.empty(0), study.rolling.iloc[:0]
    for name in CHARTS.keys() - {"lag"}:
        with pytest.raises(UndrawableError, match=r"known outcome|fewer than 252"):
            CHARTS[name](study, CLAIM)


def test_growth_axis_marks_what_lies_in_sight_and_no_closer_than_can_be_read():
    axis = growth_axis([-0.5, np.nan, 0.3, 1.0, -1.0])
    assert axis["tickvals"] == [0.5, 0.65, 0.8, 1.0, 1.25, 1.5, 2.0]
    assert axis["ticktext"][0] == "\N{MINUS SIGN}50\N{NO-BREAK SPACE}%"
    assert len(growth_axis([-0.95, 99.0])["tickvals"]) <= 12
    in_logs = growth_axis([-0.5, 1.0], is_drawn_in_logs=True)
    assert in_logs["tickvals"][0] == -in_logs["tickvals"][-1]


def test_band_has_no_area_where_a_bound_is_undefined():
    sides = band("b", [1, np.nan, 3], [2, 4, np.nan], color="#ffffff", x={"x": [0, 1, 2]})
    for side in sides:
        np.testing.assert_array_equal(np.isfinite(unpacked(side["y"])), [True, False, False])


def test_intervals_without_a_bound_have_no_whisker():
    points = intervals("p", [0, 1], [1.0, 2.0], [0.5, np.nan], [2.5, 3.0])
    np.testing.assert_array_equal(unpacked(points["error_y"]["array"]), [1.5, np.nan])
    np.testing.assert_array_equal(unpacked(points["error_y"]["arrayminus"]), [0.5, np.nan])
