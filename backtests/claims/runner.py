"""Run studies: findings and tables of every claim, on as many processes as wanted.

A claim on coins is also asked of other risky assets, where there are more episodes: the mechanism
behind it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from backtests.analysis.entry_timing import (
    LeadLag,
    entry_delays,
    lead_lag,
    paired_returns,
    rolling_relation,
)
from backtests.analysis.episodes import CoinBars, Forebears, forebears
from backtests.analysis.event_effects import holm, outcomes, random_starts
from backtests.analysis.event_study import EventStudy, StudyDesign, event_study
from backtests.analysis.placebo import drawn_means
from backtests.analysis.specification_curve import SpecificationCurve
from backtests.claims.all_readings import claim_curve
from backtests.claims.answers import SincePublished, as_stated, since_published, stated_figure
from backtests.claims.measures import measure
from backtests.claims.plans import StudyPlan, claim_plan, readings_of
from backtests.claims.question import Question
from backtests.claims.study_data import World
from backtests.claims.verdicts import Finding, Verdict, verdict
from backtests.config.claims import ClaimSettings
from backtests.config.config import Config
from backtests.config.raw_settings import CLAIMS, config_tree
from backtests.market.inputs import require_series
from backtests.market.lookahead import LOOK_AHEAD
from feeds import instruments
from feeds.arrays import Floats
from feeds.bars import Bars
from feeds.errors import InputError
from feeds.sessions import latest_known, values_at

# delays and paths are pictures: their bands need no more
PICTURE_DRAWS: Final = 2_000

Tick = Callable[[str], None]
MECHANISM: Final = "small-caps-lead-risk"
# most claims were published on one of a few days, up to each of which it is asked anew
_mechanisms: dict[tuple[str, ...], Finding] = {}


@dataclass(frozen=True, slots=True)
class AssetStudy:
    """All tables about one asset; `drawn` is the mean growth (log) of each placebo draw.

    `forebears` is the latest episode beside those before it, which no verdict uses.
    """

    events: EventStudy
    delays: pd.DataFrame
    lead_lag: LeadLag
    rolling: pd.DataFrame
    drawn: Floats
    actual: float
    forebears: Forebears | None


@dataclass(frozen=True, slots=True)
class Study:
    """A claim with its findings and the tables behind them.

    `since` is by asset what followed its publication; `curve` is None where its measure has none.
    Of a claim on coins, which `has_mechanism`, `mechanism` is what that finds; None without bars.
    """

    name: str
    claim: ClaimSettings
    config: Config
    findings: tuple[Finding, ...]
    assets: tuple[AssetStudy, ...]
    bars: tuple[dict[str, Any], ...]
    notes: tuple[str, ...]
    draws: int
    since: Mapping[str, SincePublished | None]
    curve: SpecificationCurve | None = None
    mechanism: Finding | None = None
    has_mechanism: bool = False

    @property
    def leaks(self) -> tuple[str, ...]:
        """What of its notes says that something sees the future: no figure counts then."""
        return tuple(note for note in self.notes if note.startswith(LOOK_AHEAD))


@dataclass(frozen=True, slots=True)
class Judged:
    """A finding with its verdict, and its hardest p with all `tested` of the page counted."""

    study: str
    claim: ClaimSettings
    finding: Finding
    verdict: Verdict
    adjusted_p: float
    tested: int


def run_study(plan: StudyPlan, *, own: Sequence[Bars] = ()) -> Study:
    """Return the study of one claim; same plan and bars, some of them one's own, same study."""
    require_series(plan.config)
    world = World(plan.config, own=own)
    questions = [
        Question(world.under(reading.config), reading.claim, reading.placement)
        for reading in readings_of(plan)
    ]
    question = questions[0]
    findings = tuple(finding for one in questions for finding in _findings(one))
    names = () if plan.claim.measure == "no_data" else plan.claim.assets
    mechanism = mechanism_finding(plan, world) if needs_mechanism(plan) else None
    studies = tuple(_asset_study(question, name, plan) for name in names)
    return Study(
        plan.name,
        plan.claim,
        plan.config,
        findings,
        studies,
        world.bars(),
        world.notes,
        plan.settings.draws,
        {name: since_published(world.asset(name), plan.claim) for name in names},
        claim_curve(question),
        mechanism,
        needs_mechanism(plan),
    )


def _findings(question: Question) -> list[Finding]:
    """Return the findings of one reading, with its name, its dates, and whether it is so."""
    claim = question.claim
    is_dated = claim.measure != "no_data" and not question.untested
    figure = stated_figure(question) if claim.stated else None
    return [
        replace(
            finding,
            reading=claim.reading if claim.is_claim else "",
            dates=question.dates(finding.first_asset) if is_dated else (),
            as_stated=as_stated(finding, claim, figure=figure),
            stated_figure=figure.sentence if figure else "",
        )
        for finding in measure(question)
    ]


