"""Settings of how files are read and results judged: names, defaults and ranges, once."""

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field

from feeds.reading.choices import Choices, Role, sound_date_format, sound_zone
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
        return hash(self.model_dump_json())

    @property
    def choices(self) -> Choices:
        """The settings as the reader of files takes them."""
        return Choices(self.columns, self.date_format, self.zone, self.decimal)
