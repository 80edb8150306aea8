"""The engine's tape: for every bar, what is known when it ends, for one coin or many."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.market.elapsed_time import bars_per_year, nominal_bars_per_year, years_between
from feeds.arrays import Floats, Integers
from feeds.bars import PRICE_LINES, QUOTE_VOLUME, Bars
from feeds.sessions import BAR_LENGTHS
from strategies.basket import BasketPanel, deciding_bars
from strategies.rule_settings import BasketSettings
from strategies.target_weights import ALIVE, DELISTED, HALTED

Lines = dict[str, Floats]

NANOSECONDS = 1_000_000_000
MONEY_VOLUMES = frozenset({"yahoo"})  # sources whose volume of a coin is in dollars
LARGEST_DAY = 1e12  # dollars; all coins together have never traded for as much in a day
IMPACT_DAYS, FEWEST_DAYS = 30, 5  # of returns, for a day's volatility


@dataclass(frozen=True, slots=True)
class Tape:
    """Lines of the whole (`lines`) and of each coin, all of one length.

    `lines` has the bars' times, the index and signal lines, and the prices the stops and
    charts look at: the coin's own, or a basket's level. `coins` maps symbols, in order, to
    their prices, `alive`, `on_weight`, `idle_weight` and `impact`. `before` is what went before
    the first bar, from which a run takes the state it opens in; None is nothing at all.
    """

    lines: Lines
    coins: dict[str, Lines]
    before: "Tape | None" = None

    def __len__(self) -> int:
        return int(self.lines["time"].size)

    def cut(self, bars: slice) -> "Tape":
        """Return the tape of some bars, which remembers those before them."""
        before = self._rows(slice(0, bars.start), self.before) if bars.start else self.before
        return self._rows(bars, before)

    def _rows(self, bars: slice, before: "Tape | None") -> "Tape":
        return Tape(
            {name: values[bars] for name, values in self.lines.items()},
            {
                symbol: {name: values[bars] for name, values in lines.items()}
                for symbol, lines in self.coins.items()
            },
            before,
        )

    @property
    def parts(self) -> tuple["Tape", ...]:
        """The tapes of all that went before, the earliest first, and this one."""
        earlier = () if self.before is None else self.before.parts
        return (*earlier, self)

    def matrix(self, name: str) -> Floats:
        """Return one line of all coins, shape (bars, coins)."""
        return np.column_stack([lines[name] for lines in self.coins.values()])

    @property
    def opens(self) -> pd.DataFrame:
        """The opens, a row per bar and a column per symbol."""
        return pd.DataFrame(self.matrix("open"), index=self.times, columns=list(self.coins))

    @property
    def years(self) -> float:
        """The years from the first bar's open to the last bar's end."""
        return float(years_between(self.lines["time"][0], self.lines["bar_end"][-1]))

    @property
    def periods_per_year(self) -> float:
        """The bars per year: nominally so many, or those there are if they are fewer."""
        nominal = nominal_bars_per_year(self.lines["time"], self.lines["bar_end"])
        return bars_per_year(len(self), years=self.years, nominal=nominal)

    @property
    def times(self) -> pd.DatetimeIndex:
        """The opening instant (UTC) of each bar."""
        return bar_times(self.lines["time"])

    @property
    def ends(self) -> Integers:
        """The instant (UTC, nanoseconds) at which each bar ends."""
        return nanoseconds(self.lines["bar_end"])

    @property
    def last_closes(self) -> dict[str, float]:
        """The last bar's close of each coin."""
        return dict(zip(self.coins, self.matrix("close")[-1].tolist(), strict=True))


def nanoseconds(instants: Floats) -> Integers:
    """Return seconds, in which tapes count, as nanoseconds; whole seconds are exact."""
    return (instants * NANOSECONDS).astype(np.int64)


def bar_times(opens: Floats) -> pd.DatetimeIndex:
    """Return the instants (UTC) of opens given in seconds."""
    return pd.DatetimeIndex(pd.to_datetime(opens, unit="s", utc=True)).as_unit("ns")


def clock(coins: Sequence[Bars]) -> pd.DatetimeIndex:
    """Return every instant at which one of the coins has a bar that opens."""
    opens = pd.DatetimeIndex(coins[0].frame.index)
    for bars in coins[1:]:
        opens = opens.union(pd.DatetimeIndex(bars.frame.index))
    return opens.as_unit("ns")


def coin_lines(bars: Bars, opens: pd.DatetimeIndex, *, settings: BasketSettings) -> Lines:
    """Return a coin's prices on the clock, and whether it is alive.

    Where it has no bar it is halted and stands at its last close; `delisted_after_days`
    later it is taken for dead and stands at its last close x (1 + `delisting_return`).
    Before its first bar it stands at 1 and is not alive.
    """
    own = pd.DatetimeIndex(bars.frame.index).as_unit("ns")
    latest = own.searchsorted(opens, side="right") - 1
    alive = np.zeros(len(opens), np.bool_)
    alive[opens.get_indexer(own)] = True
    frame = bars.frame.iloc[np.maximum(latest, 0)]
    silent = opens - own[np.maximum(latest, 0)]
    dead = ~alive & (latest >= 0) & (silent > pd.Timedelta(days=settings.delisted_after_days))
    last = np.where(dead, 1 + settings.delisting_return, 1.0) * frame["close"].to_numpy()
    last = np.where(latest < 0, 1.0, last)
    lines = {
        name: np.where(alive, frame[name].to_numpy(), last)
        for name in PRICE_LINES
        if name != "volume"
    }
    lines["volume"] = np.where(alive, frame["volume"].to_numpy(), np.nan)
    lines["alive"] = np.select([alive, np.asarray(dead)], [ALIVE, DELISTED], HALTED)
    return lines


