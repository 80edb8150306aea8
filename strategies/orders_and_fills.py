"""From target weights to orders, and what filling them costs: slippage, impact, commission.

An order moves the price against itself with the square root of its share of a day's volume:

    impact = coefficient x daily volatility x sqrt(order / daily volume)

with a coefficient near 1: Toth et al., "Anomalous price impact and the critical nature of
liquidity in financial markets", Physical Review X 1 (2011) 021006; on Bitcoin Donier and
Bonart, "A million metaorder analysis of market impact on the Bitcoin", Market Microstructure
and Liquidity 1 (2015). `impact` below is what such an order of one dollar costs, a fraction of
the price, coefficient x volatility / sqrt(volume); 0 is none.

Plain numbers or arrays throughout: every engine calls these functions, compiled or not.
"""

from typing import overload

import numpy as np

from feeds.arrays import Floats

# An order worth less than this part of equity would only be rounding.
LEAST_ORDER = 1e-9
LAST_DIGITS = 1e-10
# A sale into a market without depth still fetches this part of the open.
LEAST_FETCHED = 0.01
# Newton's steps from above to the root of a cubic: they double its digits once near it.
STEPS = 30
DIGITS = 1e-15


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


@overload
def buying_factor(value: float, *, slippage: float, impact: float) -> float: ...
@overload
def buying_factor(value: Floats, *, slippage: float, impact: Floats) -> Floats: ...
def buying_factor(
    value: float | Floats, *, slippage: float, impact: float | Floats
) -> float | Floats:
    """Return the price over the open of buying for `value`, in money at the open."""
    return 1 + (slippage + impact * np.sqrt(value))


@overload
def selling_factor(value: float, *, slippage: float, impact: float) -> float: ...
@overload
def selling_factor(value: Floats, *, slippage: float, impact: Floats) -> Floats: ...
def selling_factor(
    value: float | Floats, *, slippage: float, impact: float | Floats
) -> float | Floats:
    """Return the price over the open of selling for `value`, in money at the open."""
    return np.maximum(1 - (slippage + impact * np.sqrt(value)), LEAST_FETCHED)


def fill_prices(trades: Floats, opens: Floats, *, slippage: float, impact: Floats) -> Floats:
    """Return the prices of fills of signed units, positive to buy, at their opens."""
    value = np.abs(trades) * opens
    bought = buying_factor(value, slippage=slippage, impact=impact)
    sold = selling_factor(value, slippage=slippage, impact=impact)
    return opens * np.where(trades > 0, bought, sold)


def affordable_units(money: float, *, price: float, commission: float) -> float:
    """Return the units that `money` buys at `price`, commission (a fraction) included.

    The largest float whose cost, added up as the broker does, stays within `money`.
    """
    units = money / (price * (1 + commission))
    while units > 0 and money - units * price - units * commission * price < 0:
        units = float(np.nextafter(units, 0.0))
    return units


def bought_units(
    money: float, *, opened: float, slippage: float, impact: float, commission: float
) -> float:
    """Return the units that `money` buys at an open, slippage, impact and commission included.

    Their cost, added up as the broker does, stays within `money`.
    """
    if impact <= 0 or money <= 0:
        return affordable_units(money, price=opened * (1 + slippage), commission=commission)
    # with r the root of the value at the open, plain r^2 + moved r^3 = money
    plain, moved = (1 + slippage) * (1 + commission), impact * (1 + commission)
    root: float = min(np.sqrt(money / plain), (money / moved) ** (1 / 3))
    for _ in range(STEPS):
        excess = (plain + moved * root) * root * root - money
        step = excess / ((2 * plain + 3 * moved * root) * root)
        root -= step
        if step <= DIGITS * root:
            break
    units: float = root * root / opened
    while units > 0:
        price = opened * buying_factor(units * opened, slippage=slippage, impact=impact)
        if money - units * price - units * commission * price >= 0:
            break
        units = float(np.nextafter(units, 0.0))
    return units
