"""How a sweep chooses its trials and what it keeps of them: the plain keys of `[sweep]`."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationError

from backtests.config.config import Config
from backtests.config.explain_errors import explain_error
from backtests.search.parameter_space import Axis
from backtests.search.trials.kernel import FIGURES
from backtests.search.trials.routes import is_looked_up, is_understood
from feeds.errors import ConfigError
from strategies.rule_settings import Settings

# Figures of which more is better; more volatility, time in the market or trades is not.
OBJECTIVES: Final = tuple(
    name for name in FIGURES if name not in ("volatility", "time_in_market", "trades")
)


class SearchSettings(Settings):
    """How trials are chosen, and what is kept: a row per trial, or the best by each figure."""

    search: Literal["grid", "random", "guided"] = "grid"
    trials: Annotated[int, Field(ge=1)] = 1_000
    seed: Annotated[int, Field(ge=0)] = 0
    chunk: Annotated[int, Field(ge=1, le=1_000_000)] = 20_000
    objective: str = "sharpe_ratio"
    tried_before: Annotated[int, Field(ge=0)] = 0  # trials by hand or in other sweeps
    keep: Literal["all", "best"] = "all"


def search_settings(
    base: Config, axes: Sequence[Axis], options: Mapping[str, Any]
) -> SearchSettings:
    """Return validated settings; a chunk that is not given takes about a second.

    Raises
    ------
    ConfigError
        Naming the setting, what was received and what is allowed.
    """
    return validated_search({"chunk": _usual_chunk(base, axes, options), **options})


def validated_search(options: Mapping[str, Any]) -> SearchSettings:
    """Return the settings of a complete table; errors as above."""
    try:
        settings = SearchSettings.model_validate(options)
    except ValidationError as error:
        raise ConfigError(explain_error(error, SearchSettings, section="sweep")) from error
    if settings.objective not in OBJECTIVES:
        raise ConfigError(
            f"`sweep.objective` must be a figure of which more is better, one of "
            f"{', '.join(OBJECTIVES)}; received {settings.objective!r}."
        )
    if settings.keep == "best" and settings.search == "guided":
        raise ConfigError(
            '`sweep.keep` must be "all" for a guided search, received "best": each draw learns '
            "from every row before it. Leave `keep` out."
        )
    return settings


def _usual_chunk(base: Config, axes: Sequence[Axis], options: Mapping[str, Any]) -> int:
    if options.get("search") == "guided":
        return 100  # each draw learns from the chunks before it
    vary = {one.key: one.ends for one in axes}
    if options.get("search", "grid") == "grid":
        return 20_000 if is_looked_up(base, vary=vary) else 2_000
    # draws depend on the chunk: it stays what it was when fewer settings were looked up
    return 20_000 if is_understood(base, vary=vary) else 2_000
