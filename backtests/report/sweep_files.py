"""What a sweep's folder gets once all trials are done: what the best is worth, and the page."""

from backtests.records.text import as_json
from backtests.records.writing import write_page
from backtests.report.pages.sweep import sheet
from backtests.report.words.sweep import verdict
from backtests.search.bars import UsedBars
from backtests.search.judging.judgement import Judgement
from backtests.search.store import Store


def write_judged(store: Store, judgement: Judgement | None, used: UsedBars) -> None:
    """Write `overfitting.json`, where there is a judgement, and `sheet.html`."""
    if judgement is not None:
        figures = {**judgement.plain(), "verdict": verdict(judgement)}
        write_page(store.folder / "overfitting.json", as_json(figures))
    page = sheet(store, judgement, bars=used.bars, warnings=used.warnings)
    write_page(store.folder / "sheet.html", page)
