"""One ticker, several coins: a name that comes back after a while is somebody else's.

LUNA died in May 2022; two weeks later another coin was listed under its name. Read as one,
the file shows a coin that rose from its grave by a factor of thirty thousand.
"""

import logging
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd

from feeds.bars import Bars
from feeds.checks import LONG_GAP, findings, with_findings
from feeds.instruments import Instrument
from feeds.sessions import BAR_LENGTHS
from feeds.wording import time_texts

log = logging.getLogger(__name__)


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
