"""Charts: well-formed, inert whatever the texts, and with their data where it belongs."""

from xml.etree import ElementTree

import numpy as np
import pytest

from backtests.report.charts.svg import TOP, WIDTH, Axis, Band, Bars, Dots, Line, Mark, chart

X = Axis("days")
Y = Axis("growth", is_growth=True)


def test_chart_is_well_formed_and_has_every_layer() -> None:
    x = np.arange(5.0)
    layers = [
        Band(x, -0.1 * x, 0.1 * x, "band"),
        Line(x, 0.05 * x, "line"),
        Dots(x, 0.1 * x, 0.0 * x, 0.2 * x, "dots"),
        Bars(x, 0.1 * x, "bars", 0.5),
        Mark("mark", x=2.0),
        Mark("level", y=0.1),
    ]
    root = ElementTree.fromstring(str(chart(layers, title="All", x=X, y=Y)))  # noqa: S314
    styles = {element.get("class") for element in root.iter()}
    assert {"band", "line", "dots", "dots whisker", "bars", "mark", "level"} <= styles


def test_hostile_texts_stay_text() -> None:
    evil = '"><script>alert(1)</script>'
    line = Line([0.0, 1.0], [0.0, 1.0], "line", title=evil)
    drawn = str(chart([line], title=evil, x=Axis(evil), y=Y, x_texts=[(0.0, evil)]))
    assert "<script" not in drawn
    ElementTree.fromstring(drawn)  # noqa: S314


def test_gaps_break_a_line_and_undefined_points_are_left_out() -> None:
    y = [0.0, 0.1, np.nan, 0.3, 0.2]
    drawn = str(chart([Line(range(5), y, "own")], title="", x=X, y=Y))
    assert drawn.count('class="own"') == 2


@pytest.mark.parametrize("values", [[], [np.nan, np.nan]])
def test_nothing_to_draw_gives_nothing(values: list[float]) -> None:
    assert chart([Line(range(len(values)), values, "own")], title="", x=X, y=Y) == ""


def test_a_halving_and_a_doubling_lie_equally_far_from_nothing() -> None:
    drawn = str(chart([Line([0, 1, 2], [-0.5, 0.0, 1.0], "own")], title="", x=X, y=Y))
    path = ElementTree.fromstring(drawn).find(".//*[@class='own']")  # noqa: S314
    assert path is not None
    tops = [float(point.split()[1]) for point in path.get("d", "")[1:].split("L")]
    assert tops[0] - tops[1] == pytest.approx(tops[1] - tops[2], abs=0.2)
    assert min(tops) > TOP
    assert WIDTH > 0


def test_ticks_are_round_and_few() -> None:
    assert Axis("", decimals=1).ticks(-0.07, 0.33) == pytest.approx([0.0, 0.1, 0.2, 0.3])
    assert 0.0 in Y.ticks(-2.0, 4.0)
    assert len(Y.ticks(-2.0, 4.0)) <= 12
