"""A claim as data: what was said, by whom, and what would count as support for it."""

from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from backtests.config.explain_errors import sentence_error
from backtests.config.run_settings import Horizon, as_tuple, iso_day
from feeds.message_text import nearest_hint
from strategies.registry import RegisteredName
from strategies.rule_settings import Days, FilterSettings, SeriesName, Sessions, Settings, Symbol

EVENT_NAMES: Final = RegisteredName("signal", events=True)
Event = Annotated[str, AfterValidator(EVENT_NAMES)]
Measure = Literal[
    "event",
    "average",
    "one_episode",
    "every_episode",
    "against_asset",
    "against_index",
    "against_event",
    "condition",
    "lead",
    "tops",
    "tops_less_beginnings",
    "no_data",
]

Names = Annotated[
    tuple[Symbol, ...],
    BeforeValidator(as_tuple),
    Field(min_length=1, json_schema_extra={"allowed": "a list of names"}),
]
ClaimName = Annotated[
    str,
    Field(
        pattern=r"^$|^[A-Za-z0-9][A-Za-z0-9._-]*$",
        max_length=60,
        json_schema_extra={"allowed": "a name of at most 60 letters, digits, dots and dashes"},
    ),
]
Day = Annotated[
    str, BeforeValidator(iso_day), Field(json_schema_extra={"allowed": "a day, YYYY-MM-DD"})
]

# What a measure cannot do without, and what it is.
NEEDED: Final = {
    "one_episode": ("session", "the session of the episode's first event"),
    "against_asset": ("against", "the coin to compare with"),
    "against_index": ("against", "the index to compare with"),
    "against_event": ("against", "the event to compare with"),
    "condition": ("filter", "the filter that must be open"),
    "no_data": ("missing", "what there is no data for"),
}


class ClaimReading(Settings):
    """One `[[claim.readings]]` table: what else the author can have meant, and why.

    Settings left out are the claim's own. `base`, `lookback`, `index` and `start` take the place
    of `signal.base`, `signal.lookback`, `index.symbol` and `data.start`.
    """

    name: Annotated[str, Field(min_length=1, max_length=80)]
    why: str = ""
    measure: Measure | None = None
    event: Event | None = None
    assets: Names | None = None
    horizon_days: Horizon | None = None
    effect: Annotated[float, Field(ge=-1, le=100)] | None = None
    gap_sessions: Sessions | None = None
    against: str | None = None
    session: Day | None = None
    before: Day | None = None
    last: Days | None = None
    filter: str | None = None
    base: Sessions | None = None
    lookback: Sessions | Literal["all"] | None = Field(
        None, json_schema_extra={"allowed": 'a whole number from 1 to 10000, or "all"'}
    )
    index: Symbol | None = None
    start: Day | None = None
    stand_in: bool | None = None
    gate: FilterSettings | None = None  # `filter` of this reading, in place of the config's


class StatedFigure(Settings):
    """The `[claim.stated]` table: a figure that the claim itself gives, computed from a series.

    `measure` is what of the series `value` states: its sum from the first day of the year to the
    publication, or its latest value known then. `words` say what the series is of.
    """

    series: SeriesName
    measure: Literal["sum_this_year", "level"]
    value: float
    words: str


class ClaimSettings(Settings):
    """The `[claim]` table of a config: read by the study, ignored by a run.

    The measure "event" is no claim: what followed the event is set against random dates, and
    `support` and `effect` mean nothing.

    `effect` is the growth beyond a random date (a fraction) that the claim amounts to, over
    `horizon_days` from the first open that can be traded: what counts as support, in words,
    is `support`. `gap_sessions` without an event part two episodes.

    `published` is the day it was published: nothing later is used to judge it, and what followed
    is told apart. `reading` names what these settings take the claim to mean, the fairest first;
    `readings` are the others.
    """

    name: ClaimName = ""  # what its files are called
    statement: str
    source: str
    support: str
    published: Day = ""
    reading: str = ""
    why: str = ""  # why this is the fairest reading
    readings: Annotated[
        tuple[ClaimReading, ...],
        BeforeValidator(as_tuple),
        Field(json_schema_extra={"allowed": "a list of tables, each with a name"}),
    ] = ()
    measure: Measure = "average"
    event: Event = "new_high"
    assets: Names = ("BTC",)
    horizon_days: Horizon = 90
    effect: Annotated[float, Field(ge=-1, le=100)] = 0.5
    gap_sessions: Sessions = 60
    against: str = ""  # the asset, index or event to compare with
    session: Day = ""  # one_episode: the session of its first event
    before: Day = ""  # every_episode: sessions before this date
    last: Days = 3  # every_episode: so many before it
    filter: str = ""  # condition: the filter of this config that must be open
    missing: str = ""  # no_data: what there is no data for
    stated: StatedFigure | None = None  # a figure of the claim's own
    stand_in: bool = True  # whether a fund may stand for an index without bars

    @property
    def is_claim(self) -> bool:
        """Whether somebody claims something, and not only an event is studied."""
        return self.measure != "event"

    @model_validator(mode="after")
    def _complete(self) -> Self:
        """Refuse a measure without what it needs, and an event to compare with that is none."""
        key, meaning = NEEDED.get(self.measure, ("", ""))
        if key and not getattr(self, key):
            raise sentence_error(
                f"`claim.{key}` must be {meaning}, as `claim.measure` is {self.measure!r}; "
                "received nothing."
            )
        events = EVENT_NAMES.names
        if self.measure == "against_event" and self.against not in events:
            raise sentence_error(
                f"`claim.against` must be one of {', '.join(map(repr, events))}, received "
                f"{self.against!r}.{nearest_hint(self.against, events)}"
            )
        return self
