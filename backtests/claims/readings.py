"""What a claim can mean: each of its readings as a plan of its own, the fairest first."""

from collections.abc import Iterator
from typing import Any, Final

from backtests.claims.plans import StudyPlan
from backtests.config.claims import ClaimReading, ClaimSettings
from backtests.config.config import Config, validated_config

# settings of a reading that stand outside the claim: their section and key in the config
OUTSIDE: Final = {
    "base": ("signal", "base"),
    "lookback": ("signal", "lookback"),
    "index": ("index", "symbol"),
    "start": ("data", "start"),
}
AS_IT_STANDS: Final = "as it stands"


def readings_of(plan: StudyPlan) -> Iterator[StudyPlan]:
    """Yield a plan per reading of a claim, up to the day the claim was published.

    What came after that day must not decide how a claim is judged.
    """
    claim = plan.claim
    known = _until(plan.config, claim.published)
    alone = claim.model_copy(update={"readings": (), "reading": claim.reading or AS_IT_STANDS})
    yield StudyPlan(known.model_copy(update={"claim": alone}))
    for reading in claim.readings:
        yield StudyPlan(_read_as(known, alone, reading))


def _until(config: Config, published: str) -> Config:
    """Return the config with no bar later than the day of publication."""
    if not published or (config.data.end and config.data.end <= published):
        return config
    data = config.data.model_copy(update={"end": published})
    return config.model_copy(update={"data": data})


def _read_as(config: Config, claim: ClaimSettings, reading: ClaimReading) -> Config:
    given = {
        name: value
        for name, value in reading.model_dump(exclude={"name"}).items()
        if value is not None
    }
    tree: dict[str, Any] = config.model_dump(mode="json", exclude={"claim"})
    for name, (section, key) in OUTSIDE.items():
        if name in given:
            tree[section][key] = given.pop(name)
    if "gate" in given:
        tree["filters"] = {given["filter"]: given.pop("gate")}
    own = claim.model_dump(mode="json") | given | {"reading": reading.name}
    tree["claim"] = own
    return validated_config(tree)
