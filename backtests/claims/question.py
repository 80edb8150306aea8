"""A claim put to the bars: what every measurement starts from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from backtests.analysis.episodes import Episodes, episodes
from backtests.analysis.event_effects import (
    Effect,
    Outcomes,
    Placement,
    detectable_effect,
    effect_bounds,
    verdict_rates,
)
from backtests.analysis.event_study import Events
from backtests.analysis.forward_returns import AssetPrices, entry_positions, forward_growth
from backtests.analysis.matched_placebo import (
    StratifiedOutcomes,
    halving_eras,
    least_without_one,
    market_states,
    statistic_of,
    stratified_draws,
)
from backtests.analysis.placebo import p_value
from backtests.claims.study_data import World
from backtests.claims.verdicts import TOO_LITTLE, Finding
from backtests.config.claims import ClaimSettings
from feeds.arrays import Floats, Integers

# kinds of strata, and keys of their draws
ERAS: Final = 1
STATES: Final = 2

# measures that rest on the episodes of the claim's own event
DATED: Final = (
    *("event", "average", "every_episode", "against_asset"),
    *("against_index", "against_event", "condition"),
)


@dataclass(frozen=True, slots=True)
class Question:
    """A claim, the bars it is about and how random dates are placed."""

    world: World
    claim: ClaimSettings
    placement: Placement

    @property
    def index(self) -> str:
        """The symbol of the index."""
        return self.world.index().instrument.symbol

    def asset(self, name: str) -> AssetPrices:
        """Return the prices of one of the claim's assets."""
        return self.world.asset(name)

    def events(self, event: str = "", *, index: str = "") -> Events:
        """Return an event, by default the claim's."""
        return self.world.events(event or self.claim.event, index=index)

    def episodes(self, event: str = "", *, index: str = "") -> Episodes:
        """Return the episodes of an event, by default the claim's."""
        occurred = self.events(event, index=index).occurred
        return episodes(np.flatnonzero(occurred), gap=self.claim.gap_sessions)

    def growth(self, name: str, *, index: str = "") -> Floats:
        """Return an asset's log growth over the horizon after every session of the index."""
        asset = self.asset(name)
        entries = entry_positions(asset, available_at=self.world.known_at(index))
        return forward_growth(asset, entries, days=self.claim.horizon_days)

    def dates(self, name: str) -> tuple[str, ...]:
        """Return the first sessions of the episodes a measurement of an asset rests on."""
        claim, own = self.claim, self.episodes()
        if claim.measure not in DATED:
            return (claim.session,) if claim.session else ()
        sessions = self.events().sessions[own.starts]
        counted = np.isfinite(self.growth(name)[own.starts])
        if claim.measure == "every_episode":
            early = sessions < pd.Timestamp(claim.before or "2100-01-01")
            counted = counted & early & (np.cumsum((counted & early)[::-1])[::-1] <= claim.last)
        return tuple(f"{day:%Y-%m-%d}" for day in sessions[counted])

    def grown(self, name: str, effect: Effect, *, figure: str, left_out: float) -> Finding:
        """Return a finding about growth from its effect in logs."""
        return Finding(
            asset=name,
            figure=figure if effect.episodes else "no episode with a known outcome",
            index=self.index,
            event=self.claim.event,
            horizon_days=self.claim.horizon_days,
            estimate=float(np.expm1(effect.excess)),
            low=float(np.expm1(effect.low)),
            high=float(np.expm1(effect.high)),
            p_value=effect.p_value,
            claimed=self.claim.effect if self.claim.is_claim else np.nan,
            detectable=float(np.expm1(effect.detectable)),
            left_out=float(np.expm1(left_out)),
            episodes=effect.episodes,
        )

    def shared(
        self, name: str, effect: Effect, *, figure: str, claimed: float, left_out: float
    ) -> Finding:
        """Return a finding about a share from its effect."""
        return Finding(
            asset=name,
            figure=figure,
            index=self.index,
            event=self.claim.event,
            horizon_days=self.claim.horizon_days,
            estimate=effect.excess,
            low=effect.low,
            high=effect.high,
            p_value=effect.p_value,
            claimed=claimed,
            detectable=effect.detectable,
            left_out=left_out,
            episodes=effect.episodes,
            unit="share",
        )

    def against_all_placebos(
        self,
        finding: Finding,
        name: str,
        *samples: Outcomes,
        drawn: Floats,
        second_index: str = "",
    ) -> Finding:
        """Return a finding set against random dates of eras and of market states of a coin, too.

        `samples` are the outcomes whose mean, or difference of two means, was found; the second
        may be that of another index. `drawn` is the same of random dates of all.
        """
        if not finding.episodes:
            return finding
        strata = [self._groups(kind, name, samples, second_index) for kind in (ERAS, STATES)]
        draws = [drawn]
        for kind, groups in zip((ERAS, STATES), strata, strict=True):
            key = (self.claim.horizon_days, kind)
            draws.append(stratified_draws(*groups, placement=self.placement, key=key))
        actual, side = statistic_of(strata[0]), self.placement.alternative
        p_era, p_matched = (p_value(actual, one, alternative=side) for one in draws[1:])
        left = [least_without_one(*groups) for groups in strata]
        hardest = self._least_favourable(finding, actual, draws, left)
        return replace(hardest, p_era=p_era, p_matched=p_matched)

    def _groups(
        self, kind: int, name: str, samples: Sequence[Outcomes], second_index: str
    ) -> list[StratifiedOutcomes]:
        return [
            StratifiedOutcomes(sample, self._strata(kind, name, sample, index))
            for sample, index in zip(samples, ("", second_index), strict=False)
        ]

    def _least_favourable(
        self, finding: Finding, actual: float, draws: Sequence[Floats], left: Sequence[float]
    ) -> Finding:
        """Return a finding with the widest bounds and the least power of all placebos."""
        unit = np.expm1 if finding.unit == "growth" else np.asarray
        known = [one for one in draws if one.size]
        confidence = self.placement.confidence
        bounds = np.array([effect_bounds(actual, one, confidence=confidence) for one in known])
        power = np.array([detectable_effect(one) for one in known])
        if not known:
            return finding
        rates = verdict_rates(known[int(power.argmax())], claimed=finding.claimed)
        return replace(
            finding,
            low=float(unit(bounds[:, 0].min())),
            high=float(unit(bounds[:, 1].max())),
            detectable=float(unit(power.max())),
            left_out=float(np.fmin.reduce([finding.left_out, *unit(np.array(left))])),
            rates=tuple(rates.itertuples(name=None)) if finding.unit == "growth" else (),
        )

    def _strata(self, kind: int, name: str, sample: Outcomes, index: str) -> Integers:
        """Return the stratum of each eligible session."""
        if kind == ERAS:
            sessions = pd.DatetimeIndex(self.world.index(index).frame.index)
            return halving_eras(sessions[sample.sessions])
        asset = self.asset(name)
        entries = entry_positions(asset, available_at=self.world.known_at(index))
        return market_states(asset, entries[sample.sessions])

    @property
    def untested(self) -> str:
        """Why the question cannot be put to these bars; empty where it can."""
        if self.claim.stand_in or self.world.has_own_bars():
            return ""
        return f"Not tested: no bars of {self.world.config.index.symbol} itself are here."

    def unknown(self, reason: str, *, asset: str = "") -> Finding:
        """Return a finding that nothing can be told, and why."""
        names = asset or ", ".join(self.claim.assets)
        symbol = self.world.config.index.symbol
        return Finding(names, "none", index=symbol, decided=TOO_LITTLE, reason=reason)
