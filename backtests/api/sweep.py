"""A sweep in Python: `sweep`, and the object it returns, with every trial in a frame."""

import shutil
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final

import pandas as pd

from backtests.api.card import Card, Displayable
from backtests.api.request import Subject, Tree, named_index, own_bars, settings_tree
from backtests.config.config import Config
from backtests.config.plugins import pin_plugins
from backtests.config.short_names import plain_value, whole_keys
from backtests.market.inputs import load_inputs
from backtests.records.atomic_writing import require_writable
from backtests.report.terminal.search import TOP
from backtests.report.words.labels import FIGURES, figure_text, names, notation
from backtests.report.words.sweep import UNJUDGED, statistics, verdict
from backtests.search.bars_used import UsedBars, used_bars
from backtests.search.judging.judge import Judgement, judge
from backtests.search.parameter_space import value_text
from backtests.search.plan import Plan, flat_axes, plan_of
from backtests.search.rerun import chosen_config
from backtests.search.run_chunks import drive
from backtests.search.store import Store, create
from backtests.search.sweep_settings import OBJECTIVES, SearchSettings
from backtests.search.trials.kernel import FIGURES as TRIAL_FIGURES
from backtests.search.trials.trial_library import Library
from feeds.bars import Bars
from feeds.errors import ConfigError

SWEEP_NAMES: Final = {name: f"sweep.{name}" for name in SearchSettings.model_fields}
Axes = Mapping[str, Any] | None


