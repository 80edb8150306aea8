"""The page that sets side by side what its reader chose among all runs, without a server.

It carries of every run what the comparison shows, already written; which runs it shows stands in
its address, and is put together by the page itself.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from backtests.records.saved_runs import MOST_RUNS, RunRecord
from backtests.records.saved_searches import made_at
from backtests.records.weekly_equity import Course
from backtests.report.charts.comparison import (
    EQUITY_HOVER,
    HOLD_LINE,
    line_styles,
    unfilled_panels,
)
from backtests.report.pages.page_base import render, script_json
from backtests.report.pages.page_parts import Panel
from backtests.report.words import notation as written
from backtests.report.words.differences import (
    AT_RELEASE,
    LONGEST_LABEL,
    MOST_NAMED,
    NO_FILTER,
    coverage,
    differences_of,
    filters_of_some,
    is_name,
    short_name,
    shown_value,
)
from backtests.report.words.labels import BETTER_IF, FIGURES, HELD_FIGURES, figure_text

CHOSEN_PAGE: Final = "compare.html"


def chosen_page(runs: Sequence[RunRecord]) -> str:
    """Return the page that compares those of the runs that its address names."""
    panels = {name: Panel(name, spec) for name, spec in unfilled_panels().items()}
    chosen = script_json(_content(runs))
    content = {"runs": (), "folded": (), "is_like_for_like": True, "chosen": chosen}
    return render("compare.html.j2", content, panels=panels)


def _content(runs: Sequence[RunRecord]) -> dict[str, Any]:
    holds: dict[str, int] = {}
    told: list[dict[str, Any]] = []
    told_runs = [_run(run, holds, told) for run in runs]
    return {
        "runs": told_runs,
        "holds": told,
        "figures": _figures(),
        "settings": [_setting(name, values) for name, values in differences_of(runs)],
        "filters": [
            _setting(name, values) for name, values in filters_of_some([run.config for run in runs])
        ],
        "styles": line_styles(MOST_RUNS),
        "words": {
            "most": MOST_NAMED,
            "longest": LONGEST_LABEL,
            "hover": EQUITY_HOVER,
            "hold": HOLD_LINE,
            "noFilter": NO_FILTER,
            "atRelease": AT_RELEASE,
        },
        "most": MOST_RUNS,
        "minus": written.MINUS,
        "undefined": written.UNDEFINED,
    }


def _run(run: RunRecord, holds: dict[str, int], told: list[dict[str, Any]]) -> dict[str, Any]:
    """Return one run; what holding made is told once for all runs of the same bars."""
    own, held = run.courses.get("strategy"), run.courses.get("buy_and_hold")
    place = None
    if held is not None:
        place = holds.setdefault(f"{run.asset} {held.first} {held.packed}", len(told))
        if place == len(told):
            told.append({"asset": run.asset or "?", **_course(held), "years": _years(held)})
    figures = [figure_text(name, run.strategy.get(name)) for name in FIGURES]
    return {
        "name": run.name,
        "title": run.title,
        "asset": run.asset,
        "made": made_at(run.name),
        "link": run.link,
        "verdict": run.verdict,
        "simulated": run.is_sample,
        "covers": " ".join(coverage(run)),
        "figures": figures
        + [figure_text(name, run.buy_and_hold.get(name)) for name in HELD_FIGURES],
        "course": _course(own) if own is not None else None,
        "years": _years(own) if own is not None else {},
        "hold": place,
    }


def _course(course: Course) -> dict[str, str]:
    return {"first": course.first, "packed": course.packed}


def _years(course: Course) -> Mapping[str, str]:
    return {year: written.percent(made) for year, made in course.years.items()}


def _figures() -> list[dict[str, str | None]]:
    own = [
        {"label": shown.label, "better": BETTER_IF[name].__name__ if name in BETTER_IF else None}
        for name, shown in FIGURES.items()
    ]
    held = [
        {"label": f"Buy-and-hold: {FIGURES[name].label}", "better": None} for name in HELD_FIGURES
    ]
    return [*own, *held]


def _setting(name: str, values: Sequence[str]) -> dict[str, Any]:
    """Return a setting with each of its values once, and which of them each run has."""
    texts = {text: place for place, text in enumerate(dict.fromkeys(values))}
    return {
        "name": name,
        "short": short_name(name) if is_name(name) else "",
        "texts": list(map(shown_value, texts)),
        "of": [texts[value] for value in values],
    }
