"""Validation: what any source gives becomes bars here, or one error says what is wrong.

Files and vendors pass the same steps and get the same notes. Each repair is a small named
step that invents no price and says in a note what it did and to which rows.
"""

import logging
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from feeds.arrays import Flags
from feeds.bars import MARKET_CAP, PRICES, QUOTE_VOLUME, Bars
from feeds.errors import DataError, NotServed
from feeds.instruments import Instrument
from feeds.message_text import count_noun, listed_times, number_text, time_texts
from feeds.raw_table import DATE, Draft, RawTable
from feeds.sessions import utc_now
from feeds.timestamps import read_stamps

log = logging.getLogger(__name__)

# A bar whose range misses its own open or close by more than this is wrong, not rounded.
ROUNDING: Final = 0.01
# Rows without a price in the middle are gaps; more than this share is a broken table.
MOST_UNPRICED: Final = 0.02
FEW_UNPRICED: Final = 5
AMOUNTS: Final = ("volume", QUOTE_VOLUME, MARKET_CAP)


def validate_bars(
    table: RawTable,
    *,
    instrument: Instrument,
    timeframe: str,
    source: str,
    now: pd.Timestamp | None = None,
    is_live: bool = False,
) -> Bars:
    """Turn a table into `Bars`, or say what is wrong with it.

    Parameters
    ----------
    now
        The present instant (UTC), injected by tests; a bar that ends later is in progress.
    is_live
        Whether a vendor has just answered: what is missing at the end is then only logged.

    Raises
    ------
    NotServed
        If a vendor's answer holds no finished bar.
    DataError
        Naming origin, line, column and value of what is wrong; several rows together.
    """
    draft = _open(table, instrument, timeframe, now=now or utc_now(), is_live=is_live)
    _require_rows(draft)
    for step in (
        read_stamps,
        without_unpriced,
        without_repeats,
        with_sound_prices,
        with_known_amounts,
        with_range_of_closes,
    ):
        draft = step(draft)
        _require_rows(draft)
    names = (*PRICES, "volume", *(name for name in AMOUNTS[1:] if name in draft.values))
    unknown = np.full(len(draft), np.nan)
    columns = {name: draft.values.get(name, unknown) for name in names}
    frame = pd.DataFrame(columns, index=draft.times)
    notes = (*table.notes, *draft.notes)
    return Bars(
        instrument,
        timeframe,
        frame,
        source,
        table.origin,
        notes,
        is_close_only=table.is_close_only,
        readings=table.readings,
    )


def _open(
    table: RawTable, instrument: Instrument, timeframe: str, *, now: pd.Timestamp, is_live: bool
) -> Draft:
    """Return the table's columns as a draft, sorted by time."""
    frame = table.frame
    needed = ("date", "close") if table.is_close_only else ("date", *PRICES)
    missing = [name for name in needed if name not in frame.columns]
    if missing:
        raise DataError(
            f"{table.origin}: column `{missing[0]}` is missing, found "
            f"{', '.join(map(str, frame.columns))}. Needed: {', '.join(needed)}."
        )
    if frame.empty and not is_live:
        raise DataError(f"{table.origin}: no rows. Download it again or remove it.")
    names = [name for name in (*PRICES, *AMOUNTS) if name in frame.columns]
    values = {name: frame[name].to_numpy(np.float64) for name in names}
    times = pd.DatetimeIndex(frame["date"]).rename(None)
    rows = np.arange(len(frame), dtype=np.int64)
    draft = Draft(table, instrument, timeframe, now, is_live, times, values, rows)
    return draft if times.is_monotonic_increasing else _sort(draft)


def _sort(draft: Draft) -> Draft:
    """Return the rows by ascending time; where they stood otherwise a note says so."""
    disorder = _disorder(draft)
    order = draft.times.asi8.argsort(kind="stable")
    values = {name: column[order] for name, column in draft.values.items()}
    draft = draft.with_note(f"{disorder}, sorted by date") if disorder else draft
    return replace(draft, times=draft.times[order], values=values, rows=draft.rows[order])


def _disorder(draft: Draft) -> str:
    """Return how the rows stood, nothing where the reader has said that newest come first."""
    stamps = draft.times.asi8
    if (np.diff(stamps) < 0).all():
        is_said = any("newest first" in note for note in draft.table.notes)
        return "" if is_said else f"{count_noun(len(draft), 'row')} stood newest first"
    early = stamps < np.maximum.accumulate(stamps)
    first = int(early.argmax())
    where = f"{draft.place(first)}, {time_texts(draft.times[first : first + 1])[0]}"
    return f"{count_noun(int(early.sum()), 'row')} stood after later ones (the first: {where})"


def _require_rows(draft: Draft) -> None:
    if len(draft):
        return
    if draft.is_live:
        raise NotServed(
            f"{draft.origin}: no finished {draft.timeframe} bar. Ask for an earlier start."
        )
    raise DataError(
        f"{draft.origin}: none of its rows ({len(draft.table.frame):,}) is a finished "
        f"{draft.timeframe} bar with prices. Download it again or remove it."
    )


def without_unpriced(draft: Draft) -> Draft:
    """Leave out rows where a price is missing or 0; inside the history that is a gap."""
    prices = np.column_stack([draft.values[name] for name in draft.prices])
    missing = np.asarray(np.isnan(prices).any(axis=1))
    zero = np.asarray((prices == 0).any(axis=1))
    priced = ~(missing | zero)
    if priced.any():
        first, last = int(priced.argmax()), len(priced) - int(priced[::-1].argmax())
        inside = int((~priced[first:last]).sum())
        if inside > max(FEW_UNPRICED, MOST_UNPRICED * (last - first)):
            raise DataError(
                f"{draft.origin}: {inside:,} of {count_noun(last - first, 'bar')} have no price "
                f"({listed_times(draft.times[first:last][~priced[first:last]])}). Use another "
                "source."
            )
    draft = draft.without(missing, "a price is missing")
    return draft.without(np.asarray(zero[~missing]), "a price is 0")


