"""The sheet of a sweep: one self-contained, interactive HTML page."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from backtests.report.charts import sweep as charts
from backtests.report.charts.figure_dicts import Spec
from backtests.report.charts.heatmaps import heatmaps, shows_once
from backtests.report.pages.best_table import best_table
from backtests.report.pages.page_base import mailable, render
from backtests.report.pages.page_parts import Banner, Cell, Panel, number, text_row
from backtests.report.words import notation as written
from backtests.report.words import sweep as words
from backtests.report.words.labels import list_words, names, notation
from backtests.search.judging.judge import Judgement
from backtests.search.outcomes import best_outcomes
from backtests.search.parameter_surface import Surface, surface
from backtests.search.plan import Plan
from backtests.search.store import Store
from feeds.bars import Bars
from feeds.history import source_in_words
from feeds.instruments import SAMPLE_SOURCE

TOP: Final = 20


def sheet(
    store: Store,
    judgement: Judgement | None,
    *,
    bars: Sequence[Bars] = (),
    warnings: Sequence[str] = (),
) -> str:
    """Return the page; the same table and the same bars give the same bytes.

    `bars` are those the trials were done on, `warnings` what else is wrong with the inputs;
    without them the page says nothing of them.
    """
    said = bars_table(bars, warnings=warnings)
    found = surface(store)
    outcomes = best_outcomes(store, count=TOP)
    best = [outcome.trial for outcome in outcomes]
    around = found.around(np.array(best, np.int64) // found.every)
    heat = heatmaps(found, objective=store.plan.settings.objective)
    content = {
        **_content(store, judgement),
        **_heat_content(heat, store),
        "best": best_table(store.plan, outcomes, around=around),
        "bars": said,
        "bars_columns": COLUMNS,
    }
    reasons = _reasons(found, store.plan, failed=sum(store.failures().values()))
    panels = {
        name: Panel(name, spec, reasons.get(name, ""))
        for name, spec in _specs(found, store, judgement, best).items()
    }
    content |= {"heat_reason": reasons["heat"], "top_reason": reasons["top"]}
    panels |= {name: Panel(name, spec) for name, spec in heat.items()}
    banner = Banner(said.is_sample, said.warnings)
    return render("sweep.html.j2", content, banner=banner, panels=panels)


def assets(plan: Plan) -> list[str]:
    """Return what is traded in one trial or another, in the order of the plan."""
    (swept,) = [one.ends for one in plan.axes if one.key == "asset"] or [(plan.base.asset,)]
    return list(map(str, swept))


def _content(store: Store, judgement: Judgement | None) -> dict[str, Any]:
    plan = store.plan
    findings = words.statistics(judgement) if judgement else ()
    return {
        "plan": plan,
        "shown": notation(plan.settings.objective),
        "assets": list_words(assets(plan)),
        "failures": store.failures(),
        "verdict": words.verdict(judgement) if judgement else words.UNJUDGED,
        "findings": [text_row(*finding) for finding in findings],
        "folder": store.folder.name,
        "rows": "" if store.has_all_rows else words.rows_kept(plan.trials),
        "toml": replace(plan, base=mailable(plan.base)).to_toml(),
    }


def _heat_content(heat: dict[str, Spec], store: Store) -> dict[str, Any]:
    return {
        "pairs": _pairs(heat, store.plan),
        "is_one_map": shows_once(heat),
        "map_height": max((spec["layout"]["height"] for spec in heat.values()), default=0),
    }


def _specs(
    found: Surface, store: Store, judgement: Judgement | None, best: Sequence[int]
) -> dict[str, Spec | None]:
    """Return the charts, but for the heatmaps; None for what cannot be drawn."""
    objective = store.plan.settings.objective
    return {
        "curve": charts.curve(found, objective=objective),
        "parallel": charts.parallel(found, objective=objective),
        "plateau": charts.plateau(found, objective=objective, best=best),
        "splits": None if judgement is None else charts.in_and_out(judgement),
    }


def _reasons(found: Surface, plan: Plan, *, failed: int) -> dict[str, str]:
    """Return for each chart why it cannot be drawn, if it cannot."""
    label = notation(plan.settings.objective).inside
    if found.ascending.size == 0:
        some = "all" if failed == plan.trials else f"{failed:,} of {plan.trials:,}"
        failures = f"{some} failed for the reasons above. " if failed else ""
        undefined = "" if failed == plan.trials else "It is undefined where a trial never trades."
        why = f"No trial has a {label}{': ' if failed else '. '}{failures}{undefined}".strip()
        return dict.fromkeys(("heat", "parallel", "plateau", "splits", "top"), why)
    if plan.settings.search != "grid":
        plateau = "Only a grid has neighbours; these trials are draws."
    elif not found.shape:
        plateau = f"Of so many trials only every {found.every}. is shown, without its neighbours."
    else:
        plateau = "No trial has a neighbour with another result."
    splits = "Fewer than two trials have a Sharpe ratio, so there is nothing to choose among."
    one = "Only one setting varies."
    return {"heat": one, "parallel": "", "plateau": plateau, "splits": splits, "top": ""}


def _pairs(heat: dict[str, Any], plan: Plan) -> list[tuple[str, str]]:
    """Return the pairs of settings that are drawn, in the plan's order, and how they read."""
    called = names(plan.keys)
    pairs = dict.fromkeys(name.partition("|")[2] for name in heat)
    return [(pair, list_words([called[key].short for key in pair.split("|")])) for pair in pairs]


