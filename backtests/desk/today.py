"""How a config stands after its last bar, what is due, and how this time compares.

What stands beside it: which bars are missing, when the next close is due, what would change the
answer, and how the coin did in earlier episodes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.analysis.episodes import CoinBars, Forebears, episode_starts, forebears
from backtests.analysis.filter_effects import signal_reasons
from backtests.config.config import Config
from backtests.desk.changes import Change, Support, changes, next_high, support_of
from backtests.engines.account import OWN_REASON, Account, Closing, upkeep_of
from backtests.engines.backtest import closing_of, leak_warnings
from backtests.market.altered_inputs import world_at
from backtests.market.inputs import Inputs
from backtests.market.market import Market, build_market, market_schedule
from feeds.arrays import Floats
from feeds.bars import Bars
from feeds.message_text import BAR_NOUNS, count_noun, listed_times, time_texts
from feeds.sessions import BAR_LENGTHS, closes_after, session_closes, sessions_between, utc_now
from strategies.orders_and_fills import orders
from strategies.target_weights import HALTED

DAY = pd.Timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Order:
    """What is due at the next open: signed `units` per coin, and why.

    Units are those the last close would buy; `weight` is of equity, of all coins together.
    """

    side: str
    units: Mapping[str, float]
    weight: float
    reason: str

    @property
    def total(self) -> float:
        """The units of a single coin; of a basket there is no such sum."""
        return abs(next(iter(self.units.values()))) if len(self.units) == 1 else float("nan")


@dataclass(frozen=True, slots=True)
class GateState:
    """A filter as last known: 1 open, 0 closed, NaN unknown; when that became known."""

    name: str
    state: float
    known_at: pd.Timestamp | None
    lets_pass: bool


@dataclass(frozen=True, slots=True)
class Evening:
    """How a config stands after its last bar.

    `as_of` is that bar's end (UTC); `next_high_at` the close the index must beat. `since` is the
    first fill of what is held, None in cash; `window_end` None without a window. `equity` is the
    money the order's units are for. `warnings` tell what sees the future: no order rests on it.
    """

    config: Config
    asset: str
    as_of: pd.Timestamp
    in_market: bool
    since: pd.Timestamp | None
    entry_reason: str
    window_end: pd.Timestamp | None
    order: Order | None
    equity: float
    index: str
    index_close: float
    next_high_at: float
    support: Support | None
    gates: tuple[GateState, ...]
    changes: tuple[Change, ...]
    stale: tuple[str, ...]
    next_close: pd.Timestamp
    warnings: tuple[str, ...]
    market: Market
    account: Account

    @property
    def exit_code(self) -> int:
        """3 where bars are missing, 10 where an order is due, else 0."""
        return 3 if self.stale else 10 if self.order else 0


def evening_of(
    config: Config, inputs: Inputs, *, equity: float | None = None, now: pd.Timestamp | None = None
) -> Evening:
    """Return how a config stands after its last bar, or at the end of `data.end`.

    `equity` scales the order's units, by default to `costs.initial_cash`; `now` is the instant
    the bars' freshness is judged at.
    """
    instant = _instant(config, now)
    known = world_at(inputs, config, instant.as_unit("ns").value) if config.data.end else inputs
    market = build_market(config, known)
    traded = market.traded
    closed = closing_of(traded, config)
    last = pd.Timestamp(int(traded.lines["bar_end"][-1] * 1e9), tz="UTC")
    money = config.costs.initial_cash if equity is None else equity
    order = order_due(config, market, closed, equity=money)
    since, reason = _entry(config, closed.account)
    return Evening(
        config=config,
        asset=market.coin.instrument.label,
        as_of=last,
        in_market=since is not None,
        since=since,
        entry_reason=reason,
        window_end=_window_end(closed, last),
        order=order,
        equity=money,
        index=market.index.instrument.label,
        index_close=float(traded.lines["index_close"][-1]),
        next_high_at=next_high(config, market)[0],
        support=support_of(config, market),
        gates=_gates(market, last),
        changes=tuple(changes(config, market, closed, is_held=since is not None)),
        stale=stale_bars(config, known, now=instant),
        next_close=next_close(config, now=instant),
        warnings=tuple(leak_warnings(config, market.inputs)),
        market=market,
        account=closed.account,
    )


def _instant(config: Config, now: pd.Timestamp | None) -> pd.Timestamp:
    """Return the evening that is asked about: the end of `data.end`, else now."""
    present = utc_now() if now is None else now
    if not config.data.end:
        return present
    return min(present, pd.Timestamp(config.data.end, tz="UTC") + DAY)


def order_due(
    config: Config,
    market: Market,
    closed: Closing,
    *,
    equity: float | None = None,
    opens: Floats | None = None,
) -> Order | None:
    """Return the order for the next open; None where nothing is due.

    Parameters
    ----------
    equity
        The money to trade for, by default what the run's account is worth.
    opens
        The next opens, shape (coins,); by default the last closes.
    """
    traded, account = market.traded, closed.account
    symbols = list(traded.coins)
    own = float(account.equity.iloc[-1])
    scale = 1.0 if equity is None or own <= 0 else equity / own
    if closed.planned is None:
        found = np.array([closed.ordered.get(symbol, 0.0) for symbol in symbols])
        wanted, reason = np.abs(found), OWN_REASON
    else:
        prices = traded.matrix("close")[-1] if opens is None else opens
        halted = traded.matrix("alive")[-1] == HALTED
        wanted = np.where(halted, np.nan, closed.planned)
        found = orders(
            cash=float(account.bars["cash"].iloc[-1]) * scale,
            units=account.positions.iloc[-1].to_numpy(np.float64) * scale,
            opens=prices,
            targets=wanted,
            threshold=upkeep_of(config, traded).threshold,
            commission=config.costs.commission,
            slippage=config.costs.slippage,
            impact=config.costs.impact_factor * traded.matrix("impact")[-1],
        )
        reason = account.pending
    if not found.any():
        return None
    if closed.planned is None:
        found = found * scale
    side = "buy" if found.sum() > 0 else "sell"
    if (found > 0).any() and (found < 0).any():
        side = "rebalance"
    units = {name: float(each) for name, each in zip(symbols, found, strict=True) if each}
    weight = float(np.nansum(wanted)) if closed.planned is not None else float("nan")
    return Order(side, units, weight, reason)


def _entry(config: Config, account: Account) -> tuple[pd.Timestamp | None, str]:
    """Return when what the signal holds was first bought, and why; None while it is off."""
    entries, exits = signal_reasons(config)
    since: pd.Timestamp | None = None
    reason = ""
    for time, side, why in account.fills[["time", "side", "reason"]].itertuples(index=False):
        if why in exits or (why == OWN_REASON and side == "sell"):
            since, reason = None, ""
        elif since is None and (why in entries or why == OWN_REASON):
            since, reason = pd.Timestamp(time), str(why)
    return (since, reason) if bool(account.invested.iloc[-1]) else (None, "")


def _window_end(closed: Closing, last: pd.Timestamp) -> pd.Timestamp | None:
    if closed.state is None or not np.isfinite(closed.state.window_end):
        return None
    end = pd.Timestamp(int(closed.state.window_end * 1e9), tz="UTC")
    return end if end > last else None


def _gates(market: Market, last: pd.Timestamp) -> tuple[GateState, ...]:
    instant = np.array([last.as_unit("ns").value])
    found = []
    for gate in market.gates:
        place = int(np.searchsorted(gate.known_at, instant[0], side="right")) - 1
        known_at = pd.Timestamp(int(gate.known_at[place]), tz="UTC") if place >= 0 else None
        state = float(gate.at(instant)[0])
        found.append(GateState(gate.name, state, known_at, bool(gate.passes(instant)[0])))
    return tuple(found)


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


def forebears_of(market: Market, config: Config) -> Forebears | None:
    """Return the latest episode of the config's trigger beside those before it.

    Episodes are triggers more than 60 sessions apart. None where there is none.
    """
    schedule = market_schedule(market, config)
    starts = episode_starts(np.flatnonzero(schedule.kinds > 0))
    lines = market.tape.cut(slice(0, market.tradable.stop)).lines
    return forebears(
        pd.DatetimeIndex(market.index.frame.index)[starts],
        (schedule.known_at[starts] + schedule.delay) / 1e9,
        CoinBars(*(lines[name] for name in ("time", "bar_end", "open", "close", "index_close"))),
    )
