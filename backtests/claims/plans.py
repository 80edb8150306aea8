"""From what was asked to plans: of studies, of each reading of a claim, of runs that trade it.

A claim comes from a file or the config, an event from the command.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from backtests.analysis.event_effects import Placement
from backtests.config.claims import EVENT_NAMES, ClaimReading, ClaimSettings
from backtests.config.config import ALTS, Config, validated_config
from backtests.config.plugins import load_plugins
from backtests.config.raw_settings import CLAIMS, config_tree
from backtests.config.run_settings import StudySettings
from feeds.errors import ConfigError
from feeds.folders import is_there
from feeds.instruments import BY_SYMBOL, INDEX_NAMES
from feeds.message_text import nearest, nearest_hint
from feeds.reading.numbers import quote
from strategies.registry import find

# what a [claim] may say of an event that nobody claims anything about
EVENT_SETTINGS: Final = frozenset({"assets", "event", "gap_sessions", "horizon_days"})
# settings of a reading that stand outside the claim: their section and key in the config
OUTSIDE: Final = {
    "base": ("signal", "base"),
    "lookback": ("signal", "lookback"),
    "index": ("index", "symbol"),
    "start": ("data", "start"),
}
AS_IT_STANDS: Final = "as it stands"
# measures that ask about something else than what follows an event of the index
WITHOUT_EVENT = frozenset({"no_data", "condition", "lead", "tops"})


@dataclass(frozen=True, slots=True)
class StudyPlan:
    """What to run: a config with a claim, and with how its study is drawn."""

    config: Config

    @property
    def name(self) -> str:
        """What its files are called."""
        return self.claim.name or self.claim.event

    @property
    def settings(self) -> StudySettings:
        """How the study is drawn."""
        return self.config.study or StudySettings()

    @property
    def claim(self) -> ClaimSettings:
        """The claim that is put."""
        if self.config.claim is None:
            raise ValueError("a plan needs a config with a claim")
        return self.config.claim

    @property
    def placement(self) -> Placement:
        """How random episodes are placed."""
        settings = self.settings
        return Placement(gap=self.claim.gap_sessions, draws=settings.draws, seed=settings.seed)


def claim_presets() -> list[Path]:
    """Return the files of all claims on board."""
    return sorted(CLAIMS.glob("*.toml"))


def claim_file(given: str, *, parameter: str) -> Path:
    """Return the file of a claim: a preset by its name, or a path.

    Raises
    ------
    ConfigError
        If there is neither.
    """
    known = {path.stem: path for path in claim_presets()}
    if given in known:
        return known[given]
    path = Path(given)
    if given.strip() and is_there(path):
        return path
    near = nearest(given, known, alike=0.4)
    hint = f"The nearest is {near!r}." if near else f"There are: {', '.join(known)}."
    raise ConfigError(
        f"`{parameter}` {quote(given)} is no preset of configs/claims and no file. {hint}"
    )


def require_event(given: str, *, parameter: str, tree: Mapping[str, Any]) -> str:
    """Return an event's name, one of those there are with the plug-ins of `tree`.

    Raises
    ------
    ConfigError
        If there is none of that name.
    """
    load_plugins(tree.get("plugins", ()))
    events = EVENT_NAMES.names
    if given not in events:
        raise ConfigError(
            f"`{parameter}` must be one of {', '.join(events)}, received {given!r}."
            f"{nearest_hint(str(given), events)}"
        )
    return given


def claim_plan(tree: dict[str, Any], *, path: Path) -> StudyPlan:
    """Return the study of the claim that a file makes."""
    if "claim" not in tree:
        raise ConfigError(f"`--claim` {path} has no table [claim]. Add one, as in configs/claims.")
    return plan_of_tree(tree, name=path.stem)


def config_plan(tree: dict[str, Any], *, event: str | None, name: str) -> StudyPlan:
    """Return the study of a config's own claim, or of an event under the config's settings.

    `name` is what the claim's files are called where it has no name of its own.
    """
    claim = tree.get("claim", {})
    if not isinstance(claim, dict) or (event is None and claim.keys() - EVENT_SETTINGS):
        return plan_of_tree(tree, name=name)
    studied = _event_of(tree) if event is None else event
    assets = claim.get("assets") or [str(tree.get("asset", "BTC")).upper()]
    held = {key: claim[key] for key in claim.keys() & EVENT_SETTINGS}
    named = ", ".join(map(str, assets)) if isinstance(assets, list) else assets
    tree["claim"] = held | {
        "assets": assets,
        "event": studied,
        "measure": "event",
        "statement": f"{named} after {str(studied).replace('_', ' ')} of the index",
        "source": "",
        "support": "",
        "effect": 0.0,
    }
    return plan_of_tree(tree, name=str(studied))


def plan_of_tree(tree: Mapping[str, Any], *, name: str) -> StudyPlan:
    """Return the plan of a tree of settings that holds a claim."""
    config = validated_config(tree)
    if config.claim is None:
        raise ConfigError("`claim` must be a section, received nothing.")
    named = {"name": config.claim.name or _file_name(name)}
    claim = config.claim.model_copy(update=named)
    study = config.study or StudySettings()
    return StudyPlan(config.model_copy(update={"claim": claim, "study": study}))


def _event_of(tree: Mapping[str, Any]) -> Any:
    """Return the config's own event: its claim's, else its trigger, else new highs."""
    load_plugins(tree.get("plugins", ()))
    rules, claim = tree.get("rules"), tree.get("claim", {})
    trigger = rules.get("trigger") if isinstance(rules, dict) else None
    return claim.get("event", trigger if trigger in EVENT_NAMES.names else "new_high")


def _file_name(text: str) -> str:
    """Return a text as the name of files may be."""
    return re.sub(r"[^A-Za-z0-9]+", "-", text)[:60].strip("-") or "claim"


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


def claim_configs(
    *, overrides: tuple[str, ...], given: Mapping[str, Any]
) -> Iterator[tuple[str, Config | None]]:
    """Yield every claim's name and the config that holds its first coin after its event.

    The coin is held for the claim's horizon and nothing else ends it. None for a claim that
    dates no purchase.
    """
    for path in claim_presets():
        tree = config_tree(path, overrides=overrides, flags=given, parameter="--claim")
        config = claim_plan(tree, path=path).config
        claim = config.claim
        if claim is None or claim.measure in WITHOUT_EVENT:
            yield path.stem, None
            continue
        indices = {*INDEX_NAMES, *BY_SYMBOL, ALTS}
        coins = [name for name in claim.assets if name not in indices]
        if find("signal", claim.event).only_event or not coins:
            yield path.stem, None
            continue
        rules = {"trigger": claim.event, "hold_days": claim.horizon_days}
        held = {"exit_on_support_lost": False}
        own = config.rules.model_copy(update=rules | held)
        # a claim's filters only sort its episodes
        changed = {"asset": coins[0], "rules": own, "filters": {}}
        yield path.stem, config.model_copy(update=changed)
