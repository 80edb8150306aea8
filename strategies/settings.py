"""The settings of signals, rules and sizes: names, defaults and allowed ranges, once."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(ge=0, lt=1)]
Sessions = Annotated[int, Field(ge=1, le=10_000)]
Days = Annotated[int, Field(ge=0, le=3_650)]

Trigger = Literal["new_high", "breakout", "support_held", "any"]


class Settings(BaseModel):
    """A section of the config: unknown keys, other types and out-of-range values are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class SignalSettings(Settings):
    """How highs, resistance and support are read from the index, in sessions."""

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


class RuleSettings(Settings):
    """When to be in the market; a stop of 0 is off, `hold_days` of 0 means until an exit."""

    trigger: Trigger = "any"
    hold_days: Days = 60
    exit_on_support_lost: bool = True
    trailing_stop: Fraction = 0.0
    stop_loss: Fraction = 0.0
    index_drawdown: Fraction = 0.0
    entry_delay_days: Days = 0


class SizeSettings(Settings):
    """How much of equity to hold while in the market."""

    mode: Literal["fraction", "vol_target"] = "fraction"
    fraction: Annotated[float, Field(gt=0, le=1)] = 1.0
    vol_target: Annotated[float, Field(gt=0, le=10)] = 0.5
    vol_lookback: Annotated[int, Field(ge=2, le=10_000)] = 30
    max_weight: Annotated[float, Field(gt=0, le=1)] = 1.0
