"""The mechanism behind the claims on coins, where there are more episodes: other risky assets."""

from dataclasses import replace
from typing import Final

from backtests.claims.measures import measure
from backtests.claims.plans import StudyPlan, claim_plan
from backtests.claims.question import Question
from backtests.claims.readings import readings_of
from backtests.claims.verdicts import Finding
from backtests.claims.world import World
from backtests.config.raw_settings import CLAIMS, config_tree
from feeds import instruments
from feeds.errors import InputError

MECHANISM: Final = "small-caps-lead-risk"


def mechanism_finding(plan: StudyPlan, world: World) -> Finding | None:
    """Return what the mechanism's claim finds in its fairest reading, on the bars of `world`.

    Up to the publication of the plan's own claim, drawn as its study is. None where its bars are
    not to be had.
    """
    path = CLAIMS / f"{MECHANISM}.toml"
    own = claim_plan(config_tree(path, parameter="--claim"), path=path)
    claim = own.claim.model_copy(update={"published": plan.claim.published})
    same: dict[str, object] = {
        name: getattr(plan.config, name) for name in ("data", "vendors", "study")
    }
    config = own.config.model_copy(update={**same, "claim": claim})
    reading = next(readings_of(StudyPlan(config)))
    try:
        question = Question(world.under(reading.config), reading.claim, reading.placement)
        finding = measure(question)[0]
        return replace(finding, dates=question.dates(finding.first_asset))
    except InputError:
        return None


def needs_mechanism(plan: StudyPlan) -> bool:
    """Return whether a plan claims something of coins, behind which the mechanism must be."""
    claim = plan.claim
    indices = {*instruments.BY_SYMBOL, *instruments.INDEX_NAMES}
    return claim.is_claim and plan.name != MECHANISM and not indices & set(claim.assets)
