"""Which coins of a universe a basket ever holds: those ranked first at some time, as known then."""

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import pandas as pd

from feeds.archive.folder import ArchiveFolder
from feeds.archive.universe import DOWNLOAD, Universe, name_of
from feeds.bars import Bars
from feeds.checks import Check, findings
from feeds.errors import ConfigError, DataError
from feeds.folders import cache_folder
from feeds.instruments import SAMPLE_SOURCE
from feeds.sessions import BAR_LENGTHS
from strategies.basket import BasketPanel, deciding_bars, members
from strategies.rule_settings import BasketSettings

# The sources whose coins are a venue's; a source named outright keeps to itself.
LIVE: Final = ("auto", "exchange")
STALE_DAYS: Final = 3
# No coin that trades freely has moved so little in the median of its days.
PEGGED_MOVE: Final = 0.002
# What the checks of bars find, said once of all coins.
FOUND: Final[dict[Check, str]] = {
    "gap": "bars missing inside the range, nothing was put in their place",
    "jump": "split-sized jumps between a close and the next open",
    "frozen": "closes that stand still for three days or longer",
}


@dataclass(frozen=True, slots=True)
class Members:
    """The coins of a universe that are ever in the basket, sorted by symbol.

    `chosen` is whether each is in when a bar ends: instants (UTC) x symbols.
    """

    coins: tuple[Bars, ...]
    chosen: pd.DataFrame
    notes: tuple[str, ...]


class Place(Protocol):
    """Where bars come from: what of the settings of data decides the universe."""

    @property
    def source(self) -> str:
        """The word that selects the source."""
        ...

    @property
    def timeframe(self) -> str:
        """The length of the coins' bars."""
        ...

    @property
    def cache_dir(self) -> str:
        """Where live bars are kept, empty for the usual place."""
        ...


def resolved_basket(basket: BasketSettings, data: Place) -> BasketSettings:
    """Return the basket with every "auto" decided: by the source, and by what is downloaded.

    Raises
    ------
    ConfigError
        If the universe and another setting contradict each other.
    """
    if basket.universe == "auto":
        folder = ArchiveFolder(cache_folder(data.cache_dir), timeframe="1d")
        could_be = data.source in LIVE and _contradiction(basket, data) is None
        is_here = could_be and basket.select != "all" and folder.universe.is_file()
        universe = "binance" if is_here and Universe(folder).is_complete else "none"
        basket = basket.model_copy(update={"universe": universe})
    if basket.universe == "binance" and (reason := _contradiction(basket, data)):
        raise ConfigError(f"`basket.universe` is binance, {reason}")
    if basket.select == "auto":
        by_default = "dollar_volume" if basket.universe == "binance" else "all"
        basket = basket.model_copy(update={"select": by_default})
    return basket


def universe_members(basket: BasketSettings, *, cache_dir: str, timeframe: str = "1d") -> Members:
    """Return the coins that the basket ever holds, from the universe in the cache.

    Only they need bars: the others never rank high enough.

    Raises
    ------
    NotCached, DataError
        If the universe is not there, is damaged, or no coin ever qualifies.
    """
    universe = Universe(ArchiveFolder(cache_folder(cache_dir), timeframe=timeframe))
    found = universe.panel
    ends = found.times + BAR_LENGTHS[timeframe]
    panel = BasketPanel(
        alive=found.alive,
        close=pd.DataFrame(found.close).ffill().to_numpy(),
        money=found.money,
        market_cap=np.full(found.close.shape, np.nan),
        bars_per_day=pd.Timedelta(days=1) / BAR_LENGTHS[timeframe],
        decides=deciding_bars(ends, every=basket.rebalance),
    )
    chosen = members(panel, settings=basket)
    ever = np.flatnonzero(chosen.any(axis=0))
    if not ever.size:
        raise DataError(
            f"no coin of the universe {basket.universe} ever qualifies (`basket.min_age_days` "
            f"{basket.min_age_days}, {len(found.times)} days). Lower it, or fetch more with "
            f"`{DOWNLOAD}`."
        )
    coins = universe.bars(found.coins[place] for place in ever)
    symbols = [found.coins[place].symbol for place in ever]
    table = pd.DataFrame(chosen[:, ever], index=ends, columns=symbols)
    return Members(coins, table, (*universe.notes(), *_coin_notes(coins)))


def stale_note(coins: tuple[Bars, ...], *, now: pd.Timestamp) -> tuple[str, ...]:
    """Return a note if the universe ends long ago: live sources go on without it."""
    last = max(bars.frame.index[-1] for bars in coins)
    if now - last <= pd.Timedelta(days=STALE_DAYS + 1):
        return ()
    return (f"the universe ends {last:%Y-%m-%d}; `{DOWNLOAD}` brings it up to date",)


def _contradiction(basket: BasketSettings, data: Place) -> str | None:
    """Return why the basket cannot be drawn from a universe, None if it can."""
    if basket.members:
        names = ", ".join(basket.members)
        return f"but `basket.members` names {names}. Leave one of the two out."
    if "market_cap" in (basket.select, basket.weights):
        return (
            "whose archive has no market capitalisation, received `basket.select` "
            f"{basket.select} and `basket.weights` {basket.weights}. Use dollar_volume and equal."
        )
    if data.timeframe != "1d":
        return f"which has daily bars, received `data.timeframe` {data.timeframe}. Use 1d."
    if data.source == SAMPLE_SOURCE:
        return "but `data.source` sample is no real market. Use another source."
    return None


def _coin_notes(coins: tuple[Bars, ...]) -> tuple[str, ...]:
    """Return what the checks find in the coins, a line per kind rather than per coin."""
    labels: dict[Check, list[str]] = {}
    for bars in coins:
        for finding in findings(bars):
            labels.setdefault(finding.check, []).append(f"{bars.instrument.label} {finding.count}")
    notes = [
        f"universe: {what}: {name_of(labels[check])}"
        for check, what in FOUND.items()
        if check in labels
    ]
    again = [bars.instrument.label for bars in coins if "." in bars.instrument.label]
    if again:
        notes.append(f"universe: tickers that came back as other coins: {name_of(again)}")
    still = [bars.instrument.label for bars in coins if _hardly_moves(bars)]
    if still:
        notes.append(
            f"universe: hardly moving, as what stands for money does: {name_of(still)}; such a "
            "coin belongs into feeds/not_altcoins.csv"
        )
    return tuple(notes)


def _hardly_moves(bars: Bars) -> bool:
    returns = np.diff(np.log(bars.frame["close"].to_numpy()))
    return returns.size > 0 and float(np.median(np.abs(returns))) < PEGGED_MOVE
