"""A claim as data: what was said, by whom, and what would count as support for it."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from strategies.settings import Days, Sessions, Settings

Event = Literal["new_high", "breakout", "support_held", "support_lost", "relative_high"]
Measure = Literal[
    "average",
    "one_episode",
    "every_episode",
    "against_asset",
    "against_index",
    "against_event",
    "condition",
    "lead",
    "tops",
    "no_data",
]


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


Names = Annotated[
    tuple[str, ...],
    BeforeValidator(_as_tuple),
    Field(json_schema_extra={"allowed": "a list of names"}),
]


class ClaimSettings(Settings):
    """The `[claim]` table of a config: read by the study, ignored by a run.

    `effect` is the growth beyond a random date (a fraction) that the claim amounts to, over
    `horizon_days` from the first open that can be traded: what counts as support, in words,
    is `support`. `gap_sessions` without an event part two episodes.
    """

    statement: str
    source: str
    support: str
    measure: Measure = "average"
    event: Event = "new_high"
    assets: Names = ("BTC",)
    horizon_days: Annotated[int, Field(ge=1, le=3_650)] = 90
    effect: Annotated[float, Field(ge=-1, le=100)] = 0.5
    gap_sessions: Sessions = 60
    against: str = ""  # the asset, index or event to compare with
    session: str = ""  # one_episode: the session of its first event
    before: str = ""  # every_episode: sessions before this date
    last: Days = 3  # every_episode: so many before it
    filter: str = ""  # condition: the filter of this config that must be open
    missing: str = ""  # no_data: what there is no data for
