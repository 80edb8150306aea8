"""The figures of trials beyond the kernel: baskets, idle assets, filters, upkeep.

The compiled engine keeps their account bar by bar, and the figures follow from its ledger.
"""

from typing import NamedTuple

from backtests.analysis.trades import DUST
from backtests.compiled import compiled
from backtests.fast import Coins, Ledger, Money, Signals, kept
from backtests.sweep.trials.kernel import Scale, Sums, figured
from backtests.sweep.trials.ranges import Floats
from backtests.sweep.trials.spans import Trials, rule_at
from strategies.targets import Upkeep


class FullTape(NamedTuple):
    """Everything the trials of one set of shared settings have in common."""

    signals: Signals
    coins: Coins
    upkeep: Upkeep
    cash_return: float
    periods_per_year: float
    years_per_bar: float


def _summed(ledger: Ledger, close: Floats, scale: Scale, wins: int) -> Sums:
    """Add up the returns of an account; after a total loss they are 0."""
    before = peak = scale.initial_cash
    returns, squares, losses, deepest, held = 0.0, 0.0, 0.0, 1.0, 0
    for row in range(scale.bars):
        equity, is_held = ledger.cash[row], False
        for coin in range(close.shape[1]):
            equity += ledger.units[row, coin] * close[row, coin]
            is_held = is_held or ledger.units[row, coin] != 0
        change = equity / before - 1 if before > 0 else 0.0
        returns += change
        squares += change * change
        losses += min(change - scale.cash_return, 0.0) ** 2
        peak = max(peak, equity)
        deepest = min(deepest, equity / peak)
        held += is_held
        before = equity
    growth = before / scale.initial_cash
    return Sums(growth, returns, squares, losses, deepest, scale.bars, held, wins)


def _trades(ledger: Ledger, coins: Coins, money: Money) -> tuple[int, int]:
    """Return how many round trips there are, and how many of them won."""
    trades = wins = 0
    bars, count = coins.close.shape
    for coin in range(count):
        held, bought, paid, back = 0.0, 0.0, 0.0, 0.0
        for row in range(bars):
            units = ledger.traded[row, coin]
            if units == 0:
                continue
            held += units
            if units > 0:
                price = coins.open[row, coin] * (1 + money.slippage)
                bought += units
                paid += units * price * (1 + money.commission)
            else:
                price = coins.open[row, coin] * (1 - money.slippage)
                back -= units * price * (1 - money.commission)
            if units < 0 and abs(held) <= DUST * -units:
                trades += 1
                wins += back / paid - 1 > 0
                held, bought, paid, back = 0.0, 0.0, 0.0, 0.0
        if bought > 0:
            trades += 1
            wins += (back + held * coins.close[bars - 1, coin]) / paid - 1 > 0
    return trades, wins


def _run(tape: FullTape, trials: Trials, out: Floats) -> None:
    """Fill `out`, shape (trials, len(FIGURES)); group and weight of the trials are not read."""
    for number in range(out.shape[0]):
        money = Money(
            trials.initial_cash[number],
            trials.commission[number],
            trials.slippage[number],
            tape.cash_return,
        )
        ledger = kept(rule_at(trials, number), tape.upkeep, tape.signals, tape.coins, money)
        scale = Scale(
            tape.coins.close.shape[0],
            money.initial_cash,
            tape.cash_return,
            tape.periods_per_year,
            tape.years_per_bar,
        )
        trades, wins = counted(ledger, tape.coins, money)
        figured(scale, summed(ledger, tape.coins.close, scale, wins), trades, out[number])


summed = compiled(_summed, is_inlined=True)
counted = compiled(_trades, is_inlined=True)
run_in_full = compiled(_run)