# heading and whether its cells are numbers
COLUMNS: Final = (
    ("Symbol", False), ("Bars of", False), ("Source", False), ("Origin", False),
    ("First bar", False), ("Last bar", False), ("Bars", True),
)  # fmt: skip
MOST_NAMED: Final = 4


@dataclass(frozen=True, slots=True)
class BarsTable:
    """The bars in a line of text and in rows, and what a reader should know about them."""

    line: str
    rows: tuple[tuple[Cell, ...], ...]
    warnings: tuple[str, ...]
    is_sample: bool


def bars_table(bars: Sequence[Bars], *, warnings: Sequence[str] = ()) -> BarsTable:
    """Return what is said of the bars, in the order given, each once; so of all warnings.

    The bars' own cautions are warnings, too.
    """
    once = list({(one.instrument.symbol, one.timeframe, one.sha256): one for one in bars}.values())
    return BarsTable(
        line=_line(once),
        rows=tuple(_row(one) for one in once),
        warnings=tuple(
            dict.fromkeys((*(note for one in once for note in one.cautions), *warnings))
        ),
        is_sample=any(one.source == SAMPLE_SOURCE for one in once),
    )


def _line(bars: Sequence[Bars]) -> str:
    if not bars:
        return ""
    sources = list_words(list(dict.fromkeys(one.source for one in bars)))
    if len(bars) > MOST_NAMED:
        first, last = min(map(_first, bars)), max(map(_last, bars))
        lengths = list_words(list(dict.fromkeys(one.timeframe for one in bars)))
        return f"{len(bars)} symbols, bars of {lengths}, {first} to {last}; source: {sources}"
    spans = (
        f"{one.instrument.label} {one.timeframe} {_first(one)} to {_last(one)}, "
        f"{written.count(len(one))} bars"
        for one in bars
    )
    return f"{'; '.join(spans)}; source: {sources}"


def _row(bars: Bars) -> tuple[Cell, ...]:
    texts = (
        bars.instrument.symbol,
        bars.timeframe,
        source_in_words(bars),
        bars.origin,
        _first(bars),
        _last(bars),
    )
    return (*(Cell(text, sort=text) for text in texts), number(len(bars), written.count))


def _first(bars: Bars) -> str:
    return written.date(bars.frame.index[0])


def _last(bars: Bars) -> str:
    return written.date(bars.frame.index[-1])
