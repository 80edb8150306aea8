"""Whether the bars are the latest there can be: what is missing, and when the next is due."""

from collections.abc import Iterator, Sequence

import pandas as pd

from backtests.config.config import Config
from backtests.market.inputs import Inputs
from feeds.bars import Bars
from feeds.sessions import BAR_LENGTHS, closes_after, session_closes, sessions_between
from feeds.wording import BAR_NOUNS, count_noun, listed_times, time_texts


def stale_bars(config: Config, inputs: Inputs, *, now: pd.Timestamp) -> tuple[str, ...]:
    """Return what is missing of index and coins at an instant (UTC), a phrase each."""
    own = [*_alive(config, inputs.coins), *([inputs.idle] if inputs.idle else [])]
    found = [*_index_gaps(config, inputs.index, now), *(_coin_gap(each, now) for each in own)]
    return tuple(dict.fromkeys(filter(None, found)))


def _alive(config: Config, coins: Sequence[Bars]) -> list[Bars]:
    """Return the coins but those of a basket that are taken for dead, whose bars are no lack."""
    latest = max(pd.Timestamp(each.frame.index[-1]) for each in coins)
    dead = pd.Timedelta(days=config.basket.delisted_after_days)
    return [each for each in coins if latest - pd.Timestamp(each.frame.index[-1]) <= dead]


def next_close(config: Config, *, now: pd.Timestamp) -> pd.Timestamp:
    """Return when the next session of the index is known (UTC)."""
    delay = pd.Timedelta(minutes=config.index.delay_minutes)
    day = (now - delay).tz_convert(None).normalize()
    for date in (day - pd.Timedelta(days=1), day, day + pd.Timedelta(days=1)):
        (close,) = closes_after(pd.DatetimeIndex([date]))
        if close + delay > now:
            return close + delay
    raise ValueError("a session closes within three days of any other")


def _index_gaps(config: Config, index: Bars, now: pd.Timestamp) -> Iterator[str]:
    delay = pd.Timedelta(minutes=config.index.delay_minutes)
    last = pd.Timestamp(index.frame.index[-1])
    if index.timeframe == "1d":
        due = sessions_between(last + pd.Timedelta(days=1), now.tz_convert(None).normalize())
        missing = due[session_closes(due) + delay <= now] if len(due) else due
        if len(missing):
            count = count_noun(len(missing), "session")
            yield f"{index.instrument.label} lacks {count}: {listed_times(missing)}"
        return
    (close,) = closes_after(pd.DatetimeIndex([last.tz_convert(None).normalize()]))
    if close + delay <= now:
        yield f"{index.instrument.label} has no hourly bar after {last:%Y-%m-%d %H:%M}"


def _coin_gap(coin: Bars, now: pd.Timestamp) -> str:
    length = BAR_LENGTHS[coin.timeframe]
    last = pd.Timestamp(coin.frame.index[-1])
    missing = int((now - last) // length) - 1
    if missing < 1:
        return ""
    count = count_noun(missing, BAR_NOUNS[coin.timeframe])
    (after,) = time_texts(pd.DatetimeIndex([last]))
    return f"{coin.instrument.label} lacks {count} after {after}"
