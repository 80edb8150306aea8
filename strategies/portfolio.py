"""From target weights to orders: how many units to trade at an open, sells before buys."""

import numpy as np

from feeds.arrays import Floats
from strategies.fills import bought_units, buying_factor, selling_factor

# An order worth less than this part of equity would only be rounding.
LEAST_ORDER = 1e-9
LAST_DIGITS = 1e-10


def orders(
    *,
    cash: float,
    units: Floats,
    opens: Floats,
    targets: Floats,
    threshold: float,
    commission: float,
    slippage: float,
    impact: Floats,
) -> Floats:
    """Return the signed units to trade of each coin so that its weight becomes its target.

    Parameters
    ----------
    cash, units, opens
        The account before the open, and the opens, shape (coins,).
    targets
        Wanted weights of equity, costs of buying included, shape (coins,), adding up to at
        most 1; NaN leaves a coin alone.
    threshold
        A weight this near its target (or nearer) is left alone, unless the target is 0.
    commission, slippage
        Fractions, per side.
    impact
        What an order of one dollar moves each price by, shape (coins,); see `strategies.fills`.

    Returns
    -------
    Positive to buy, negative to sell; buys never need more than the cash there is after
    the sells, and are cut in proportion where costs would make them.
    """
    held = units * opens
    equity = cash + sum_in_order(held)
    gaps = np.nan_to_num(targets * equity - held)
    near = np.abs(gaps) <= max(threshold, LEAST_ORDER) * equity
    gaps = np.where(near & (targets > 0), 0.0, gaps)
    trades = np.zeros(units.size)
    for coin in np.flatnonzero((gaps < 0) & (units > 0)):
        whole = targets[coin] == 0
        trades[coin] = -(units[coin] if whole else min(units[coin], -gaps[coin] / opens[coin]))
    sold = -trades * opens
    fetched = selling_factor(sold, slippage=slippage, impact=impact)
    proceeds = sum_in_order(sold * fetched * (1 - commission))
    # the broker adds proceeds up in another order: leave it the last digits
    left = cash + proceeds * (1 - LAST_DIGITS)
    wanted = sum_in_order(np.maximum(gaps, 0.0))
    share = min(1.0, left / wanted) if wanted > 0 else 0.0
    for coin in np.flatnonzero(gaps * share > LEAST_ORDER * equity):
        trades[coin] = bought_units(
            min(gaps[coin] * share, left),
            opened=opens[coin],
            slippage=slippage,
            impact=impact[coin],
            commission=commission,
        )
        price = opens[coin] * buying_factor(
            trades[coin] * opens[coin], slippage=slippage, impact=impact[coin]
        )
        left -= trades[coin] * price
        left -= trades[coin] * commission * price
    return trades


def sum_in_order(values: Floats) -> float:
    """Return the sum of some numbers, one after the other.

    numpy adds eight and more up in another order than compiled code, which shows in the last
    digit.
    """
    total = 0.0
    for value in values:
        total += value
    return total
