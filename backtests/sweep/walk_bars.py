"""The bars a walk-forward rests on, and what a reader should know about them."""

from dataclasses import dataclass

import pandas as pd

from backtests.config import Config
from backtests.inputs import Inputs
from backtests.market import known_from
from backtests.report.prose import SAMPLE_SOURCE
from backtests.survivors import survivor_note
from backtests.sweep.groups import Library
from backtests.sweep.plan import Plan
from feeds.bars import Bars
from feeds.checks import silent_index


@dataclass(frozen=True, slots=True)
class UsedBars:
    """All bars any trial reads, each once, their digests by name, and all warnings."""

    bars: tuple[Bars, ...]
    digests: dict[str, str]
    warnings: tuple[str, ...]

    @property
    def is_sample(self) -> bool:
        """Whether any of the bars are the bundled sample's simulated days."""
        return any(bars.source == SAMPLE_SOURCE for bars in self.bars)


def used_bars(plan: Plan, library: Library, *, digests: dict[str, str]) -> UsedBars:
    """Return what the library has loaded for a plan, and what a run with it would warn of."""
    found: dict[tuple[str, str], Bars] = {}
    warnings: list[str] = []
    for inputs in library.loaded.values():
        found |= {(bars.instrument.symbol, bars.timeframe): bars for bars in inputs.all_bars}
        warnings += [note for bars in inputs.all_bars for note in bars.notes]
        warnings += [note for series in inputs.series.values() for note in series.notes]
        warnings += inputs.notes
    for config in plan.markets():
        warnings += _judged(config, library.inputs(config))
    return UsedBars(tuple(found.values()), digests, tuple(dict.fromkeys(warnings)))


def _judged(config: Config, inputs: Inputs) -> list[str]:
    """Return what is wrong with inputs beside each other."""
    last = max(bars.frame.index[-1] for bars in inputs.coins)
    if config.data.end:
        last = min(last, pd.Timestamp(config.data.end, tz="UTC"))
    silent = silent_index(
        known_from(inputs.index, config), symbol=inputs.index.instrument.symbol, until=last
    )
    notes = (survivor_note(config, inputs), silent.text if silent else None)
    return [note for note in notes if note]
