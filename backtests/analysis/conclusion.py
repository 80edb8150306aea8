"""What may be concluded from a run, in plain words and never more than the figures carry."""

from math import isnan
from typing import Final

from backtests.analysis.bootstrap import Interval
from backtests.format import percent

LEVEL: Final = 0.05
FEW_EPISODES: Final = 20


def conclude(
    *,
    asset: str,
    growth: Interval,
    against_held: Interval,
    against_control: Interval,
    shift_p_value: float,
    episodes: int,
    confidence: float,
    tried: int = 1,
) -> str:
    """Return one paragraph: against holding, against luck, against the coin's own signal.

    Intervals are of yearly growth and its differences, as fractions. `tried` is how many
    settings the rule was chosen from, itself included.
    """
    if episodes == 0 or isnan(growth.low):
        return (
            f"Nothing can be concluded: {_episodes(episodes)} and too few bars that vary. "
            "A longer history or another trigger is needed."
        )
    return " ".join(
        (
            _held(asset, against_held, confidence, tried),
            _timing(shift_p_value, tried),
            _own_signal(asset, against_control),
            _caveat(episodes),
        )
    )


def _held(asset: str, difference: Interval, confidence: float, tried: int) -> str:
    sure = f"{confidence * 100:.0f} % interval {_points(difference.low)} to "
    sure += f"{_points(difference.high)} percentage points a year"
    if difference.low > 0 and tried > 1:
        return (
            f"The rule earned more than holding {asset} ({sure}), as the best of {tried:,} tries "
            "may by luck: the interval is that of settings fixed beforehand."
        )
    if difference.low > 0:
        return f"The rule earned more than holding {asset}, beyond what chance explains ({sure})."
    if difference.high < 0:
        return f"The rule earned less than holding {asset}, beyond what chance explains ({sure})."
    return (
        f"Whether the rule earns more or less than holding {asset} cannot be told: "
        f"the difference is {_points(difference.estimate)} ({sure})."
    )


def _timing(p_value: float, tried: int) -> str:
    if isnan(p_value):
        return "Its timing cannot be judged."
    share = f"{percent(p_value)} of all shifts of the same positions in time did as well"
    if p_value <= LEVEL < p_value * tried:
        return (
            f"Its timing is no better than the best of {tried:,} tries would be by luck: {share}."
        )
    if p_value <= LEVEL:
        return f"Its timing is better than chance would make likely: only {share}."
    return f"Its timing is not distinguishable from luck: {share}."


def _own_signal(asset: str, difference: Interval) -> str:
    if isnan(difference.low):
        return f"Against {asset}'s own breakouts nothing can be said."
    if difference.low > 0:
        return f"The index adds something that {asset}'s own breakouts do not have."
    if difference.high < 0:
        return f"{asset}'s own breakouts were the better signal."
    return f"That the index adds anything to {asset}'s own breakouts is not shown."


def _caveat(episodes: int) -> str:
    if episodes >= FEW_EPISODES:
        return f"The sample is {_episodes(episodes)}, not its bars."
    return (
        f"All rests on {_episodes(episodes)} of the index, so only a very large effect could "
        "show, and one such episode can carry the whole result."
    )


def _episodes(count: int) -> str:
    return f"{count} independent episode{'' if count == 1 else 's'}"


def _points(fraction: float) -> str:
    return f"{fraction * 100:+.1f}"
