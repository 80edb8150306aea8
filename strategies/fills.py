"""What a fill costs: slippage, the impact of the order, and how much money then buys.

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

# A sale into a market without depth still fetches this part of the open.
LEAST_FETCHED = 0.01
# Newton's steps from above to the root of a cubic: they double its digits once near it.
STEPS = 30
DIGITS = 1e-15


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
