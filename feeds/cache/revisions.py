"""What changed between rows already stored and the same rows as a vendor serves them now."""

from typing import Final

import numpy as np
import pandas as pd

from feeds.wording import number_text

RELOAD_ABOVE: Final = 0.02  # median disagreement of closes; a split makes 0.33 or more


def mistrust(held: pd.DataFrame, fresh: pd.DataFrame) -> str:
    """Return why the held rows cannot be continued by the fresh ones, empty if they can.

    They cannot if they share no time, or if most closes (of a series: values) disagree.
    """
    common = held.index.intersection(fresh.index)
    if common.empty:
        return "the vendor's rows do not overlap those held"
    column = "close" if "close" in held.columns else str(held.columns[0])
    before, now = (frame.loc[common, column].to_numpy(np.float64) for frame in (held, fresh))
    scale = np.maximum(np.abs(before), np.abs(now))
    relative = np.divide(np.abs(now - before), scale, out=np.zeros_like(scale), where=scale > 0)
    difference = float(np.median(relative))
    if difference > RELOAD_ABOVE:
        return (
            f"the last {len(common)} rows held differ from the vendor's by {difference:.1%} in "
            "the median, as after a split"
        )
    return ""


def revisions(held: pd.DataFrame, fresh: pd.DataFrame) -> list[str]:
    """Describe each settled row that was changed, is not served any more, or came late."""
    texts = []
    for time in held.index.union(fresh.index[fresh.index <= held.index[-1]]):
        if time not in fresh.index:
            texts.append(f"{time:%Y-%m-%d %H:%M} is not served any more, it is kept")
        elif time not in held.index:
            texts.append(f"{time:%Y-%m-%d %H:%M} was missing and is served now")
        else:
            changed = _changes(held.loc[time], fresh.loc[time])
            if changed:
                texts.append(f"{time:%Y-%m-%d %H:%M}: {', '.join(changed)}")
    return texts


def _changes(before: pd.Series, after: pd.Series) -> list[str]:
    pairs = [(name, float(before[name]), float(after[name])) for name in before.index]
    return [
        f"{name} {number_text(old)} -> {number_text(new)}"
        for name, old, new in pairs
        if old != new and not (np.isnan(old) and np.isnan(new))
    ]