def run_all(
    plans: Sequence[StudyPlan], *, workers: int = 1, tick: Tick = lambda _: None
) -> list[Study]:
    """Return the studies in the order of the plans, whatever order they end in."""
    return [study for _, study in sorted(_complete(plans, workers, tick), key=lambda one: one[0])]


def judge(studies: Sequence[Study]) -> list[Judged]:
    """Return every finding with its own verdict, and its hardest p with all counted (Holm)."""
    pairs = [(study, finding) for study in studies for finding in study.findings]
    tested = [np.nan if one.decided else one.hardest_p for _, one in pairs]
    adjusted = holm(np.array(tested, np.float64))
    number = int(np.isfinite(adjusted).sum())
    judged = []
    for (study, finding), p_value in zip(pairs, map(float, adjusted), strict=True):
        judged.append(Judged(study.name, study.claim, finding, verdict(finding), p_value, number))
    return judged


def _complete(plans: Sequence[StudyPlan], workers: int, tick: Tick) -> Iterator[tuple[int, Study]]:
    if workers <= 1 or len(plans) <= 1:
        for number, plan in enumerate(plans):
            tick(plan.name)
            yield number, run_study(plan)
        return
    with ProcessPoolExecutor(min(workers, len(plans))) as pool:
        running = {pool.submit(run_study, plan): number for number, plan in enumerate(plans)}
        for future in as_completed(running):
            study = future.result()
            tick(study.name)
            yield running[future], study


def _asset_study(question: Question, name: str, plan: StudyPlan) -> AssetStudy:
    claim, world = question.claim, question.world
    asset, events = question.asset(name), question.events()
    horizons = tuple(sorted({*plan.settings.horizons, claim.horizon_days}))
    quick = replace(question.placement, draws=min(plan.settings.draws, PICTURE_DRAWS))
    index = world.index()
    pairs = paired_returns(
        asset,
        sessions=pd.DatetimeIndex(index.frame.index),
        available_at=world.known_at(),
        close=index.frame["close"].to_numpy(),
    )
    sample = outcomes(question.growth(name), question.episodes())
    starts = random_starts(sample, placement=question.placement, key=claim.horizon_days)
    return AssetStudy(
        events=event_study(asset, events, design=StudyDesign(question.placement, horizons)),
        delays=entry_delays(asset, events, placement=quick, horizon_days=claim.horizon_days),
        lead_lag=lead_lag(pairs, confidence=question.placement.confidence),
        rolling=rolling_relation(pairs),
        drawn=drawn_means(sample.values, starts),
        actual=float(sample.own.mean()) if sample.own.size else np.nan,
        forebears=_forebears(question, name),
    )


def _forebears(question: Question, name: str) -> Forebears | None:
    """Return the latest episode beside those before it; None of a basket."""
    asset, events, world = question.asset(name), question.events(), question.world
    if asset.prices.shape[1] != 1:
        return None
    starts = question.episodes().starts
    prices, instants = asset.prices[:, 0], asset.times
    latest = latest_known(world.known_at(), at=instants[1:])
    closes = values_at(world.index().frame["close"].to_numpy(), positions=latest)
    seconds = instants / 1e9
    grid = CoinBars(seconds[:-1], seconds[1:], prices[:-1], prices[1:], closes)
    return forebears(events.sessions[starts], events.available_at[starts] / 1e9, grid)


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
    question = Question(world.under(reading.config), reading.claim, reading.placement)
    try:
        key = _key(reading, question.world)
        if key not in _mechanisms:
            finding = measure(question)[0]
            _mechanisms[key] = replace(finding, dates=question.dates(finding.first_asset))
    except InputError:
        return None
    return _mechanisms[key]


def _key(reading: StudyPlan, world: World) -> tuple[str, ...]:
    """Return what decides the finding of a claim about indices: its config and their bars."""
    claim = reading.claim
    names = (reading.config.index.symbol, claim.against, *claim.assets)
    return reading.config.to_toml(), *(world.index(name).sha256 for name in names)


def needs_mechanism(plan: StudyPlan) -> bool:
    """Return whether a plan claims something of coins, behind which the mechanism must be."""
    claim = plan.claim
    indices = {*instruments.BY_SYMBOL, *instruments.INDEX_NAMES}
    return claim.is_claim and plan.name != MECHANISM and not indices & set(claim.assets)
