import pandas as pd
import pytest

from feeds.errors import ConfigError, DataError
from feeds.series import series_from_file


def written(folder, name, text):
    (folder / f"{name}_series.csv").write_text(text)
    return folder


def test_series_from_file_is_known_after_its_lag(tmp_path):
    written(tmp_path, "FLOWS", "date,value\n2024-01-05,10\n2024-01-04,-2.5\n")
    series = series_from_file(tmp_path, "FLOWS", lag_days=1)
    assert list(series.frame["value"]) == [-2.5, 10.0]
    instants = pd.DatetimeIndex(
        ["2024-01-05 23:59", "2024-01-06", "2024-01-06 23:59", "2024-01-07"], tz="UTC"
    )
    known = series.known_at(instants)
    assert known["value"].isna().tolist() == [True, False, False, False]
    assert known["value"].tolist()[1:] == [-2.5, -2.5, 10.0]
    assert known["observed"].tolist()[3] == pd.Timestamp("2024-01-05")


def test_series_known_at_never_changes_with_later_observations(tmp_path):
    lines = ["date,value", *(f"2024-01-{day:02d},{day}" for day in range(1, 29))]
    instants = pd.date_range("2023-12-30", "2024-02-05", freq="7h", tz="UTC")
    whole = series_from_file(
        written(tmp_path, "X", "\n".join(lines) + "\n"), "X", lag_days=2
    ).known_at(instants)
    part = series_from_file(
        written(tmp_path, "X", "\n".join(lines[:15]) + "\n"), "X", lag_days=2
    ).known_at(instants)
    before = instants < pd.Timestamp("2024-01-18", tz="UTC")
    pd.testing.assert_frame_equal(part[before], whole[before])


def test_series_from_a_fred_file_has_its_calendar(tmp_path):
    written(tmp_path, "WALCL", "date,value\n2025-03-26,6740253\n")
    series = series_from_file(tmp_path, "WALCL")
    assert series.frame["available_at"].iloc[0] == pd.Timestamp("2025-03-27 20:30", tz="UTC")
    assert (series.units, series.source, series.origin) == (
        "USD million",
        "files",
        "WALCL_series.csv",
    )


def test_series_without_a_value_on_some_dates_says_so(tmp_path):
    written(tmp_path, "X", "date,value\n2024-01-01,.\n2024-01-02,1\n2024-01-03,\n")
    series = series_from_file(tmp_path, "X", lag_days=0)
    assert len(series) == 1
    assert series.notes == ("X_series.csv: 2 dates without a value left out",)


@pytest.mark.parametrize("lag", [None, -1, float("nan"), 1e9])
def test_series_without_a_sound_lag_is_refused(tmp_path, lag):
    written(tmp_path, "FLOWS", "date,value\n2024-01-05,10\n")
    with pytest.raises(ConfigError, match="`lag_days` of the series FLOWS must be from 0"):
        series_from_file(tmp_path, "FLOWS", lag_days=lag)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("when,value\n2024-01-01,1\n", "X_series.csv: no line .* names a column of dates"),
        ("date,value\n2024-01-01,1\nsoon,2\n", "line 3: column `date`: 'soon' is not a date"),
        ("date,value\n2024-01-01,x\n", "line 2: column `value`: 'x' is not a number"),
        ("date,value\n2024-01-01,inf\n", "line 2: column `value`: 'inf' is not a number"),
        ("date,value\n2024-01-01,1\n2024-01-01,1\n", "line 3.*2024-01-01 stands there twice"),
        ("date,value\n2024-01-01,1\n9999-12-31,1\n", "line 3: .*'9999-12-31' is not a date"),
        ("date,value\n0020-01-01,1\n", "line 2: .*'0020-01-01' is not a date"),
        ("date,value\n", "no rows below the header"),
        ("date,value\n2024-01-01,\n", "no observations"),
        ("", "the file is empty"),
    ],
)
def test_series_file_that_is_malformed_says_where(tmp_path, text, reason):
    written(tmp_path, "X", text)
    with pytest.raises(DataError, match=reason):
        series_from_file(tmp_path, "X", lag_days=0)


def test_series_without_a_file_lists_those_there(tmp_path):
    written(tmp_path, "FLOWS", "date,value\n2024-01-05,10\n")
    with pytest.raises(DataError, match=r"NONE_series.csv is not in .* There are: FLOWS"):
        series_from_file(tmp_path, "NONE", lag_days=0)


def test_series_digest_depends_on_values_and_lag(tmp_path):
    written(tmp_path, "X", "date,value\n2024-01-05,10\n")
    one = series_from_file(tmp_path, "X", lag_days=0)
    assert one.sha256 == series_from_file(tmp_path, "X", lag_days=0).sha256
    assert one.sha256 != series_from_file(tmp_path, "X", lag_days=1).sha256
