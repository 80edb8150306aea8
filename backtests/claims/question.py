"""A claim put to the bars: what every measurement starts from."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from backtests.analysis.effects import Effect, Placement
from backtests.analysis.episodes import Episodes, episodes
from backtests.analysis.events import Events
from backtests.analysis.forward import AssetPrices, entry_positions, forward_growth
from backtests.claims.verdicts import TOO_LITTLE, Finding
from backtests.claims.world import World
from backtests.config.claims import ClaimSettings
from feeds.arrays import Floats

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

    def unknown(self, reason: str, *, asset: str = "") -> Finding:
        """Return a finding that nothing can be told, and why."""
        names = asset or ", ".join(self.claim.assets)
        return Finding(names, "none", index=self.index, decided=TOO_LITTLE, reason=reason)
