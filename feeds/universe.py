"""Which coins a source offers for a basket: no stand-ins, and no two coins under one ticker.

LUNA died in May 2022; two weeks later another coin was listed under its name. Read as one,
the file shows a coin that rose from its grave by a factor of thirty thousand.
"""

import csv
import logging
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import cache
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from feeds.bars import Bars
from feeds.checks import LONG_GAP, findings, with_findings
from feeds.files import bar_files, labels
from feeds.instruments import SAMPLE_SOURCE, Instrument, coin
from feeds.message_text import time_texts
from feeds.sessions import BAR_LENGTHS

# Why a coin is none of the altcoins; the table beside this module names each with its issuer.
KINDS: Final = {
    "major": "one of the two coins that altcoins are measured against",
    "dollar": "stands for a dollar",
    "fiat": "stands for another currency",
    "gold": "stands for a weight of metal",
    "wrapped": "stands for another coin",
    "staked": "stands for another coin that is staked",
    "leveraged": "follows another coin's daily moves, multiplied",
}
LEVERAGE: Final = ("UP", "DOWN", "BULL", "BEAR")
SHORTEST_UNDERLYING: Final = 3  # JUP, SUPER and SUP are coins of their own

# What live vendors are asked for when no members are named: large coins of several years,
# two that collapsed among them. A list made today flatters, and the run says so.
# LUNC is the coin that was LUNA until May 2022; vendors now call another coin LUNA.
USUAL: Final = (
    *("ADA", "AVAX", "BNB", "DOGE", "DOT", "FTT"),
    *("LINK", "LTC", "LUNC", "SOL", "TRX", "XRP"),
)
log = logging.getLogger(__name__)


def altcoins(source: str, *, data_dir: str, timeframe: str) -> list[Instrument]:
    """Return the coins a basket may choose from, sorted by symbol.

    A folder of files and the sample offer what they hold; live vendors offer `USUAL`.
    """
    if source == "files":
        held = labels(bar_files(Path(data_dir)), kind="coin", timeframe=timeframe)
        names = [name for name in held if "-" not in name]  # priced in dollars
    elif source == SAMPLE_SOURCE:
        from feeds.sample import coins

        names = coins()
    else:
        names = list(USUAL)
    return sorted((coin(name) for name in names if is_altcoin(name)), key=lambda each: each.symbol)


def is_altcoin(name: str, *, listed: Collection[str] = ()) -> bool:
    """Whether the coin is neither a major nor a stand-in for money, metal or another coin."""
    return not reason_against(name, listed=listed)


def reason_against(name: str, *, listed: Collection[str] = ()) -> str:
    """Return why the coin is no altcoin, empty if it is one.

    Besides the table, a name with USD in it is a dollar's (no other kind of coin has borne
    one so far), and one that ends like a leveraged token of a coin that is itself `listed`
    at the same venue is that token.
    """
    symbol = name.upper().removesuffix("-USD")
    if symbol in not_altcoins():
        return not_altcoins()[symbol]
    if "USD" in symbol:
        return f"{KINDS['dollar']}: USD is in its name"
    for ending in LEVERAGE:
        underlying = symbol.removesuffix(ending)
        is_own_coin = len(underlying) < SHORTEST_UNDERLYING or underlying not in listed
        if underlying != symbol and not is_own_coin:
            return f"{KINDS['leveraged']}: {underlying} is listed beside it"
    return ""


@cache
def not_altcoins() -> Mapping[str, str]:
    """Return the coins that are no altcoins, by ticker, each with the reason."""
    text = resources.files("feeds").joinpath("not_altcoins.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {row["coin"]: f"{KINDS[row['kind']]}: {row['reason']}" for row in rows}


def split_reused(bars: Bars) -> tuple[Bars, ...]:
    """Return the coins that traded under one ticker, by time.

    A gap of 7 days or more between two bars parts them. The first has the ticker's own name,
    LUNA-USD, later ones are numbered, LUNA.2-USD; each says in a note where it was parted.
    Bars without such a gap come back as they are.
    """
    times = pd.DatetimeIndex(bars.frame.index)
    absent = np.diff(times.asi8) - BAR_LENGTHS[bars.timeframe].value
    starts = np.flatnonzero(absent >= LONG_GAP.value) + 1
    if starts.size == 0:
        return (bars,)
    note = _note(bars, times, starts)
    log.info("%s", note)
    # what was found of the whole, such as the gap itself, is found anew in each part
    of_whole = {finding.text for finding in findings(bars)}
    notes = (note, *(text for text in bars.notes if text not in of_whole))
    edges = [0, *starts.tolist(), len(bars)]
    return tuple(
        with_findings(
            replace(
                bars,
                instrument=number_ticker(bars.instrument, number),
                frame=bars.frame.iloc[first:stop],
                notes=notes,
            )
        )
        for number, (first, stop) in enumerate(pairwise(edges), start=1)
    )


def number_ticker(instrument: Instrument, number: int) -> Instrument:
    """Return the coin that is the `number`th to trade under a ticker: LUNA.2-USD is the second."""
    if number == 1:
        return instrument
    name, dash, quote = instrument.symbol.partition("-")
    return replace(instrument, symbol=f"{name}.{number}{dash}{quote}")


def _note(bars: Bars, times: pd.DatetimeIndex, starts: np.ndarray) -> str:
    spans = "; ".join(
        " to ".join(time_texts(times[[start - 1, start]])) for start in starts.tolist()[:3]
    )
    name = number_ticker(bars.instrument, 2).label
    return (
        f"{bars.instrument.symbol}: comes back after 7 days or more without bars ({spans}), so "
        f"what trades from then on is taken as another coin, {name}"
    )
