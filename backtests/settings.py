"""Settings beside the strategy's: how results are judged, and where vendors are reached."""

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


class VendorSettings(Settings):
    """Mirrors of the vendors we speak HTTP with; empty is the vendor's own address.

    `feeds.vendors.addresses` says what each is the base of and which addresses are refused.
    """

    fred: str = ""
    coinmetrics: str = ""
    binance_archive: str = ""
    binance_listing: str = ""
    alternative: str = ""
    ishares: str = ""
