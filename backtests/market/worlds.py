"""The same inputs as they would be without the future: cut at an instant, or with another future.

When something becomes known is worked out here from calendars of sessions and of publications,
not from what a run takes it to be: a run that knows too much is found by the difference.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Final, Literal

import numpy as np
import pandas as pd

from backtests.config.config import Config
from backtests.market.inputs import Inputs
from feeds.alignment import Instants
from feeds.arrays import Floats
from feeds.bars import PRICES, Bars
from feeds.releases import SERIES
from feeds.series import Series
from feeds.sessions import bar_ends

Future = Literal["cut", "scaled", "reversed", "noise"]
FUTURES: Final[tuple[Future, ...]] = ("scaled", "reversed", "noise")
MINUTE: Final = 60_000_000_000

_remembered: Final[dict[tuple[str, str, bytes], tuple[Instants, Instants]]] = {}

SCALE: Final = 1.7
NOISE: Final = 0.03  # standard deviation of a bar's log return


def input_names(inputs: Inputs) -> tuple[str, ...]:
    """Return what the bars and series are called, the index first, each once."""
    bars = [each.instrument.symbol for each in inputs.all_bars]
    return tuple(dict.fromkeys((*bars, *inputs.series)))


def bars_known_at(bars: Bars, *, delay_minutes: int = 0) -> Instants:
    """Return the instant (nanoseconds, UTC) each bar is known: its official end, and a delay."""
    opens = pd.DatetimeIndex(bars.frame.index).as_unit("ns")
    kind, length = bars.instrument.kind, bars.timeframe
    key = (kind, length, opens.asi8[:1].tobytes())
    ends = partial(bar_ends, kind=kind, timeframe=length)
    return _known_of_rows(key, opens, ends) + delay_minutes * MINUTE


def _known_of_rows(
    key: tuple[str, str, bytes],
    rows: pd.DatetimeIndex,
    known_of: Callable[[pd.DatetimeIndex], pd.DatetimeIndex],
) -> Instants:
    """Return when rows are known, worked out once: many worlds are the beginning of one."""
    before, known = _remembered.get(key, (rows.asi8[:0], rows.asi8[:0]))
    if len(rows) > before.size or not np.array_equal(rows.asi8, before[: len(rows)]):
        before, known = _remembered[key] = (rows.asi8, known_of(rows).as_unit("ns").asi8)
    return known[: len(rows)]


def published_at(series: Series) -> Instants:
    """Return the instant each observation was published, by its calendar where there is one."""
    written = pd.DatetimeIndex(series.frame["available_at"]).as_unit("ns").asi8
    if series.name not in SERIES:
        return written
    dates = pd.DatetimeIndex(series.frame.index).as_unit("ns")
    key = (series.name, "", dates.asi8[:1].tobytes())
    return np.maximum(written, _known_of_rows(key, dates, SERIES[series.name].release))


def world_at(
    inputs: Inputs, config: Config, instant: int, *, future: Future = "cut", only: str = ""
) -> Inputs:
    """Return the inputs with another future after an instant (nanoseconds, UTC).

    "cut" leaves it out; "scaled" multiplies its prices, "reversed" runs its returns backwards,
    "noise" draws others. With `only` the other inputs keep theirs.
    """

    def bars(each: Bars) -> Bars:
        if only and each.instrument.symbol != only:
            return each
        delay = config.index.delay_minutes if each.instrument.kind == "index" else 0
        known = bars_known_at(each, delay_minutes=delay) <= instant
        frame = _another(each.frame, known, future, list(PRICES))
        return replace(each, frame=frame)

    def series(each: Series) -> Series:
        if only and each.name != only:
            return each
        return replace(each, frame=_another(each.frame, published_at(each) <= instant, future, []))

    coins = tuple(map(bars, inputs.coins))
    idle = bars(inputs.idle) if inputs.idle else None
    return replace(
        inputs,
        index=bars(inputs.index),
        # before any is listed there is still what is asked for, without a bar
        coins=tuple(each for each in coins if len(each)) or coins[:1],
        idle=idle if idle and len(idle) else None,
        benchmarks={name: bars(each) for name, each in inputs.benchmarks.items()},
        series={name: series(each) for name, each in inputs.series.items()},
    )


def without_front(inputs: Inputs, start: pd.Timestamp) -> Inputs:
    """Return the inputs without the index's sessions before a day."""
    frame = inputs.index.frame
    return replace(inputs, index=replace(inputs.index, frame=frame[frame.index >= start]))


def _another(
    frame: pd.DataFrame, known: np.ndarray, future: Future, prices: list[str]
) -> pd.DataFrame:
    """Return a frame with another future in the rows that are not known yet."""
    first = int(known.sum())
    if future == "cut" or first in (0, len(frame)):
        return frame.iloc[:first]
    # all columns at once and by place: worlds are thousands, and names take most of their time
    columns = frame if prices else frame[["value"]]
    values = columns.to_numpy(np.float64, copy=True)
    places = np.array([columns.columns.get_loc(name) for name in prices or ["value"]])
    values[first:, places] = _rewritten(values[:, places], first, future)
    changed = pd.DataFrame(values, index=frame.index, columns=columns.columns)
    return changed if prices else frame.assign(value=changed["value"])


def _rewritten(values: Floats, first: int, future: Future) -> Floats:
    """Return other rows from `first` on, shape (rows - first, columns)."""
    after = values[first:]
    if future == "scaled":
        return after * SCALE
    last = values[first - 1, -1]
    if future == "reversed":
        turned = after[::-1]
        return turned * (last / turned[0, -1]) if turned[0, -1] > 0 < last else turned
    rng = np.random.default_rng(first)
    steps = rng.normal(0.0, NOISE, len(after))
    factor = np.exp(np.cumsum(steps))[:, np.newaxis]
    return after * factor


def fronts(inputs: Inputs) -> Iterator[pd.Timestamp]:
    """Yield the days at which a shortened history begins: an eighth, a quarter, a half in."""
    sessions = inputs.index.frame.index
    for part in (8, 4, 2):
        yield sessions[len(sessions) // part]
