"""The page of an evening: every config at a glance, then each with its facts and its episodes."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from backtests.analysis.episodes import Forebears
from backtests.desk.today import Evening, Order
from backtests.report.charts.figure_dicts import UndrawableError
from backtests.report.charts.today import episodes_chart
from backtests.report.pages.page_base import render
from backtests.report.pages.page_parts import Banner, Cell, Panel, Row
from backtests.report.words import notation as written
from backtests.report.words.today import facts, forebears_words, headline
from feeds.instruments import SAMPLE_SOURCE


def today_page(evenings: Sequence[tuple[Evening, Forebears | None]], *, made: str) -> str:
    """Return the page of some evenings; `made` is when it was made, in words."""
    panels = {
        f"episodes-{place}": _panel(place, found)
        for place, (_, found) in enumerate(evenings, start=1)
    }
    rows = [_row(place, *each) for place, each in enumerate(evenings, start=1)]
    glance = [_glance(*each) for each in zip(rows, evenings, strict=True)]
    is_sample = any(
        bars.source == SAMPLE_SOURCE
        for evening, _ in evenings
        for bars in evening.market.inputs.all_bars
    )
    leaks = [leak for evening, _ in evenings for leak in evening.warnings]
    stale = [f"{evening.asset}: {each}" for evening, _ in evenings for each in evening.stale]
    return render(
        "today.html.j2",
        {"rows": rows, "made": made, "columns": GLANCE, "glance": glance},
        banner=Banner(is_sample, tuple(dict.fromkeys((*leaks, *stale)))),
        panels=panels,
    )


def _row(place: int, evening: Evening, found: Forebears | None) -> dict[str, Any]:
    state = "stale" if evening.stale else "due" if evening.order else "quiet"
    return {
        "id": f"config-{place}",
        "panel": f"episodes-{place}",
        "title": f"{evening.asset} on {evening.index}",
        "state": state,
        "sentence": headline(evening),
        "facts": list(facts(evening)),
        "words": forebears_words(found),
        "hash": evening.config.short_hash,
    }


GLANCE: Final = (
    "Config", "Answer", "In the market since", "Until", "Order at the next open", "Next high above",
)  # fmt: skip
ANSWERS: Final = {"stale": "bars are missing", "due": "an order is due", "quiet": "nothing to do"}


def _glance(row: Mapping[str, Any], given: tuple[Evening, Forebears | None]) -> Row:
    """Return one config at a glance, in `GLANCE`."""
    evening, _ = given
    since = f"{evening.since:%Y-%m-%d}" if evening.since is not None else "out of the market"
    end = "an exit" if evening.window_end is None else f"{evening.window_end:%Y-%m-%d}"
    cells = (
        Cell(ANSWERS[row["state"]], style=row["state"]),
        Cell(since),
        Cell(end if evening.in_market else ""),
        Cell("not known" if evening.stale else _order(evening.order)),
        Cell(written.price(evening.next_high_at)),
    )
    return Row(row["title"], cells)


def _order(order: Order | None) -> str:
    return f"{order.side} ({written.words(order.reason)})" if order else "none"


def _panel(place: int, found: Forebears | None) -> Panel:
    try:
        return Panel(f"episodes-{place}", episodes_chart(found))
    except UndrawableError as error:
        return Panel(f"episodes-{place}", reason=str(error))