def without_repeats(draft: Draft) -> Draft:
    """Leave out rows that repeat another one exactly.

    Raises
    ------
    DataError
        If two rows of one bar contradict each other.
    """
    same_time = np.concatenate(([False], np.diff(draft.times.asi8) == 0))
    if not same_time.any():
        return draft
    cells = pd.DataFrame(dict(draft.values)).assign(**{DATE: draft.times.asi8})
    repeats = np.asarray(cells.duplicated())
    once = draft.only(~repeats)
    contradicted = np.flatnonzero(np.diff(once.times.asi8) == 0)
    if contradicted.size:
        raise _contradiction(once, contradicted)
    return draft.without(repeats, "the same bar twice")


def _contradiction(draft: Draft, at: np.ndarray) -> DataError:
    one, other = int(at[0]), int(at[0]) + 1
    name = next(name for name, column in draft.values.items() if column[one] != column[other])
    first, second = sorted((one, other), key=lambda row: int(draft.rows[row]))
    told = " and ".join(number_text(draft.values[name][row]) for row in (first, second))
    places = " and ".join(draft.place(row) for row in (first, second))
    days = listed_times(draft.times[at])
    more = f" ({count_noun(at.size, 'bar')} so: {days})" if at.size > 1 else ""
    return DataError(
        f"{draft.origin}: {places} are two different bars of "
        f"{time_texts(draft.times[one : one + 1])[0]}, column `{name}`: {told}{more}. "
        f"{draft.remedy}"
    )


def with_sound_prices(draft: Draft) -> Draft:
    """Widen high and low to the bar's own open and close where rounding left them inside.

    Raises
    ------
    DataError
        If prices are negative or infinite, or a range misses its bar by more than rounding.
    """
    unsound = {
        name: ~np.isfinite(draft.values[name]) | (draft.values[name] <= 0) for name in draft.prices
    }
    if any(wrong.any() for wrong in unsound.values()):
        raise draft.refusal(
            unsound, singular="is not a positive price", plural="prices are not positive numbers"
        )
    if draft.prices != PRICES:
        return draft
    opens, high, low, close = (draft.values[name] for name in PRICES)
    above, below = np.maximum(opens, close), np.minimum(opens, close)
    missed = {"high": above > high * (1 + ROUNDING), "low": low > below * (1 + ROUNDING)}
    if any(wrong.any() for wrong in missed.values()):
        raise draft.refusal(
            missed,
            singular="leaves out its bar's own open or close",
            plural="highs and lows leave out their bar's own open or close",
        )
    wrong = (above > high) | (low > below)
    if not wrong.any():
        return draft
    count = count_noun(int(wrong.sum()), "bar")
    draft = draft.with_note(
        f"high or low widened to open and close: {count}, {listed_times(draft.times[wrong])}"
    )
    widened = {"high": np.maximum(high, above), "low": np.minimum(low, below)}
    return replace(draft, values={**draft.values, **widened})


def with_known_amounts(draft: Draft) -> Draft:
    """Check volumes and market capitalisation, and say where they are unknown.

    A market capitalisation of 0 means unknown, as CoinMarketCap writes it.

    Raises
    ------
    DataError
        If one is negative or infinite.
    """
    amounts = {name: draft.values[name] for name in AMOUNTS if name in draft.values}
    wrong = {name: (column < 0) | np.isinf(column) for name, column in amounts.items()}
    if any(mask.any() for mask in wrong.values()):
        raise draft.refusal(
            wrong,
            singular="is negative or infinite",
            plural="amounts are negative or infinite",
        )
    for name, column in amounts.items():
        draft = _noted_unknown(draft, name, np.isnan(column), "empty")
    caps = amounts.get(MARKET_CAP)
    if caps is None or not (caps == 0).any():
        return draft
    draft = _noted_unknown(draft, MARKET_CAP, caps == 0, "0")
    return replace(draft, values={**draft.values, MARKET_CAP: np.where(caps == 0, np.nan, caps)})


def _noted_unknown(draft: Draft, name: str, unknown: Flags, how: str) -> Draft:
    """Note where a coin's amount is unknown; nothing depends on an index's."""
    if not unknown.any() or draft.instrument.kind == "index":
        return draft
    count = int(unknown.sum())
    which = "all" if unknown.all() else listed_times(draft.times[unknown])
    return draft.with_note(
        f"{name} is {how}, so unknown: {count_noun(count, 'bar')} of {len(draft):,} ({which})"
    )


def with_range_of_closes(draft: Draft) -> Draft:
    """Give bars made of closes alone their open, high and low, and say so.

    An index opens and stays at its close. A coin trades without a break, so it opens at the
    last close, also after a gap, and high and low are the larger and the smaller of the two.
    """
    if not draft.table.is_close_only:
        return draft
    close = draft.values["close"]
    if draft.instrument.kind == "index":
        opens = close
        text = "closes only: open, high and low are the close"
    else:  # a vendor knows what came before the first bar of an update
        opens = np.concatenate((draft.values.get("open", close)[:1], close[:-1]))
        text = "closes only: open is the last close, high and low the larger and smaller of the two"
    ranges = {"open": opens, "high": np.maximum(opens, close), "low": np.minimum(opens, close)}
    return replace(draft.with_note(text), values={**draft.values, **ranges})
