"""Settings of bars, index, costs, files, studies and vendors, with their defaults.

Those of signals, rules, sizes, filters and baskets are in `strategies.rule_settings`.
"""

import datetime as dt
from pathlib import Path
from typing import Annotated, Final, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field

from feeds.reading.dialects import Choices, Role, sound_date_format, sound_zone
from strategies.rule_settings import Settings, Symbol

BASIS_POINT: Final = 1e-4
FIRST_YEAR: Final = 1700
LAST_YEAR: Final = 2200


def iso_day(value: object) -> object:
    """Return a day as text, for pydantic; an instant with a zone means its day in UTC.

    Days that no bar can have, and no index of nanoseconds holds, are refused.
    """
    if isinstance(value, str) and value.strip():
        value = dt.datetime.fromisoformat(value.strip())
    if isinstance(value, dt.datetime):
        value = _in_utc(value).date()
    if not isinstance(value, dt.date):
        return value
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(value)
    return value.isoformat()


def _in_utc(instant: dt.datetime) -> dt.datetime:
    try:
        return instant.astimezone(dt.UTC) if instant.tzinfo else instant
    except OverflowError as error:  # the first and last day there are, in some other zone
        raise ValueError(instant) from error


def as_tuple(value: object) -> object:
    """Return a list of a config as the tuple that settings hold, for pydantic."""
    return tuple(value) if isinstance(value, list) else value


def _absolute(folder: str) -> str:
    """Return a folder as it is found from anywhere, so that a config left behind runs again."""
    try:
        path = Path(folder).expanduser()
    except RuntimeError:  # the home of somebody who has none here
        path = Path(folder)
    return str(path.absolute()) if folder else ""


Folder = Annotated[str, AfterValidator(_absolute)]
BasisPoints = Annotated[float, Field(ge=0, le=5_000)]
Date = Annotated[
    str,
    BeforeValidator(iso_day),
    Field(json_schema_extra={"allowed": f"YYYY-MM-DD from {FIRST_YEAR} to {LAST_YEAR}, or empty"}),
]
Draws = Annotated[int, Field(ge=100, le=1_000_000)]
Horizon = Annotated[int, Field(ge=1, le=3_650)]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]


class SignificanceSettings(Settings):
    """How intervals and placebos of a run are drawn; `block_bars` is a mean length.

    `tried` is how many settings were tried before these were chosen, these included.
    """

    seed: Seed = 0
    draws: Draws = 1_000
    block_bars: Annotated[float, Field(ge=1, le=100_000)] | Literal["auto"] = Field(
        "auto", json_schema_extra={"allowed": 'a number from 1 to 100000, or "auto"'}
    )
    tried: Annotated[int, Field(ge=1, le=10**15)] = 1
    confidence: Annotated[float, Field(ge=0.5, le=0.999)] = 0.95


class ReadingSettings(Settings):
    """What settles files that can be read in several ways; see `feeds.reading.Choices`.

    Each is used only for a file that needs it: one that is certain by itself, such as our own
    form, is read as it is.
    """

    columns: dict[Role, str] = Field(
        default_factory=dict,
        json_schema_extra={
            "allowed": f'a table such as {{close = "Px"}}, of {", ".join(get_args(Role))}'
        },
    )
    date_format: Annotated[str, AfterValidator(sound_date_format)] = Field(
        "",
        json_schema_extra={
            "allowed": 'year, month and day as Python\'s strptime has them, such as "%d/%m/%Y"'
        },
    )
    zone: Annotated[str, AfterValidator(sound_zone)] = Field(
        "", json_schema_extra={"allowed": 'a time zone such as "America/New_York"'}
    )
    decimal: Literal["", ".", ","] = ""

    def __hash__(self) -> int:
        """Hash all settings; pydantic's own does not take the table of columns."""
        hashable = self.__dict__ | {"columns": frozenset(self.columns.items())}
        return hash(tuple(hashable.values()))

    @property
    def choices(self) -> Choices:
        """The settings as the reader of files takes them."""
        return Choices(self.columns, self.date_format, self.zone, self.decimal)


class DataSettings(ReadingSettings):
    """Where bars come from and which of them are traded; `end` is included.

    `offline` keeps live sources to the cache; an empty `cache_dir` is the usual place. A folder
    that is not absolute lies below the one the command is run in. `history` "longest" joins
    older sources on before newer ones (see `feeds.history`).
    """

    source: Literal["auto", "yahoo", "exchange", "files", "sample"] = "auto"
    data_dir: Folder = ""
    cache_dir: Folder = ""
    offline: bool = False
    history: Literal["longest", "one_source"] = "longest"
    start: Date = ""
    end: Date = ""
    timeframe: Literal["1d", "4h", "1h"] = "1d"


class IndexSettings(Settings):
    """Which index gives the signals, on which bars, and how long after its end one is known.

    With hourly bars whatever is counted in sessions counts hourly bars.
    """

    symbol: Symbol = "RUT"
    timeframe: Literal["1d", "1h"] = "1d"
    delay_minutes: Annotated[int, Field(ge=0, le=525_600)] = 0


class CostSettings(Settings):
    """Cash and costs; commission and slippage per side, `cash_rate` per year.

    A fill that takes more than `max_participation` of its day's dollar volume is warned about.
    With `impact` "square_root" every fill pays for the share it takes, on top of slippage:
    `impact_coefficient` x daily volatility x sqrt(order / volume) of the price. About 1 is what
    has been measured (`strategies.orders_and_fills` cites it).
    """

    initial_cash: Annotated[float, Field(gt=0, le=1e15)] = 100_000.0
    commission_bps: BasisPoints = 10.0
    slippage_bps: BasisPoints = 5.0
    cash_rate: Annotated[float, Field(ge=0, le=1)] = 0.0
    max_participation: Annotated[float, Field(gt=0, le=1)] = 0.1
    impact: Literal["none", "square_root"] = "none"
    impact_coefficient: Annotated[float, Field(ge=0, le=100)] = 1.0

    @property
    def commission(self) -> float:
        """Commission as a fraction of the traded value."""
        return self.commission_bps * BASIS_POINT

    @property
    def impact_factor(self) -> float:
        """The coefficient of impact, 0 where none is charged."""
        return 0.0 if self.impact == "none" else self.impact_coefficient

    @property
    def slippage(self) -> float:
        """Slippage as a fraction of the open."""
        return self.slippage_bps * BASIS_POINT


class StudySettings(Settings):
    """How a study is drawn; `--horizons`, `--draws` and `--seed` of the command.

    A study leaves them in its config, so that it can be run again as it was.
    """

    horizons: Annotated[
        tuple[Horizon, ...],
        BeforeValidator(as_tuple),
        Field(
            min_length=1,
            max_length=100,
            json_schema_extra={"allowed": "whole numbers from 1 to 3650, 100 at most"},
        ),
    ] = (5, 10, 20, 30, 60, 90, 180, 365)
    draws: Draws = 10_000
    seed: Seed = 0


class VendorSettings(Settings):
    """Mirrors of the vendors we speak HTTP with; empty is the vendor's own address.

    `feeds.vendors.request_policy` says what each is the base of and which addresses are refused.
    """

    fred: str = ""
    coinmetrics: str = ""
    binance_archive: str = ""
    binance_listing: str = ""
    alternative: str = ""
    ishares: str = ""
