"""A series changes nothing before its publication, and is unknown when it is stale."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtests.evidence.conditions import rising
from feeds.errors import DataError


def instants(*texts: str) -> np.ndarray:
    return pd.DatetimeIndex(texts, tz="UTC").as_unit("ns").asi8


def write(folder: Path, name: str, rows: dict[str, float]) -> None:
    lines = ["date,value", *(f"{day},{value}" for day, value in rows.items())]
    (folder / f"{name}_series.csv").write_text("\n".join(lines) + "\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    weeks = pd.date_range("2020-01-01", periods=30, freq="7D").strftime("%Y-%m-%d")
    # flat, then a jump on 2020-05-06
    write(tmp_path, "WALCL", {day: 5000.0 if day < "2020-05-06" else 6000.0 for day in weeks})
    write(tmp_path, "WTREGEN", dict.fromkeys(weeks, 1000.0))
    write(tmp_path, "RRPONTSYD", {"2020-01-01": 1.0})
    return tmp_path


def test_net_liquidity_is_known_two_days_after_its_date(folder: Path) -> None:
    at = instants("2020-05-07T21:00", "2020-05-08T00:00")
    assert rising("net_liquidity", at=at, folder=folder).tolist() == [0.0, 1.0]


def test_reverse_repo_in_billions_counts_a_thousandfold(folder: Path) -> None:
    write(folder, "RRPONTSYD", {"2020-01-01": 0.0, "2020-05-06": 2.0})
    at = instants("2020-05-08T00:00")
    assert rising("net_liquidity", at=at, folder=folder).tolist() == [0.0]


def test_stale_or_early_values_are_unknown(folder: Path) -> None:
    at = instants("2020-02-01", "2021-01-01")
    assert np.isnan(rising("net_liquidity", at=at, folder=folder)).all()


def test_a_missing_series_says_which_file_is_needed(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"WALCL_series\.csv is not in"):
        rising("net_liquidity", at=instants("2020-01-01"), folder=tmp_path)
    with pytest.raises(DataError, match="--source files only"):
        rising("net_liquidity", at=instants("2020-01-01"), folder=None)
