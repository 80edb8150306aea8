"""The published figures of unprofitable companies: dated, in hindsight or not, and said so."""

import pandas as pd
import pytest

from feeds.derived_series import PUBLISHED, unprofitable_share
from feeds.errors import Absent
from feeds.series_sources import load_series


@pytest.mark.parametrize(
    ("instant", "share"),
    [
        ("2018-08-22 23:59", None),
        ("2018-08-23 00:00", 0.25),
        ("2020-06-23 23:59", 0.25),
        ("2020-06-24 00:00", 0.42),
        ("2024-11-16 00:00", 0.43),  # the figure of 1994, published the day before, is no news
        ("2026-01-01 00:00", 0.40),
    ],
)
def test_share_is_the_last_one_published(instant, share):
    known = unprofitable_share().known_at(pd.DatetimeIndex([instant], tz="UTC"))["value"].iloc[0]
    assert pd.isna(known) if share is None else known == share


def test_figures_have_a_source_a_measure_and_ascending_dates():
    dates = pd.DatetimeIndex([figure.published for figure in PUBLISHED])
    assert dates.is_monotonic_increasing
    assert all(0 < figure.share < 0.5 and figure.source and figure.measure for figure in PUBLISHED)
    assert {figure.of for figure in PUBLISHED if figure.is_hindsight} == {
        "1994",
        "the 1990s",
        "end of 2008",
        "January 2010",
    }


def test_note_warns_that_measures_differ():
    (note,) = unprofitable_share().notes
    assert "by different measures (break-even or loss, negative 12-month EPS" in note
    assert "not used (44 % January 2010, 41 % end of 2008, 14 % 1994, 15 % the 1990s)" in note


def test_series_is_on_board_unless_the_folder_has_its_own_or_bars_are_simulated(tmp_path):
    name = "UNPROFITABLE_SHARE"
    assert load_series(name, source="files", data_dir=str(tmp_path)).source == "published"
    assert load_series(name, source="yahoo", offline=True).source == "published"
    (tmp_path / f"{name}_series.csv").write_text("date,value\n2024-01-02,0.4\n")
    assert load_series(name, source="files", data_dir=str(tmp_path)).source == "files"
    with pytest.raises(Absent):
        load_series(name, source="sample")
