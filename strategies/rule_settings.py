"""The settings of signals, rules and sizes: names, defaults and allowed ranges, once."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from feeds.instruments import SERIES_NAME, has_plain_name
from strategies.registry import RegisteredName, TriggerName, is_own, kinds_in, trigger_text


def plain_symbol(name: str) -> str:
    """Return the name if it can be that of a coin or index, else raise ValueError, for pydantic."""
    if not has_plain_name(name):
        raise ValueError(name)
    return name


Symbol = Annotated[
    str,
    AfterValidator(plain_symbol),
    Field(
        json_schema_extra={"allowed": "a plain symbol of letters and digits, such as ETH or RUT"}
    ),
]
SeriesName = Annotated[
    str,
    Field(
        pattern=f"^$|{SERIES_NAME}",
        max_length=64,
        json_schema_extra={"allowed": "a plain name of letters and digits, such as M2SL"},
    ),
]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Sessions = Annotated[int, Field(ge=1, le=10_000)]
Days = Annotated[int, Field(ge=0, le=3_650)]

Trigger = Annotated[
    str, BeforeValidator(trigger_text), AfterValidator(TriggerName("signal", ("any",)))
]


class Settings(BaseModel):
    """A section of the config: unknown keys, other types and out-of-range values are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class OwnTables(Settings):
    """A section in which own functions have tables of their own, by name: `[signal.reclaim]`.

    `own` holds their parameters, (name, ((parameter, value), ...)) each; a config writes and
    reads them as tables.
    """

    section: ClassVar[str] = ""

    own: tuple[tuple[str, tuple[tuple[str, Any], ...]], ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _tables(cls, given: Any) -> Any:
        """Take the tables of own functions together."""
        if not isinstance(given, Mapping):
            return given
        tables = {
            name: tuple(given[name].items())
            for name in given.keys() - cls.model_fields.keys()
            if isinstance(given[name], Mapping)
            and any(is_own(kind, name) for kind in kinds_in(cls.section))
        }
        if not tables:
            return given
        rest = {name: value for name, value in given.items() if name not in tables}
        return rest | {"own": tuple(tables.items())}

    @model_serializer(mode="wrap")
    def _write(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = write(self)
        written.pop("own", None)
        return written | {name: dict(table) for name, table in self.own}

    def __getattr__(self, name: str) -> Any:
        """Return the parameters of an own function, as if its table were a field."""
        for known, table in self.__dict__.get("own", ()):
            if known == name:
                return dict(table)
        raise AttributeError(name)

    def parameters(self, name: str) -> dict[str, Any]:
        """Return the parameters of an own function; none where it has no table."""
        return {key: value for known, table in self.own if known == name for key, value in table}


class SignalSettings(OwnTables):
    """How highs, resistance and support are read from the index, in sessions."""

    section = "signal"

    lookback: Sessions | Literal["all"] = Field(
        "all", json_schema_extra={"allowed": 'a whole number from 1 to 10000, or "all"'}
    )
    min_history: Sessions = 252
    base: Sessions = 60
    tolerance: Fraction = 0.02
    confirm: Sessions = 5
    window: Sessions = 60
    retest: bool = False
    clearance: Fraction = 0.03


class RuleSettings(OwnTables):
    """When to be in the market; a stop of 0 is off, `hold_days` of 0 means until an exit.

    `trigger` is a signal, or a list of them of which any fires, or `{all = [...]}`; "any" is a
    new high or support held. `exits` are own exits, by name.
    """

    section = "rules"

    trigger: Trigger = "any"
    hold_days: Days = 60
    exit_on_support_lost: bool = True
    trailing_stop: Fraction = 0.0
    stop_loss: Fraction = 0.0
    index_drawdown: Fraction = 0.0
    entry_delay_days: Days = 0
    filters: Literal["all", "any"] = "all"
    exits: Annotated[
        tuple[Annotated[str, AfterValidator(RegisteredName("exit"))], ...] | None,
        Field(strict=False, json_schema_extra={"allowed": "a list of own exits"}),
    ] = None


class SizeSettings(OwnTables):
    """How much of equity to hold while in the market.

    The full weight is reached over `scale_in_days`; a `rebalance_threshold` of 0 never
    trades an open position back to its weight.
    """

    section = "size"

    mode: Annotated[str, AfterValidator(RegisteredName("sizing"))] = "fraction"
    fraction: Annotated[float, Field(gt=0, le=1)] = 1.0
    vol_target: Annotated[float, Field(gt=0, le=10)] = 0.5
    vol_lookback: Annotated[int, Field(ge=2, le=10_000)] = 30
    max_weight: Annotated[float, Field(gt=0, le=1)] = 1.0
    scale_in_days: Annotated[int, Field(ge=1, le=365)] = 1
    rebalance_threshold: Fraction = 0.0


class IdleSettings(Settings):
    """What is held while the signal is off: cash, or `weight` of equity in a coin.

    The asset itself here means always long, and more of it while the signal is on.
    """

    asset: Symbol | Literal[""] = Field(
        "", json_schema_extra={"allowed": "a coin's symbol, such as BTC, or empty for cash"}
    )
    weight: Annotated[float, Field(gt=0, le=1)] = 1.0


class FilterSettings(OwnTables):
    """One gate: a trigger buys only while it is open.

    `kind` "moving_average" and "relative_strength" read the index; "series" reads a named
    series, by `measure` (its level, its change over `window` observations, or their sum).
    """

    section = "filters"

    kind: Annotated[str, AfterValidator(RegisteredName("filter"))] = "series"
    series: SeriesName = ""
    benchmark: Symbol = "SPX"
    measure: Literal["level", "change", "sum", "sum_this_year"] = "level"
    rule: Literal["above", "below", "rising", "falling", "new_high"] = "above"
    level: float = 0.0
    window: Annotated[int, Field(ge=1, le=10_000)] = 200
    lag_days: Annotated[float, Field(ge=0, le=3_650)] | Literal["release"] = Field(
        "release", json_schema_extra={"allowed": 'a number from 0 to 3650, or "release"'}
    )
    max_age_days: Annotated[int, Field(ge=1, le=3_650)] = 60
    unknown: Literal["block", "pass"] = "block"
    on_exit: bool = False


# What `[filters.NAME]` starts from when it has one of these names; any key may be overridden.
READY_MADE: Final[dict[str, dict[str, object]]] = {
    "index_trend": {"kind": "moving_average", "window": 200},
    "small_caps_lead": {"kind": "relative_strength", "benchmark": "SPX", "window": 200},
    "etf_flows": {
        "series": "ETF_FLOWS", "measure": "sum_this_year", "rule": "above", "level": 0.0,
        "max_age_days": 10,
    },
    "unprofitable_share": {
        "series": "UNPROFITABLE_SHARE", "rule": "below", "level": 0.4,
        "max_age_days": 400,
    },
    "net_liquidity": {"series": "NET_LIQUIDITY", "rule": "rising", "window": 13},
    "m2": {"series": "M2SL", "rule": "rising", "window": 3, "max_age_days": 90},
    "vix": {"series": "VIX", "rule": "below", "level": 25.0, "max_age_days": 10},
    "rates": {"series": "DGS10", "rule": "falling", "window": 63, "max_age_days": 10},
    "fear_greed": {
        "series": "FEAR_GREED", "rule": "above", "level": 50.0, "max_age_days": 7,
    },
}  # fmt: skip


class BasketSettings(OwnTables):
    """What ALTS is: which coins, at which weights, how often set right.

    `universe` "auto" is the coins a venue ever listed, where the source is live and they have
    been downloaded, and `select` "auto" is then the most traded, else all. A run starts when
    `min_members` coins qualify, or as many as can ever be in it if they are fewer.
    """

    section = "basket"

    universe: Literal["auto", "none", "binance"] = "auto"
    members: tuple[Symbol, ...] = Field(
        (), strict=False, json_schema_extra={"allowed": 'a list of coins, such as ["SOL", "ADA"]'}
    )
    select: Annotated[str, AfterValidator(RegisteredName("selection", ("auto", "all")))] = "auto"
    top: Annotated[int, Field(ge=1, le=1_000)] = 10
    min_members: Annotated[int, Field(ge=1, le=1_000)] = 5
    min_age_days: Days = 90
    volume_window_days: Annotated[int, Field(ge=1, le=3_650)] = 30
    volume_in_money: tuple[Symbol, ...] = Field(
        (), strict=False, json_schema_extra={"allowed": 'a list of coins, such as ["FTT"]'}
    )
    weights: Annotated[str, AfterValidator(RegisteredName("weighting"))] = "equal"
    weight_lookback_days: Annotated[int, Field(ge=2, le=3_650)] = 30
    max_coin_weight: Annotated[float, Field(gt=0, le=1)] = 1.0
    rebalance: Literal["never", "weekly", "monthly"] = "monthly"
    delisted_after_days: Annotated[int, Field(ge=1, le=365)] = 7
    delisting_return: Annotated[float, Field(ge=-1, le=0)] = 0.0
