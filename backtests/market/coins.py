"""What the coins of a config bring to its market: their lines and weights, and where they end."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from backtests.config.config import ALTS, Config
from backtests.market.inputs import Inputs
from backtests.market.tape import Lines, clock, coin_lines, impact_line, level_lines, panel_of
from feeds.arrays import Integers
from feeds.bars import Bars
from feeds.instruments import Instrument
from strategies.basket import basket_weights, members
from strategies.target_weights import ALIVE

# Files downloaded within a month of each other end on different days; nothing died.
SAME_END: Final = pd.Timedelta(days=30)
NAMED: Final = 6


class MarketCoins(NamedTuple):
    """The bars of the whole, every coin's prices and target weights, and a count, shape (bars,).

    It is that of the coins known to qualify when each bar opens: of a basket those that did when
    the bar before ended, whatever they weigh, so none at the very first.
    """

    whole: Bars
    lines: dict[str, Lines]
    qualifying: Integers


def traded_coin(config: Config, inputs: Inputs) -> Bars:
    """Return the bars of what is traded: the coin's, or the level of the basket."""
    if config.asset != ALTS or not any(map(len, inputs.coins)):
        return inputs.coins[0]
    return coins_of(config, inputs).whole


def coins_of(config: Config, inputs: Inputs) -> MarketCoins:
    """Return what the coins of a config bring to its market, whatever its signals and filters."""
    single = config.asset != ALTS
    symbols = {bars.instrument.symbol for bars in inputs.coins}
    idle = [inputs.idle] if inputs.idle and _idle_symbol(inputs) not in symbols else []
    every = sorted([*inputs.coins, *idle], key=lambda bars: bars.instrument.symbol)
    opens = clock(inputs.coins)
    lines = [coin_lines(bars, opens, settings=config.basket) for bars in every]
    wanted = [place for place, bars in enumerate(every) if bars.instrument.symbol in symbols]
    chosen = [lines[place] for place in wanted]
    if single:
        weights = (chosen[0]["alive"] == ALIVE).astype(np.float64)[:, np.newaxis]
        known = weights[:, 0].astype(np.int64)
        coin = inputs.coins[0]
    else:
        panel = panel_of(inputs.coins, chosen, opens, config.basket)
        qualified = members(panel, settings=config.basket)
        weights = basket_weights(panel, qualified, settings=config.basket)
        known = np.concatenate(([0], qualified.sum(axis=1)[:-1]))
        coin = _level_bars(inputs.coins, opens, level_lines(chosen, weights))
    for place, each in enumerate(lines):
        each["on_weight"] = (
            weights[:, wanted.index(place)] if place in wanted else np.zeros(len(opens))
        )
        resting = every[place].instrument.symbol == _idle_symbol(inputs)
        # what nobody is charged for need not be known
        each["impact"] = (
            impact_line(every[place], opens, settings=config.basket)
            if config.costs.impact != "none"
            else np.zeros(len(opens))
        )
        each["idle_weight"] = (each["alive"] == ALIVE) * (config.idle.weight if resting else 0.0)
    named = {bars.instrument.symbol: each for bars, each in zip(every, lines, strict=True)}
    return MarketCoins(coin, named, known)


def _idle_symbol(inputs: Inputs) -> str:
    return inputs.idle.instrument.symbol if inputs.idle else ""


def _level_bars(coins: tuple[Bars, ...], opens: pd.DatetimeIndex, level: Lines) -> Bars:
    frame = pd.DataFrame(level, index=opens)
    return Bars(
        Instrument(ALTS, "coin"),
        coins[0].timeframe,
        frame,
        coins[0].source,
        f"level of {len(coins)} coins",
        tuple(note for bars in coins for note in bars.notes),
    )


def common_end(coins: Sequence[Bars]) -> pd.Timestamp:
    """Return the last bar that all coins still trading have.

    A coin whose bars end more than 30 days before the newest bar of any has stopped trading.
    """
    ends = [_last(bars) for bars in coins]
    return min(end for end in ends if end >= max(ends) - SAME_END)


def ending_notes(coins: Sequence[Bars], *, until: pd.Timestamp | None = None) -> tuple[str, ...]:
    """Return what a basket's ends mean for a run that goes no further than `until`."""
    newest, common = max(map(_last, coins)), common_end(coins)
    notes = []
    if common < newest and (until is None or common < until):
        longest = next(bars for bars in coins if _last(bars) == newest)
        notes.append(
            f"the run ends on {common:%Y-%m-%d}, the last day all coins have; "
            f"{longest.instrument.label} has bars to {newest:%Y-%m-%d}"
        )
    last = common if until is None else min(common, until)
    dead = [f"{b.instrument.label} ({_last(b):%Y-%m-%d})" for b in coins if _last(b) < last]
    if dead:
        more = f" and {len(dead) - NAMED} more" if len(dead) > NAMED else ""
        notes.append(
            "stopped trading before the end, and sold as delisted where held: "
            f"{', '.join(dead[:NAMED])}{more}"
        )
    return tuple(notes)


def _last(bars: Bars) -> pd.Timestamp:
    return pd.Timestamp(bars.frame.index[-1])


def survivor_note(config: Config, inputs: Inputs) -> str | None:
    """Return a warning if a basket's coins were chosen by how they ended, else None.

    Of coins listed years ago most are dead or dwarfed; a list without a single death was
    made by somebody who knew how it ended, and one named by hand most likely was. A basket
    of the top coins of each day was not.
    """
    if config.asset != ALTS or config.basket.select != "all":
        return None
    ends = [bars.frame.index[-1] for bars in inputs.coins]
    died = sum(end < common_end(inputs.coins) for end in ends)
    if died and not config.basket.members:
        return None
    if died:
        return (
            f"HAND-PICKED: the {len(ends)} coins of the basket were named by hand; {died} stopped "
            "trading before the end, but most coins listed with them are dead or dwarfed, so the "
            "result is too good. `basket.select` takes the largest of each day instead"
        )
    return (
        f"SURVIVORS: none of the {len(ends)} coins of the basket stopped trading before the end, "
        "so the list looks picked from those that are left; the result is too good by what the "
        "others lost"
    )
