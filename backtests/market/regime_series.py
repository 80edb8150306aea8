"""Series that nothing trades on, by which a page tells calm from stormy markets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from backtests.config.config import Config
from backtests.market.inputs import Inputs
from feeds.derived_series import NET_LIQUIDITY
from feeds.errors import Absent, InputError, NotCached, NotServed
from feeds.instruments import SAMPLE_SOURCE
from feeds.series import Series
from feeds.series_sources import load_series

VIX: Final = "VIX"
LIQUIDITY: Final = NET_LIQUIDITY
# under which names each may be at hand, the earliest known first
WANTED: Final = {VIX: (VIX, "VIXCLS"), LIQUIDITY: (LIQUIDITY,)}


@dataclass(frozen=True, slots=True)
class RegimeSeries:
    """What was at hand of `WANTED`, by name.

    Those in `read` are read for the page alone, the others by a filter too. `missing` says of
    each other one whether it is there and cannot be read.
    """

    found: Mapping[str, Series]
    read: tuple[str, ...]
    missing: Mapping[str, bool]


def regime_series(config: Config, inputs: Inputs) -> RegimeSeries:
    """Return the series that are at hand: a filter's own, or those of data folder and cache.

    Nothing is asked of the network, and none of them ever makes a run fail. Made-up bars have
    none: their days are not those of the real series.
    """
    found, read, missing = {}, [], {}
    for name, candidates in WANTED.items():
        filtered = [inputs.series[one] for one in candidates if one in inputs.series]
        if filtered:
            found[name] = filtered[0]
            continue
        series, is_unreadable = _at_hand(candidates, config, inputs)
        if series is None:
            missing[name] = is_unreadable
        else:
            found[name] = series
            read.append(name)
    return RegimeSeries(found, tuple(read), missing)


def _at_hand(names: tuple[str, ...], config: Config, inputs: Inputs) -> tuple[Series | None, bool]:
    """Return the first series that can be read, and whether one is there that cannot."""
    is_unreadable = False
    for name in names if inputs.index.source != SAMPLE_SOURCE else ():
        try:
            return _load(name, config), False
        except (Absent, NotServed, NotCached):
            continue
        except (InputError, OSError):
            is_unreadable = True
    return None, is_unreadable


def _load(name: str, config: Config) -> Series:
    data = config.data
    return load_series(
        name,
        source=data.source,
        data_dir=data.data_dir,
        cache_dir=data.cache_dir,
        offline=True,
        choices=data.choices,
        history=data.history,
    )
