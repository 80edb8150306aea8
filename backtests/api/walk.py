"""A walk-forward in Python: `walk_forward`, and the object it returns, with its returns."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
from pydantic import ValidationError

from backtests.analysis.exposure import with_start
from backtests.api.card import Card, Displayable
from backtests.api.request import Subject, named_index, own_bars, settings_tree
from backtests.api.sweep import SWEEP_NAMES, Axes, library_with, with_axes
from backtests.config.explain_errors import explain_error
from backtests.config.plugins import pin_plugins
from backtests.report.save_search import steps_table
from backtests.report.words import walkforward as words
from backtests.report.words.labels import FIGURES, figure_text
from backtests.search.plan import Plan, plan_of
from backtests.search.walkforward.walk import WalkForward, require_walkable
from backtests.search.walkforward.walk import walk_forward as walked
from backtests.search.walkforward.windows import WindowSettings
from feeds.bars import Bars
from feeds.errors import ConfigError
from feeds.sessions import BAR_LENGTHS

WALK_NAMES: Final = {name: f"walkforward.{name}" for name in WindowSettings.model_fields}
BRIEF: Final = ("total_return", "cagr", "sharpe_ratio", "max_drawdown")
HEADINGS: Final = {"walk_forward": "Walk-forward", "buy_and_hold": "Buy-and-hold"}


@dataclass(frozen=True, repr=False, eq=False)
class WalkForwardResult(Displayable):
    """What choosing on the past and trading the next days would have brought.

    `walk` holds everything behind the frames.

    Examples
    --------
    >>> import backtests as bt
    >>> found = bt.walk_forward(
    ...     "ETH", {"hold_days": [20, 40]}, source="sample", start="2020-01-01", train_days=730
    ... )
    >>> found.returns.columns.tolist()
    ['walk_forward', 'buy_and_hold']
    >>> len(found.steps) > 1
    True
    """

    walk: WalkForward
    plan: Plan
    windows: WindowSettings

    @property
    def returns(self) -> pd.DataFrame:
        """Returns per bar of the stitched test windows, beside those of holding."""
        return pd.DataFrame({"walk_forward": self.walk.returns, "buy_and_hold": self.walk.held})

    @property
    def equity(self) -> pd.DataFrame:
        """What 1 became, as in equity.csv: a row per bar, and one before for the start."""
        grown = (1 + self.returns).cumprod()
        length = BAR_LENGTHS[self.plan.base.data.timeframe]
        return with_start(grown, 1.0, length=length).set_index("time")

    @property
    def figures(self) -> pd.DataFrame:
        """The figures of both, a row each; NaN where undefined."""
        return pd.DataFrame(self.walk.figures).astype("float64")

    @property
    def steps(self) -> pd.DataFrame:
        """A row per window: its days, the settings chosen, and what came of them."""
        return steps_table(self.walk, self.plan)

    @property
    def verdict(self) -> str:
        """What the walk shows, in a sentence or two."""
        return words.verdict(self.walk, self.plan)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to know before trusting a figure."""
        return tuple(words.problems(self.walk, self.plan))

    def card(self) -> Card:
        """Return the walk in brief."""
        figures = self.figures
        table = pd.DataFrame(
            {
                heading: {FIGURES[row].label: figure_text(row, figures[name][row]) for row in BRIEF}
                for name, heading in HEADINGS.items()
            }
        )
        first, last = self.returns.index[0], self.returns.index[-1]
        heading = (
            f"{self.plan.base.asset}: {len(self.walk.steps)} windows traded from {first:%Y-%m-%d} "
            f"to {last:%Y-%m-%d}, each with the best of {self.plan.trials:,} trials before it"
        )
        return Card(heading, table, (self.verdict,), self.warnings)


def walk_forward(
    asset: Subject = None,
    axes: Axes = None,
    *,
    index: Bars | str | None = None,
    coin: Bars | None = None,
    settings: Mapping[str, Any] | None = None,
    **keywords: Any,
) -> WalkForwardResult:
    """Choose the best trial on past bars, trade it on the next, and so on to the end.

    Parameters are those of `sweep`; `train_days`, `test_days`, `embargo_days` and `anchored`
    say how the bars are cut.

    Raises
    ------
    InputError
        In one line: what is wrong, what was received, and what to do.

    Examples
    --------
    >>> import backtests as bt
    >>> found = bt.walk_forward("ETH", {"hold_days": [30, 60]}, source="sample", test_days=730)
    >>> found.figures.columns.tolist()
    ['walk_forward', 'buy_and_hold']
    """
    own = own_bars(index=index, coin=coin)
    first = SWEEP_NAMES | WALK_NAMES
    tree = settings_tree(
        asset, settings=settings, keywords=keywords | named_index(index), own=own, first=first
    )
    windows = _windows(tree.get("walkforward", {}))
    plan = plan_of(with_axes(tree, axes))
    require_walkable(plan)
    with pin_plugins(plan.base):
        found = walked(plan, settings=windows, library=library_with(own))
    return WalkForwardResult(found, plan, windows)


def _windows(given: Any) -> WindowSettings:
    try:
        return WindowSettings.model_validate(given)
    except ValidationError as error:
        raise ConfigError(explain_error(error, WindowSettings, section="walkforward")) from error