@dataclass(frozen=True, repr=False, eq=False)
class SweepResult(Displayable):
    """All trials of a sweep, and what the best of them is worth.

    `store` reads the folder; without `out` that is a scratch one, which goes with this object.

    Examples
    --------
    >>> import backtests as bt
    >>> found = bt.sweep("ETH", {"hold_days": [20, 40]}, source="sample", start="2023-01-01")
    >>> found.trials["rules.hold_days"].tolist()
    [20, 40]
    >>> found.config(1).rules.hold_days
    40
    """

    store: Store
    judged: Judgement | None
    used: UsedBars

    @property
    def plan(self) -> Plan:
        """What was tried."""
        return self.store.plan

    @property
    def folder(self) -> Path:
        """Where the trials are kept."""
        return self.store.folder

    @cached_property
    def trials(self) -> pd.DataFrame:
        """Every trial, a row each (index `trial`): its settings, figures, and why it failed.

        Settings by whole key; figures as `Result.figures` has them, NaN where undefined. With
        `keep="best"` only the rows that were kept.
        """
        columns = ["trial", *self.plan.keys, *TRIAL_FIGURES, "failure"]
        parts = [part.to_pandas() for _, part in self.store.parts(columns)]
        joined: pd.DataFrame = pd.concat(parts, ignore_index=True)
        return joined.set_index("trial")

    def best(self, count: int = 5, *, by: str | None = None) -> pd.DataFrame:
        """Return the trials with the highest figure, by default the plan's objective.

        With `keep="best"` there are at most 1,000 by each figure of which more is better.

        The best of many is partly luck: `verdict` says how far to trust it.
        """
        figure = by or self.plan.settings.objective
        figures = TRIAL_FIGURES if self.store.has_all_rows else OBJECTIVES
        if figure not in figures:
            kept = "" if self.store.has_all_rows else ' by which rows are kept (`keep="best"`)'
            raise ConfigError(
                f"`by` must be a figure{kept}, one of {', '.join(figures)}; received {figure!r}."
            )
        table = self.store.best(figure, count=count).set_index("trial")
        return table[[*self.plan.keys, *TRIAL_FIGURES]]

    def config(self, trial: int) -> Config:
        """Return the config of one trial, which knows how many it was chosen from."""
        return chosen_config(self.folder, trial)

    @property
    def judgement(self) -> pd.DataFrame:
        """What the best trial is worth: a row per statistic, with its value and what it means.

        Empty where too few trials or bars can be compared.
        """
        found = () if self.judged is None else statistics(self.judged)
        rows = [
            {"statistic": one.name, "value": one.value, "meaning": one.meaning} for one in found
        ]
        return pd.DataFrame(rows, columns=["statistic", "value", "meaning"]).set_index("statistic")

    @property
    def verdict(self) -> str:
        """One sentence that says whether the best trial means anything."""
        return UNJUDGED if self.judged is None else verdict(self.judged)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to know of the bars before trusting a figure."""
        return self.used.warnings

    def card(self) -> Card:
        """Return the best trials, and how far to trust them."""
        plan, failed = self.plan, sum(self.store.failures().values())
        objective = notation(plan.settings.objective)
        shown = tuple(dict.fromkeys((plan.settings.objective, "cagr", "max_drawdown", "trades")))
        called, best = names(plan.keys), self.best(TOP)
        table = pd.DataFrame(
            {called[key].clear: best[key].map(value_text) for key in plan.keys}
            | {FIGURES[name].label: [figure_text(name, each) for each in best[name]]
               for name in shown}
        )  # fmt: skip
        heading = f"{plan.trials:,} trials, {failed:,} failed. The best by {objective.inside}:"
        return Card(heading, table, (self.verdict,), self.warnings)


def sweep(
    asset: Subject = None,
    axes: Axes = None,
    *,
    out: str | Path | None = None,
    index: Bars | str | None = None,
    coin: Bars | None = None,
    threads: int | None = None,
    settings: Mapping[str, Any] | None = None,
    **keywords: Any,
) -> SweepResult:
    """Try many settings of a config, and judge the best of them.

    Parameters
    ----------
    asset
        As `backtest` has it; a TOML file may hold the axes in its table [sweep].
    axes
        Settings to vary, and the values of each: {"hold_days": [20, 40, 60]}, or a range to
        draw from: {"stop_loss": {"from": 0.05, "to": 0.4, "step": 0.05}}.
    out
        The folder that keeps the sweep, with its page, as the command does; by default nothing
        is kept beyond the object returned.
    index, coin, settings, keywords
        As `backtest` has them. Here `search` ("grid", "random", "guided"), `trials`, `seed`,
        `objective` and `tried_before` say how to search, and `keep` ("all", "best") what is kept.
    threads
        How many to use; by default one per processor.

    Raises
    ------
    InputError
        In one line: what is wrong, what was received, and what to do.

    Examples
    --------
    >>> import backtests as bt
    >>> found = bt.sweep("ETH", {"rules.hold_days": range(20, 61, 20)}, source="sample")
    >>> len(found.trials), found.best(1).shape[0]
    (3, 1)
    """
    own = own_bars(index=index, coin=coin)
    tree = settings_tree(
        asset, settings=settings, keywords=keywords | named_index(index), own=own, first=SWEEP_NAMES
    )
    plan, library = plan_of(with_axes(tree, axes)), library_with(own)
    if out is not None:
        require_writable(Path(out))
    place = Path(tempfile.mkdtemp(prefix="sweep-")) if out is None else Path(out)
    try:
        found = _swept(plan, place, library, threads=threads)
    except BaseException:
        if out is None:
            shutil.rmtree(place, ignore_errors=True)
        raise
    if out is None:
        weakref.finalize(found, shutil.rmtree, place, ignore_errors=True)
    else:
        from backtests.report.save_search import write_judged

        write_judged(found.store, found.judged, found.used)
    return found


def library_with(own: Sequence[Bars]) -> Library:
    """Return a library that has bars of one's own already."""
    return Library(load=partial(load_inputs, own=own))


def _swept(plan: Plan, place: Path, library: Library, *, threads: int | None) -> SweepResult:
    with pin_plugins(plan.base):
        used = used_bars(plan, library)
        store = create(place, plan, bars=used.bars, warnings=used.warnings)
        drive(store, library=library, report=lambda _: None, threads=threads)
        return SweepResult(store, judge(store, library=library), used)


def with_axes(tree: Tree, axes: Axes) -> Tree:
    """Return the settings with axes in the table [sweep], in place of those of the same keys."""
    if axes is None:
        return tree
    if not isinstance(axes, Mapping):
        raise ConfigError(
            'what to vary must be a mapping such as {"hold_days": [20, 40]}, received '
            f"{type(axes).__name__}."
        )
    written = tree.get("sweep", {})
    held = dict(flat_axes(written)) if isinstance(written, dict) else {}
    given: dict[str, Any] = {}
    for name, values in axes.items():
        (key,) = whole_keys({name: None}, model=Config)
        given[key] = plain_value(values)
    return {**tree, "sweep": {**held, **given}}
