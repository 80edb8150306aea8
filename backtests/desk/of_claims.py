"""A claim's event as a config that trades it, so that an evening can be told of every claim."""

from collections.abc import Iterator, Mapping
from typing import Any

from backtests.claims.plans import claim_plan, claim_presets
from backtests.config.config import ALTS, Config
from backtests.config.raw_settings import config_tree
from feeds.instruments import BY_SYMBOL, INDEX_NAMES
from strategies.registry import find

# measures that ask about something else than what follows an event of the index
WITHOUT_EVENT = frozenset({"no_data", "condition", "lead", "tops"})


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
