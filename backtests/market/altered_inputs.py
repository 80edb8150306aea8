"""Functions asked again on other inputs: cut at an instant, or with another future.

When something becomes known is worked out here from calendars of sessions and of publications,
not from what a run takes it to be: a run that knows too much is found by the difference.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from backtests.config.config import Config
from backtests.market.coins import traded_coin
from backtests.market.inputs import Inputs
from backtests.market.user_inputs import Known, gates_of
from feeds.arrays import Floats
from feeds.bars import PRICES, Bars
from feeds.releases import SERIES
from feeds.series import Series
from feeds.sessions import Instants, bar_ends
from strategies.registry import Entry, find, is_own
from strategies.signals import index_signals
from strategies.user_functions import amounts, flags_of, states

Future = Literal["cut", "scaled", "reversed", "noise"]
FUTURES: Final[tuple[Future, ...]] = ("scaled", "reversed", "noise")
MINUTE: Final = 60_000_000_000

_remembered: Final[dict[tuple[str, str, bytes], tuple[Instants, Instants]]] = {}

SCALE: Final = 1.7
NOISE: Final = 0.03  # standard deviation of a bar's log return
# what a function answers to some inputs, a number per session or bar; NaN is unknown
Ask = Callable[[Inputs], Floats]
EVENTS: Final = ("new_high", "breakout", "support_held", "support_lost")


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


@dataclass(frozen=True, slots=True)
class Asked:
    """A function as it is asked: its name, and what it answers to the whole inputs.

    `instants` (nanoseconds, UTC) are when each of `rows` is known; `unit` is what a row is.
    `decided` is the part of the answers near whose changes data are cut, if it is not all.
    """

    name: str
    config: Config
    inputs: Inputs
    ask: Ask
    whole: Floats
    instants: Instants
    rows: pd.DatetimeIndex
    unit: str
    first: int = 1  # the first row after which it can be asked
    decided: Floats | None = None

    def world(self, place: int, *, future: Future = "cut", only: str = "") -> Inputs:
        """Return the inputs with another future after a row, see `world_at`."""
        instant = int(self.instants[place])
        return world_at(self.inputs, self.config, instant, future=future, only=only)


def own_uses(config: Config) -> Iterator[tuple[Entry, dict[str, Any]]]:
    """Yield every own function a config uses, but those of a basket, with its parameters.

    A filter comes once per gate, as each has parameters of its own.
    """
    sections = {"signal": config.signal, "exit": config.rules, "sizing": config.size}
    for entry in config.own_functions:
        if entry.kind in sections:
            yield entry, sections[entry.kind].parameters(entry.name)
    for gate in config.filters.values():
        if (entry := find("filter", gate.kind)).is_own:
            yield entry, gate.parameters(entry.name)


def asked_of_own(config: Config, inputs: Inputs) -> Iterator[Asked]:
    """Yield every own function the config uses, but those of a basket, as it is asked."""
    for entry, parameters in own_uses(config):
        yield ask_of(
            f"{entry.kind} {entry.name}",
            partial(ask_own, entry, parameters, config),
            inputs,
            config,
            per_bar=entry.kind in ("exit", "sizing"),
        )


def ask_own(entry: Entry, parameters: dict[str, Any], config: Config, inputs: Inputs) -> Floats:
    """Return what an own function answers to some inputs."""
    known = known_of(config, inputs, with_coin="coin" in entry.reads)
    if entry.kind in ("signal", "filter"):
        given = known.per_session(entry)
        judge = flags_of if entry.kind == "signal" else states
        return judge(entry, given, parameters=parameters).astype(np.float64)
    given = known.per_bar(entry)
    if entry.kind == "exit":
        return flags_of(entry, given, parameters=parameters).astype(np.float64)
    return amounts(entry, given, parameters=parameters, shape=(len(given[0]),))


def known_of(config: Config, inputs: Inputs, *, with_coin: bool) -> Known:
    """Return what own functions read, by calendars."""
    delay = config.index.delay_minutes
    instants = pd.DatetimeIndex(bars_known_at(inputs.index, delay_minutes=delay), tz="UTC")
    return Known(inputs, instants, traded_coin(config, inputs) if with_coin else None)


def ask_of(name: str, ask: Ask, inputs: Inputs, config: Config, *, per_bar: bool = False) -> Asked:
    """Return a function with its answers to the whole inputs."""
    bars = traded_coin(config, inputs) if per_bar else inputs.index
    delay = 0 if per_bar else config.index.delay_minutes
    return Asked(
        name,
        config,
        inputs,
        ask,
        ask(inputs),
        bars_known_at(bars, delay_minutes=delay),
        pd.DatetimeIndex(bars.frame.index),
        "bar" if per_bar else "session",
    )


def asked_of_house(config: Config, inputs: Inputs) -> Iterator[Asked]:
    """Yield the index's signals and the config's built-in filters, as they are asked."""

    def signals(some: Inputs) -> Floats:
        frame = some.index.frame
        found = index_signals(
            close=frame["close"].to_numpy(), low=frame["low"].to_numpy(), settings=config.signal
        )
        flags = [found.event(name) * 2.0**place for place, name in enumerate(EVENTS)]
        return np.asarray(np.sum(flags, axis=0))

    def gate(name: str, some: Inputs) -> Floats:
        only = config.model_copy(update={"filters": {name: config.filters[name]}})
        known = known_of(config, some, with_coin=False)
        (found,) = gates_of(only, known)
        return found.at(known.sessions)

    yield ask_of("signal of the index", signals, inputs, config)
    built_in = [name for name, each in config.filters.items() if not is_own("filter", each.kind)]
    for name in built_in:
        yield ask_of(f"filter {name}", partial(gate, name), inputs, config)
