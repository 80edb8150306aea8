"""The specification curve's chart and sentence against the readings they show."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from backtests.analysis.specification_curve import SpecificationCurve
from backtests.report.charts.effects import MOST_POINTS, choice_rows, curve_chart
from backtests.report.charts.figure_dicts import UndrawableError, unpack
from backtests.report.words.claims import curve_details, curve_sentence


def curve(*, readings: int = 1200, **changes: float) -> SpecificationCurve:
    places = np.arange(readings)
    effects = pd.DataFrame(
        {
            "lookback": ["all" if place % 3 == 0 else 252 for place in places],
            "base": np.where(places % 2 == 0, 1, 60),
            "gap_sessions": 60,
            "asset": "BTC",
            "statistic": np.where(places % 5 == 0, "mean", "median"),
            "own": places == 701,
            "episodes": 4,
            "effect": np.linspace(-0.5, 0.9, readings),
        }
    )
    figures = {
        "median": float(np.log(1.08)), "share_above_zero": 0.61, "p": 0.27,
        "readings": readings, "repeated": 1100, "left_out": 30, "shifts": 1000, **changes,
    }  # fmt: skip
    return SpecificationCurve(effects, **figures)  # type: ignore[arg-type]


def trace(spec: dict, name: str) -> dict:
    (found,) = [one for one in spec["data"] if one["name"] == name]
    return found


def test_curve_chart_is_valid_for_plotly_and_draws_every_effect() -> None:
    one = curve()
    spec = curve_chart(one)
    assert len(go.Figure(spec).data) == len(spec["data"])
    drawn = unpack(trace(spec, "All readings")["y"])
    np.testing.assert_allclose(drawn, np.exp(one.effects["effect"]), rtol=1e-6)
    zero, median = (shape["y0"] for shape in spec["layout"]["shapes"])
    assert (zero, median) == (1.0, pytest.approx(1.08))


def test_curve_chart_marks_the_own_reading_and_ticks_its_choices() -> None:
    spec = curve_chart(curve())
    own = trace(spec, "As the question is put")
    assert unpack(own["x"]).tolist() == [701]
    assert own["text"][0].endswith("high of 252, age 60, gap 60, median")
    axis = spec["layout"]["yaxis2"]
    labels = dict(zip(np.round(axis["tickvals"], 4), axis["ticktext"], strict=True))
    ticked = [labels[height] for height in unpack(trace(spec, "Own")["y"]).round(4).tolist()]
    assert ticked == ["high of 252", "age 60", "median"]


def test_each_drawn_reading_has_one_tick_per_choice() -> None:
    one = curve()
    spec = curve_chart(one)
    points = unpack(trace(spec, "Readings")["x"])
    assert points.size <= MOST_POINTS + 1
    assert 701 in points
    for name, labels in (
        ("lookback", ("high of all", "high of 252")),
        ("base", ("any age", "age 60")),
    ):
        ticks = [unpack(trace(spec, label)["x"]) for label in labels]
        np.testing.assert_array_equal(np.sort(np.concatenate(ticks)), points)
        values = one.effects[name].iloc[ticks[0].astype(int)]
        assert values.nunique() == 1


def test_choice_with_one_value_has_no_row() -> None:
    table = curve().effects
    assert {row.choice for row in choice_rows(table)} == {"lookback", "base", "statistic"}


def test_curve_without_readings_says_so() -> None:
    empty = curve(readings=0, median=np.nan, share_above_zero=np.nan, p=np.nan)
    with pytest.raises(UndrawableError, match="three episodes"):
        curve_chart(empty)
    assert curve_sentence(empty) == "No reading has as many as three episodes with a known outcome."
    assert "nan" not in curve_details(empty)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"readings": 2304},
            "Of 2,304 readings 61 % are above zero; the median is +8 %, and 27 % of shifted "
            "calendars do as well: the result is the reading's, not the data's.",
        ),
        ({"p": 0.004}, "fewer than 1 % of shifted calendars do as well: the result does not hang"),
        ({"share_above_zero": 0.95}, "the readings agree, but luck does as well."),
        ({"median": -0.1, "share_above_zero": 0.3}, "most readings show no rise beyond"),
        ({"p": np.nan}, "the history is too short for shifted calendars."),
    ],
)
def test_sentence_says_what_all_readings_amount_to(changes: dict[str, float], words: str) -> None:
    assert words in curve_sentence(curve(**changes))  # type: ignore[arg-type]


def test_details_count_every_combination() -> None:
    assert curve_details(curve()).startswith("Of 2,330 combinations of choices 1,100 come")
