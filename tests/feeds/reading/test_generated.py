from collections import Counter

import numpy as np
import pandas as pd
import pytest

from feeds.errors import DataError
from feeds.instruments import Instrument
from feeds.reading import NOTHING_CHOSEN, Choices, read_bars
from tests.feeds.reading.generated import CERTAIN_DATES, SHEETS, generated

FILES = 2_000
INSTRUMENTS = {"coin": Instrument("XYZ-USD", "coin"), "index": Instrument("XYZ", "index")}


def wrong(table, truth):
    """Return what a table says otherwise than the file that it was read from."""
    dates = pd.DatetimeIndex(table.frame["date"])
    dates = dates if dates.tz is None else dates.tz_convert("UTC").tz_localize(None)
    if [date.date() for date in dates] != truth.dates or (dates != dates.normalize()).any():
        return f"dates {list(dates)} for {truth.dates}"
    for role, column in truth.values.items():
        if not np.array_equal(table.frame[role].to_numpy(), np.array(column)):
            return f"{role} {table.frame[role].tolist()} for {column}"
    return ""


def read_or_refused(path, truth, choices=NOTHING_CHOSEN):
    path.write_text(truth.text, encoding="utf-8", newline="")
    instrument = INSTRUMENTS[truth.kind]
    try:
        return read_bars(path, instrument=instrument, timeframe="1d", choices=choices)
    except DataError as error:
        return str(error)


@pytest.mark.parametrize("part", range(4))
def test_generated_files_are_read_right_or_refused_in_one_line(tmp_path, part):
    read, drawn = Counter(), Counter()
    for seed in range(part, FILES, 4):
        truth = generated(seed)
        name, dates, *_ = truth.drawn
        drawn[name] += 1
        answer = read_or_refused(tmp_path / "file", truth)
        if isinstance(answer, str):
            assert "\n" not in answer
            assert "Set data." in answer, f"{truth.drawn}: {answer}"
            # refused for what can be read in two ways, and only where it can
            assert dates not in CERTAIN_DATES or "data.decimal" in answer, (
                f"{truth.drawn}: {answer}"
            )
        else:
            assert not wrong(answer, truth), f"{truth.drawn}: {wrong(answer, truth)}"
            read[name] += 1
    assert set(read) == set(SHEETS)
    assert sum(read.values()) > 0.6 * sum(drawn.values())


SPELLED = {
    "ymd": "%Y/%m/%d",
    "ydm": "%Y/%d/%m",
    "mdy": "%m/%d/%Y",
    "dmy": "%d/%m/%Y",
    "mdy short": "%m/%d/%Y",
    "dmy dots": "%d.%m.%Y",
    "dmy dashes": "%d-%m-%Y",
    "mdy of two digits": "%m/%d/%y",
    "dmy of two digits": "%d/%m/%y",
    "ymd of two digits": "%y/%m/%d",
    "month name of two digits": "%d-%b-%y",
}


def test_generated_files_that_were_refused_are_read_right_once_settled(tmp_path):
    settled = 0
    for seed in range(FILES, FILES + 80):
        truth = generated(seed)
        _, dates, numbers, *_ = truth.drawn
        settled += isinstance(read_or_refused(tmp_path / "file", truth), str)
        decimal = "," if numbers.startswith("comma") else "."
        choices = Choices(date_format=SPELLED.get(dates, ""), decimal=decimal)
        table = read_or_refused(tmp_path / "file", truth, choices)
        assert not isinstance(table, str), f"{truth.drawn}: {table}"
        assert not wrong(table, truth), f"{truth.drawn}: {wrong(table, truth)}"
    assert settled > 12
