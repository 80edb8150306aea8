"""Files that went wrong, one kind a case: each is refused in one line, or read and said.

The files are made by a script that lies beside the real bars and is no part of this project; a
case is its name there and what must come of it. To add a row: `Case(name, ...)`.
"""

import importlib.util
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from backtests import run
from backtests.analysis.run_figures import summarise
from backtests.config.config import load_config
from backtests.engines.backtest import run_inputs
from backtests.market.inputs import Inputs, load_inputs
from feeds.errors import InputError

TOP_TWO = {"asset": "ALTS", "basket.select": "dollar_volume", "basket.top": 2}
HOURLY = {
    "asset": "BTC",
    "data.timeframe": "1h",
    "index.timeframe": "1h",
    "signal.lookback": 400,
}
# From the prices by hand: bought at 314.08 x 1.0005 x 1.001 on 2015-01-02, the first day with a
# prior high of the index there, and worth 87,508.83 at the end of 2025, 10.998 years later. The
# file without holes gives the same.
HELD_BTC = {"cagr": 0.6682}


@dataclass(frozen=True)
class Case:
    """One folder of files: the settings it is run with, and what must come of it.

    `refused` is a part of the one line it is refused with; else `notes` are parts of notes
    that must be there, `rows` the bars left by symbol, `quiet` whether there is no note at
    all, and `hold` figures of holding the coin, which need a run. `awaits` names what is
    still to be built; the case then must fail.
    """

    name: str
    flags: Mapping[str, Any] = field(default_factory=dict)
    refused: str = ""
    notes: tuple[str, ...] = ()
    rows: Mapping[str, int] = field(default_factory=dict)
    quiet: bool = False
    hold: Mapping[str, float] = field(default_factory=dict)


CASES = (
    Case(
        "weekdays_only",
        {"asset": "BTC"},
        notes=("1,178 days are missing inside the range (2014-09-20,",),
        rows={"BTC-USD": 2946},
    ),
    Case("weekdays_only", {"asset": "BTC"}, hold=HELD_BTC),
    Case(
        "two_year_hole",
        {"asset": "BTC"},
        notes=("730 days are missing", "The longest gap is 730 days (2017-12-31 to 2020-01-01)"),
    ),
    Case("two_year_hole", {"asset": "BTC"}, hold=HELD_BTC),
    Case("hourly_named_daily", refused="ETH-USD_1d.csv: its bars are an hour apart (2023-01-01,"),
    Case("weekly_named_daily", refused="ETH-USD_1d.csv: its bars are 7 days apart (2017-11-13,"),
    Case("weekly_index", refused="RUT_1d.csv: its bars are 5 sessions apart (2014-01-03,"),
    Case(
        "missing_day_and_stray_noon",
        notes=(
            "line 2976, 2021-03-10 12:00",
            "left out, stamped off the midnights (UTC) that its bars open at: 1 bar, 2021-03-10 12",
            "1 day is missing inside the range (2021-03-15)",
        ),
        rows={"ETH-USD": 2974},
    ),
    Case(
        "hourly_index_without_zone",
        HOURLY,
        refused='set `data.zone`. As "America/New_York" they lie inside.',
    ),
    Case(
        "hourly_index_without_zone",
        HOURLY | {"data.zone": "America/New_York"},
        notes=("RUT_1h.csv: stamps without a zone read as America/New_York",),
        rows={"RUT": 7351},
    ),
    Case(
        "hourly_index_after_hours",
        HOURLY,
        notes=("RUT_1h.csv: left out, outside a session: 1 bar, 2022-12-07 22:00",),
        rows={"RUT": 7351},
    ),
    Case(
        "daily_coin_stamped_at_its_close",
        notes=("stamped at their close (2017-11-09 23:59:59), read as the bars that end there",),
        rows={"ETH-USD": 2975},
    ),
    Case("volume_as_text", TOP_TWO, rows={"SOL-USD": 1969}, quiet=True),
    Case("volume_negative_and_infinite", TOP_TWO, refused="line 202: column `volume`: 'inf'"),
    Case(
        "frozen_index",
        notes=("RUT: the close stands still for 9 sessions at 2280.85 (2024-10-17 to 2024-10-29)",),
    ),
    Case(
        "adjusted_prices_off_by_rounding",
        {"index.symbol": "IWM"},
        notes=("high or low widened to open and close: 4 bars, 2003-04-21, 2006-04-06, 2006-05",),
        rows={"IWM": 6438},
    ),
    Case(
        "null_rows",
        notes=("left out, a price is missing: 3 bars, 2020-04-17, 2020-10-09, 2020-10-12",),
        rows={"ETH-USD": 2972},
    ),
    Case(
        "last_row_twice",
        notes=("left out, the same bar twice: 1 bar, 2025-12-31",),
        rows={"ETH-USD": 2975},
    ),
    Case(
        "flat_rows_on_holidays",
        notes=("left out, outside a session: 3 bars, 2018-12-05, 2024-12-25, 2025-01-09",),
        rows={"RUT": 3018},
    ),
    Case("trailing_comma", refused="line 2: 7 fields where the header has 6"),
    Case(
        "index_stamped_at_its_open",
        notes=("stamped 2014-01-02 14:30: times within the session, read as that day's session",),
        rows={"RUT": 3018},
    ),
    Case("index_at_zoned_midnights", rows={"RUT": 3018}),
    Case("year_mistyped", refused="line 1002: column `date`: '0020-08-05' is not a date"),
    Case("parquet_of_two_column_levels", rows={"RUT": 3018}),
    Case("parquet_stacked_by_ticker", rows={"ETH-USD": 2975}),
    Case(
        "old_parquet_beside_newer_csv",
        refused="ETH-USD_1d.parquet",
    ),
    Case(
        "reused_ticker",
        {"asset": "ALTS"},
        notes=("comes back after 7 days or more without bars (2022-05-12 to 2022-05-31), so",),
        rows={"LUNA-USD": 630, "LUNA.2-USD": 396},
    ),
)


