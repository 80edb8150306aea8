"""What an audit notes beside leaks: history needed, and parameters without effect."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from backtests.config.config import Config
from backtests.config.own_tables import parameter_model
from backtests.market.asked import Asked, ask_own, own_uses
from backtests.market.inputs import Inputs
from backtests.market.lookahead import FEWEST_ROWS, is_same, same
from backtests.market.worlds import fronts, without_front
from feeds.arrays import Floats
from feeds.errors import InputError
from strategies.registry import Entry


def warm_up(each: Asked) -> str:
    """Return how much history a function per session needs, as far as shorter ones tell."""
    longest = 0
    for start in fronts(each.inputs):
        skipped = int(each.rows.searchsorted(start))
        try:
            found = each.ask(without_front(each.inputs, start))
        except InputError:
            return f"the {each.name} fails on a history that begins on {start:%Y-%m-%d}"
        changed = np.flatnonzero(~same(found, each.whole[skipped:]))
        if changed.size and changed[-1] > found.size - FEWEST_ROWS:
            return f"the {each.name} depends on how far back the data go, to their last bar"
        longest = max(longest, int(changed[-1]) + 1 if changed.size else 0)
    if not longest:
        return ""
    return f"the {each.name} needs at least {longest:,} sessions of history, as far as was tried"


def note_of_elsewhere(each: Asked) -> str:
    """Return a note if a function answers the same on entirely other bars and series."""
    try:
        found = each.ask(each.world(each.first, future="noise"))
    except InputError:
        return ""
    if not is_same(found, each.whole):
        return ""
    return (
        f"the {each.name} answers the same on other bars: what it reads of its own, as a file, no "
        "cut reaches. Ask for it by name as a series"
    )


def idle_parameters(config: Config, inputs: Inputs) -> Iterator[str]:
    """Yield the parameters of own functions that change no answer."""
    for entry, own in own_uses(config):
        whole = ask_own(entry, own, config, inputs)
        for name in entry.parameters:
            tried = [{**own, name: value} for value in _others(entry, own, name)]
            if tried and all(is_same(_try(entry, each, config, inputs), whole) for each in tried):
                yield (
                    f"`{name}` of the {entry.kind} {entry.name} changes nothing on these bars, "
                    f"tried at {', '.join(str(each[name]) for each in tried)}"
                )


def _try(entry: Entry, own: dict[str, Any], config: Config, inputs: Inputs) -> Floats:
    try:
        return ask_own(entry, own, config, inputs)
    except InputError:
        return np.empty(0)


def _others(entry: Entry, own: dict[str, Any], name: str) -> Sequence[Any]:
    """Return other values of a parameter that are allowed."""
    value, model = own[name], parameter_model(entry)
    if isinstance(value, bool):
        given: list[Any] = [not value]
    elif isinstance(value, int):
        given = [value * 2 + 1, value // 2]
    elif isinstance(value, float):
        given = [value * 2 + 0.1, value / 2]
    else:
        return []
    allowed = []
    for each in given:
        try:
            model.model_validate({**own, name: each})
        except ValueError:
            continue
        allowed.append(each)
    return allowed
