"""An evening on the terminal: the sentence first, then the facts, then how this time compares."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from backtests.analysis.episodes import AHEAD_DAYS, Forebears
from backtests.desk.today import Evening
from backtests.report.terminal import WIDTH
from backtests.report.words.notation import count_noun, decimal, warning_lines
from backtests.report.words.today import facts, forebears_words, headline

if TYPE_CHECKING:
    from backtests.desk.review import Review


def show_claims(evenings: Mapping[str, Evening | None]) -> None:
    """Print a sentence per claim: what trading its event would do this evening."""
    console = Console(highlight=False, soft_wrap=not sys.stdout.isatty(), width=WIDTH)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Claim", no_wrap=True)
    table.add_column("As if its event were traded")
    for name, evening in evenings.items():
        told = "dates no purchase" if evening is None else headline(evening)
        table.add_row(name, told)
    console.print(table)


def show(evenings: Sequence[tuple[Evening, Forebears | None]]) -> None:
    """Print every evening on stdout, all first sentences on top."""
    watched = sys.stdout.isatty()
    console = Console(highlight=False, soft_wrap=not watched, width=None if watched else WIDTH)
    for evening, _ in evenings:
        for warning in warning_lines(evening.warnings):
            console.print(warning, style="bold red", markup=False)
        console.print(headline(evening), markup=False)
    for evening, found in evenings:
        console.print(_facts(evening))
        for sentence in forebears_words(found):
            console.print(sentence, markup=False)
        if found is not None and found.earlier and found.is_running:
            console.print(_episodes(found))


def _facts(evening: Evening) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for name, text in facts(evening):
        table.add_row(name, text)
    return table


def _episodes(found: Forebears) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Episode of")
    table.add_column(f"day {found.day}", justify="right")
    table.add_column(f"next {AHEAD_DAYS} days", justify="right")
    for episode, then, ahead in zip(found.earlier, found.then, found.ahead, strict=True):
        table.add_row(f"{episode.session:%Y-%m-%d}", _growth(then), _growth(ahead))
    table.add_row(f"{found.present.session:%Y-%m-%d}, now", _growth(found.growth), "")
    return table


def _growth(value: float) -> str:
    return decimal(value * 100, 1, unit=" %", plus=True) if np.isfinite(value) else ""


def show_review(found: "Review", *, path: Path) -> None:
    """Print a journal's lines beside what today's bars say of their evenings."""
    console = Console(highlight=False, soft_wrap=not sys.stdout.isatty(), width=WIDTH)
    lines = found.lines
    agreed = sum(line.agrees for line in lines)
    console.print(
        f"{path}: {len(lines)} decisions written down in advance, the chain unbroken; today's bars "
        f"say the same of {agreed}.",
        markup=False,
    )
    for record in found.records:
        console.print(
            f"Made in advance, {record.asset} ({record.config_hash}): "
            f"{count_noun(record.lines, 'line')} since "
            f"{record.first[:10]}, over {record.days:.0f} days {_growth(record.growth)} before "
            f"costs, holding {_growth(record.holding)}.",
            markup=False,
        )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("Line", "As of", "Asset", "Said", "Today's bars say", "Why"):
        table.add_column(name)
    for line in lines:
        why = "; ".join(line.reasons) or ("" if line.agrees else "the program has changed since")
        now = "the same" if line.agrees else line.now
        table.add_row(str(line.line), line.as_of, line.asset, line.said, now, why)
    console.print(table)
