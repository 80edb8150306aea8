"""Which coins a source offers for a basket."""

from pathlib import Path
from typing import Final

from feeds.bar_files import bar_files, labels
from feeds.instruments import Instrument, coin

# Not altcoins: the two majors, and coins that stand for money or for another coin.
MAJORS: Final = frozenset({"BTC", "ETH"})
STABLECOINS: Final = frozenset(
    {"USDT", "USDC", "DAI", "BUSD", "TUSD", "USDP", "PAX", "GUSD", "FDUSD", "USDE", "USDD"}
    | {"FRAX", "LUSD", "PYUSD", "UST", "USTC", "EURT", "EURS", "EURC", "SUSD", "HUSD", "USDN"}
    | {"MIM", "ALUSD", "USD1", "USDS", "RLUSD"}
)
WRAPPED: Final = frozenset(
    {"WBTC", "WETH", "STETH", "WSTETH", "RETH", "CBETH", "CBBTC", "WEETH", "EZETH", "BTCB"}
    | {"RENBTC", "HBTC", "TBTC", "BETH", "WBNB", "WBETH", "METH", "LSETH", "JITOSOL", "MSOL"}
)

# What live vendors are asked for when no members are named: large coins of several years,
# two that collapsed among them. A list made today flatters; the run warns where none died.
# LUNC is the coin that was LUNA until May 2022; vendors now call another coin LUNA.
USUAL: Final = (
    *("ADA", "AVAX", "BNB", "DOGE", "DOT", "FTT"),
    *("LINK", "LTC", "LUNC", "SOL", "TRX", "XRP"),
)


def altcoins(source: str, *, data_dir: str, timeframe: str) -> list[Instrument]:
    """Return the coins a basket may choose from, sorted by symbol.

    A folder of files and the sample offer what they hold; live vendors offer `USUAL`.
    """
    if source == "files":
        held = labels(bar_files(Path(data_dir)), kind="coin", timeframe=timeframe)
        names = [name for name in held if "-" not in name]  # priced in dollars
    elif source == "sample":
        from feeds.sample import coins

        names = coins()
    else:
        names = list(USUAL)
    return sorted((coin(name) for name in names if is_altcoin(name)), key=lambda each: each.symbol)


def is_altcoin(name: str) -> bool:
    """Whether the coin is neither a major nor a stand-in for money or another coin."""
    return name.upper().removesuffix("-USD") not in MAJORS | STABLECOINS | WRAPPED
