"""What a run is compared with: holding the same thing, and the control.

The control is the rule of a run, driven by the coin's own price instead of an index. It answers
whether the index is needed at all. So it must be the same idea in the coin's own terms. A coin
trades every day and moves more than an index: what is counted in sessions becomes as many days as
those sessions span, and what is a fraction of the index's price becomes the fraction that is as
likely of a coin's; parameters of own functions stay as they are. Filters belong to the idea under
test and are left out. Everything else, the size, the stops on the coin, the days held and the
costs, is the run's own.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from backtests.config.config import ALTS, Config
from backtests.config.run_settings import CostSettings
from backtests.engines.account import Account, account_of, fills_table
from backtests.market.known_when import all_pass, lead_of, schedule_of, with_lead
from backtests.market.market import Market, bar_lines, closes_of, signals_of
from backtests.market.tape import Tape
from backtests.market.user_inputs import Known, leaving_exits, own_weights, with_own_signals
from feeds.arrays import Flags
from feeds.bars import Bars
from feeds.sessions import bar_ends
from strategies.orders_and_fills import bought_units, buying_factor
from strategies.rule_settings import RuleSettings, SignalSettings
from strategies.target_weights import ALIVE

Simulate = Callable[[Tape, Config], Account]
DAYS_PER_SESSION: Final = 365 / 252
# Volatility a year, 2014 to 2025: BTC 67 %, ETH 86 %, twelve altcoins held evenly 85 %, the
# Russell 2000 23 %. One fixed number, because measured on a run's bars it would know their future.
VOLATILITY_RATIO: Final = 3.0


def buy_and_hold(tape: Tape, *, costs: CostSettings) -> Account:
    """Buy with all cash at the open of the first bar, pay the costs once, hold untouched.

    A basket is bought in equal money, each coin known to be in it at that open, and left
    untouched; a coin that dies keeps its loss, and what is left of it stays where it is.
    """
    opens, wanted = tape.matrix("open"), _wanted_first(tape)
    impact = costs.impact_factor * tape.matrix("impact")[0]
    cash, units, rows = costs.initial_cash, np.zeros(len(tape.coins)), []
    share = costs.initial_cash / max(1, int(wanted.sum()))
    for place, symbol in enumerate(tape.coins):
        if not wanted[place]:
            continue
        opened, moved = float(opens[0, place]), float(impact[place])
        units[place] = bought_units(
            min(share, cash),
            opened=opened,
            slippage=costs.slippage,
            impact=moved,
            commission=costs.commission,
        )
        price = opened * buying_factor(units[place] * opened, slippage=costs.slippage, impact=moved)
        commission = units[place] * costs.commission * price
        cash -= units[place] * price + commission
        rows.append((tape.times[0], symbol, "buy", units[place], price, commission, "hold"))
    return account_of(
        tape,
        cash=np.full(len(tape), max(cash, 0.0)),
        units=np.tile(units, (len(tape), 1)),
        fills=fills_table(rows),
        initial_cash=costs.initial_cash,
    )


def _wanted_first(tape: Tape) -> Flags:
    """Return which coins can be bought at the first open: they weigh something, and trade then."""
    known = tape if tape.before is None else tape.before
    row = 0 if tape.before is None else -1
    trades = tape.matrix("alive")[0] == ALIVE
    return np.asarray((known.matrix("on_weight")[row] > 0) & trades)


def benchmark(tape: Tape, config: Config, *, simulate: Simulate) -> Account:
    """Hold what the rule trades, all the time: the coin, or the basket at its weights."""
    if config.asset == ALTS:
        return always_in(tape, config, simulate=simulate)
    return buy_and_hold(tape, costs=config.costs)


def always_in(tape: Tape, config: Config, *, simulate: Simulate) -> Account:
    """Hold what the signal would hold, all the time: same weights, rebalancing and costs."""
    return simulate(_without_signal(_always_wanted(tape)), _by_the_rule(config))


def hold_idle(tape: Tape, config: Config, *, simulate: Simulate) -> Account:
    """Hold what is held while the signal is off, all the time."""
    return simulate(_without_signal(tape), _by_the_rule(config))


def _by_the_rule(config: Config) -> Config:
    """Return the config without a strategy of one's own, which might trade without a signal."""
    return config.model_copy(update={"strategy": None}) if config.strategy else config


def _always_wanted(tape: Tape) -> Tape:
    before = None if tape.before is None else _always_wanted(tape.before)
    coins = {
        symbol: {**own, "idle_weight": own["on_weight"], "on_weight": np.zeros(len(tape))}
        for symbol, own in tape.coins.items()
    }
    return replace(tape, coins=coins, before=before)


def _without_signal(tape: Tape) -> Tape:
    before = None if tape.before is None else _without_signal(tape.before)
    never = np.full(len(tape), -1.0)
    lines = {**tape.lines, "trigger_session": never, "lost_session": never}
    return replace(tape, lines=lines, before=before)


def control_config(config: Config) -> Config:
    """Return the config of the control: signal and stops in terms that fit a coin."""
    return config.model_copy(
        update={"signal": own_signal(config.signal), "rules": own_rules(config.rules)}
    )


def own_signal(signal: SignalSettings) -> SignalSettings:
    """Return the signal's settings for a coin: days for sessions, wider bounds."""
    days = {name: _days(getattr(signal, name)) for name in ("min_history", "base", "confirm")}
    lookback = signal.lookback if signal.lookback == "all" else _days(signal.lookback)
    return signal.model_copy(
        update={
            **days,
            "lookback": lookback,
            "window": _days(signal.window),
            "tolerance": fall_of_coin(signal.tolerance),
            "clearance": (1 + signal.clearance) ** VOLATILITY_RATIO - 1,
        }
    )


def own_rules(rules: RuleSettings) -> RuleSettings:
    """Return the rules for a coin: the fall from its own high is as unlikely as the index's."""
    return rules.model_copy(update={"index_drawdown": fall_of_coin(rules.index_drawdown)})


def control_tape(market: Market, config: Config) -> Tape:
    """Return the tradable tape of the control; `config` is that of `control_config`."""
    own = _daily(market.coin)
    available_at = bar_ends(pd.DatetimeIndex(own.frame.index), kind="coin", timeframe="1d")
    known = Known(replace(market.inputs, index=own), available_at, market.coin)
    signals = with_own_signals(signals_of(own, config), config, known)
    schedule = schedule_of(config, close=closes_of(own), signals=signals, available_at=available_at)
    lines = bar_lines(config, market.coin, schedule, own=own_weights(config, known))
    unfiltered = np.zeros(len(market.coin), np.bool_)
    lines["leave"] = leaving_exits(config, known, filtered=unfiltered)
    tape = Tape(lines, market.tape.coins)
    return with_lead(config, tape, lead_of(schedule, market.coin, all_pass)).cut(market.tradable)


def fall_of_coin(fall: float) -> float:
    """Return the fall of a coin that is as many of its deviations (log) as the index's fall."""
    return float(1 - (1 - fall) ** VOLATILITY_RATIO)


def _days(sessions: int) -> int:
    return max(1, round(sessions * DAYS_PER_SESSION))


def _daily(coin: Bars) -> Bars:
    if coin.timeframe == "1d":
        return coin
    how = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    frame = coin.frame.resample("1D").agg(how).dropna(subset=["close"])
    return Bars(coin.instrument, "1d", frame, coin.source, coin.origin, coin.notes)
