"""Settings of how results are judged: names, defaults and allowed ranges, once."""

from typing import Annotated, Literal

from pydantic import Field

from strategies.settings import Settings

Draws = Annotated[int, Field(ge=100, le=1_000_000)]
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
    tried: Annotated[int, Field(ge=1)] = 1
    confidence: Annotated[float, Field(ge=0.5, le=0.999)] = 0.95