@pytest.fixture(scope="module")
def made(shared_data, tmp_path_factory) -> Callable[[str], Path]:
    """Return the function that makes a case's folder, once."""
    script = shared_data.parent / "cases" / "make.py"
    spec = importlib.util.spec_from_file_location("cases", script)
    assert spec is not None
    assert spec.loader is not None
    cases = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(cases)
    folders: dict[str, Path] = {}

    def make(name: str) -> Path:
        if name not in folders:
            folders[name] = tmp_path_factory.mktemp(name)
            cases.CASES[name](folders[name])
        return folders[name]

    return make


def settings(case: Case, folder: Path) -> Any:
    flags = {"asset": "ETH", "data.source": "files", "data.data_dir": str(folder)}
    return load_config(None, flags=flags | dict(case.flags))


def loaded(case: Case, folder: Path) -> Inputs:
    return load_inputs(settings(case, folder))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case_is_refused_in_one_line_or_read_and_said(case, made):
    folder = made(case.name)
    if case.refused:
        with pytest.raises(InputError) as refusal:
            loaded(case, folder)
        assert case.refused in str(refusal.value)
        assert_plain(str(refusal.value))
        return
    inputs = loaded(case, folder)
    notes = [note for bars in inputs.all_bars for note in bars.notes] + list(inputs.notes)
    for wanted in case.notes:
        assert any(wanted in note for note in notes), notes
    assert {
        bars.instrument.symbol: len(bars)
        for bars in inputs.all_bars
        if bars.instrument.symbol in case.rows
    } == case.rows
    assert not (case.quiet and notes)
    for note in notes:
        assert_plain(note)
    if case.hold:
        result = summarise(run_inputs(settings(case, folder), inputs))
        held = {name: result.figures["buy_and_hold"][name] for name in case.hold}
        assert held == pytest.approx(case.hold, abs=5e-5)


def assert_plain(text: str) -> None:
    """One line of words: no spelling of numpy or pandas."""
    assert not re.search(r"\n|np\.|Timestamp|datetime64|\bnan\b|\bNaT\b", text)


@pytest.mark.parametrize("name", ["weekly_named_daily", "year_mistyped"])
def test_case_through_the_command_ends_with_2_and_leaves_nothing(name, made, tmp_path, capsys):
    arguments = ["--asset", "ETH", "--source", "files", "--data-dir", str(made(name))]
    assert run.main([*arguments, "--out", str(tmp_path / "out"), "--quiet"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ETH-USD_1d.csv: ")
    assert captured.err.count("\n") == 1
    assert not list((tmp_path / "out").glob("*"))
