"""Trials of the sweep kernel laid out as accounts: what it looked up, fill by fill."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from backtests.analysis.metrics import return_figures
from backtests.analysis.trades import round_trips
from backtests.config.config import Config
from backtests.engines.account import Account
from backtests.engines.compiled_engine import kept
from backtests.engines.tape_arrays import Money
from backtests.market.elapsed_time import after_hole, cash_returns
from backtests.market.market import Market
from backtests.search.parameter_space import column_of
from backtests.search.trials.by_prices import span_room
from backtests.search.trials.evaluate import _trials
from backtests.search.trials.kernel import added_up
from backtests.search.trials.path_building import STAY_IN, begun
from backtests.search.trials.position_paths import MISSED, UNCLEAR, Paths, PathStart, sale_found
from backtests.search.trials.range_tables import TrialTape
from backtests.search.trials.routes import KeptPositions, paths_on
from backtests.search.trials.trial_events import Trial, TrialEvents, join, trial_at
from backtests.search.trials.trial_library import Library
from feeds.arrays import Floats
from strategies.position_rule import NONE


class LaidFill(NamedTuple):
    """A fill: the traded bar at whose open it is, the coin, signed units and price."""

    bar: int
    coin: int
    units: float
    price: float


@dataclass
class LaidTrial:
    """The account that a trial's spans and paths stand for, in money.

    `equity`, shape (traded bars,), is that at each bar's end, `cash` what is there now, `last`
    the first bar not followed yet.
    """

    trial: Trial
    tape: TrialTape
    cash: float
    last: int
    equity: list[float] = field(default_factory=list)
    fills: list[LaidFill] = field(default_factory=list)
    left_over: int = 0  # sales at which a coin was halted

    def rest(self, until: int) -> None:
        """Leave all in cash."""
        for bar in range(self.last, until):
            if self.equity:
                self.cash *= 1 + (self.tape.gap_interest[bar] if bar > self.last else 0.0)
            self.cash *= 1 + self.tape.bar_interest
            self.equity.append(self.cash)
        self.last = until

    def hold(self, position: "LaidPosition", entry: int, sale: int) -> None:
        """Follow a position from one open to another, at which all of it is sold if there is."""
        scale, money, first = self.cash, self.trial.money, self.trial.first
        for row, bar in enumerate(range(entry, sale)):
            for coin in np.flatnonzero(position.traded[row]):
                self._fill(bar, coin, scale * position.traded[row, coin], position.open[bar, coin])
            held = position.units[row] @ position.close[bar]
            self.equity.append(scale * (position.cash[row] + held))
        units = scale * position.units[sale - entry - 1]
        self.cash, self.last = scale * position.cash[sale - entry - 1], sale
        if sale < self.trial.stop:
            self.cash *= 1 + self.tape.gap_interest[sale]
            for coin in np.flatnonzero(units):
                self._fill(sale, coin, -units[coin], position.open[sale, coin])
                fetched = position.open[sale, coin] * (1 - money.slippage) * (1 - money.commission)
                self.cash += units[coin] * fetched
        assert len(self.equity) == sale - first

    def _fill(self, bar: int, coin: int, units: float, opened: float) -> None:
        moved = self.trial.money.slippage * (1 if units > 0 else -1)
        self.fills.append(LaidFill(bar - self.trial.first, coin, units, opened * (1 + moved)))


class LaidPosition(NamedTuple):
    """What is held of each coin from an entry on, for one unit of equity; prices of all bars."""

    cash: Floats
    units: Floats
    traded: Floats
    open: Floats
    close: Floats


def whole_position(tape: TrialTape, trial: Trial, entry: int, sale: int) -> LaidPosition:
    """Put all of equity into the one coin."""
    price = tape.open[entry] * (1 + trial.money.slippage) * (1 + trial.money.commission)
    earned = 0.0 if entry == trial.first else tape.gap_interest[entry]
    units = np.full((sale - entry, 1), (1 + earned) / price)
    traded = np.zeros_like(units)
    traded[0] = units[0]
    nothing = np.zeros(len(units))
    return LaidPosition(nothing, units, traded, tape.open[:, None], tape.close[:, None])


def path_position(
    positions: KeptPositions, money: Money, start: PathStart, sale: int, until: int
) -> LaidPosition:
    """Keep a position as its path was laid; sold at an open, what is halted there later."""
    bars, coins = positions.bars, positions.bars.part.coins
    decided = sale if until > sale else 0
    is_told, after, opening = begun(bars, money, start, decided, until - start.bar)
    assert is_told
    ledger = kept(STAY_IN, bars.upkeep, after, money, opening)
    prices = coins.open[1:], coins.close[1:]  # a row for what was known before comes first
    return LaidPosition(ledger.cash, ledger.units, ledger.traded, *prices)


@dataclass
class LaidBatch:
    """Trials of one config that differ in numbers of their own, with the paths they share."""

    config: Config
    library: Library

    def __post_init__(self) -> None:
        self.group = self.library.group(self.config)
        self.tape = self.library.tape(self.config)
        self.positions = self.library.positions(self.config, self.group)
        self.events: TrialEvents = join([self.group])
        self._paths: dict[tuple[float, float], Paths] = {}

    def laid_out(self, own: Mapping[str, Any]) -> LaidTrial | None:
        """Return one trial's account; None where only its whole account can tell."""
        columns = {key: column_of([value]) for key, value in own.items()}
        trials = _trials(self.config, columns, np.zeros(1, np.int64))
        trial = trial_at(self.events, trials, 0, self.tape.bar_interest)
        costs = trial.money.commission, trial.money.slippage
        paths = self._paths.setdefault(costs, paths_on(self.positions))
        room, bars = span_room(self.tape), self.positions.bars
        count, sums = added_up(
            self.tape, self.events, trial, paths=paths, bars=bars, room=room, count=NONE
        )
        if np.isnan(sums.growth) or paths.state[UNCLEAR] > 0 or paths.state[MISSED] > NONE:
            return None
        laid = LaidTrial(trial, self.tape, trial.initial_cash, trial.first)
        for start, sale in self._legs(trial, room.spans[:count].tolist(), idles=paths.idles):
            laid.rest(start.bar)
            until = sale
            if paths.places.size == 0:
                position = whole_position(self.tape, trial, start.bar, sale)
            else:
                _, until = sale_found(paths, start, sale)
                position = path_position(self.positions, trial.money, start, sale, until)
            laid.left_over += until > sale
            laid.hold(position, start.bar, until)
        laid.rest(trial.stop)
        return laid

    def _legs(
        self, trial: Trial, spans: list[list[int]], *, idles: bool
    ) -> Iterator[tuple[PathStart, int]]:
        here, first = trial.first, trial.first
        for entry, sale, carried in [*spans, [trial.stop, trial.stop, NONE]]:
            if idles and entry > here:
                yield PathStart(here, 0, here == first, False), entry
            if carried != NONE:
                yield PathStart(entry, carried, entry == first, True), sale
            here = sale


def account_figures(account: Account, market: Market, config: Config) -> dict[str, float]:
    """Return the figures that the kernel gives, of an account that was kept."""
    tape = market.traded
    times, ends = tape.lines["time"], tape.lines["bar_end"]
    figures = return_figures(
        account.returns.to_numpy(),
        periods_per_year=tape.periods_per_year,
        years=tape.years,
        cash_return=cash_returns(times, ends, rate=config.costs.cash_rate),
        left_out=after_hole(times, ends),
    )
    closes = dict(zip(tape.coins, tape.matrix("close")[-1].tolist(), strict=True))
    trades = round_trips(account.fills, last_time=tape.times[-1], last_closes=closes)
    return {
        **figures,
        "time_in_market": account.invested.mean(),
        "trades": len(trades),
        "win_rate": (trades["return"] > 0).mean() if len(trades) else np.nan,
        "final_equity": account.equity.iloc[-1],
    }