def panel_of(
    coins: Sequence[Bars], lines: Sequence[Lines], opens: pd.DatetimeIndex, settings: BasketSettings
) -> BasketPanel:
    """Return what membership and weights are chosen from."""
    close = np.column_stack([each["close"] for each in lines])
    return BasketPanel(
        alive=np.column_stack([each["alive"] == ALIVE for each in lines]),
        close=close,
        money=np.column_stack([traded_money(bars, opens, settings=settings) for bars in coins]),
        market_cap=np.column_stack([_market_cap(bars, opens) for bars in coins]),
        bars_per_day=pd.Timedelta(days=1) / BAR_LENGTHS[coins[0].timeframe],
        decides=deciding_bars(opens + BAR_LENGTHS[coins[0].timeframe], every=settings.rebalance),
    )


def traded_money(bars: Bars, opens: pd.DatetimeIndex, *, settings: BasketSettings) -> Floats:
    """Return what was traded of a coin in each bar, in money; NaN where it has no bar.

    As its source counted it where that is known, else volume x close: volume is taken for coins
    unless the source is known to count money or the settings say so.
    """
    frame = bars.frame
    in_money = {name.upper().removesuffix("-USD") for name in settings.volume_in_money}
    money = frame["volume"]
    if bars.instrument.label not in in_money and bars.source not in MONEY_VOLUMES:
        money = money * frame["close"]
    if QUOTE_VOLUME in frame:
        money = frame[QUOTE_VOLUME].fillna(money)
    return money.reindex(opens).to_numpy(np.float64)


def dollar_volume(bars: Bars, *, settings: BasketSettings) -> pd.Series:
    """Return what was traded of a coin in each of its bars, in money, known only afterwards.

    As `traded_money`, but where that would be more money than there is, the volume cannot have
    been coins: it is money already. NaN where nothing is known to have been traded.
    """
    opens = pd.DatetimeIndex(bars.frame.index)
    money = pd.Series(traded_money(bars, opens, settings=settings), index=opens)
    if (money > LARGEST_DAY).any():
        money = bars.frame["volume"].astype(np.float64)
    return money.where(money > 0)


def impact_line(bars: Bars, opens: pd.DatetimeIndex, *, settings: BasketSettings) -> Floats:
    """Return what an order of one dollar at each open moves a coin's price by, a fraction.

    It is daily volatility / sqrt(daily volume); an order of `value` dollars moves it by
    sqrt(value) times that, times a coefficient (see `strategies.orders_and_fills`). The volume
    is what is known of the 24 hours ending with the filling bar: no decision to trade reads it,
    it only says at what price an order at that open is filled, and so how many units money buys.
    The volatility is that of the 30 days of closes before the open. 0, so that nothing is
    charged, where the coin has no bar or either is unknown.
    """
    per_day = pd.Timedelta(days=1) / BAR_LENGTHS[bars.timeframe]
    volume = dollar_volume(bars, settings=settings).rolling("24h", min_periods=1).sum()
    returns = bars.frame["close"].pct_change(fill_method=None)
    deviation = returns.rolling(
        round(IMPACT_DAYS * per_day), min_periods=round(FEWEST_DAYS * per_day)
    ).std(ddof=1)
    volatility: pd.Series = deviation.shift() * np.sqrt(per_day)
    impact = volatility / np.sqrt(volume)
    return np.asarray(impact.reindex(opens).fillna(0.0), np.float64)


def level_lines(lines: Sequence[Lines], weights: Floats) -> Lines:
    """Return open and close of the basket's level: held at its weights, set right every bar.

    It starts at 100 and pays no costs; high and low just span open and close.
    """
    close = np.column_stack([each["close"] for each in lines])
    opens = np.column_stack([each["open"] for each in lines])
    before = np.vstack([close[:1], close[:-1]])
    chosen = np.vstack([np.zeros_like(weights[:1]), weights[:-1]])
    level = 100 * np.cumprod(_grown(close, before, chosen))
    opened = np.concatenate(([100.0], level[:-1])) * _grown(opens, before, chosen)
    return {
        "open": opened,
        "high": np.maximum(opened, level),
        "low": np.minimum(opened, level),
        "close": level,
        "volume": np.full(level.size, np.nan),
    }


def _grown(prices: Floats, before: Floats, weights: Floats) -> Floats:
    """Return the growth of the whole; a coin at 0 stays there."""
    own = np.divide(prices, before, out=np.ones_like(prices), where=before > 0)
    return np.asarray(1 + (weights * (own - 1)).sum(axis=1))


def _market_cap(bars: Bars, opens: pd.DatetimeIndex) -> Floats:
    if "market_cap" not in bars.frame.columns:
        return np.full(len(opens), np.nan)
    return bars.frame["market_cap"].reindex(opens).to_numpy(np.float64)
