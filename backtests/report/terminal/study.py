"""Studies on the terminal: a row per claim or event, and where the page is."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table

from backtests.report.words.claims import (
    P_HEADING,
    evidence_in_words,
    interval,
    p_values,
    probability,
    size,
    stated_in_words,
)

if TYPE_CHECKING:
    from backtests.claims.runner import Judged

PIPED_WIDTH: Final = 220


def show(judged: Sequence["Judged"], *, page: Path) -> None:
    """Print what each study found, and the path of its page."""
    table = Table(box=None, pad_edge=False)
    is_claim = judged[0].claim.is_claim
    for column in ("claim", "asset", "reading", "as stated") if is_claim else ("event", "asset"):
        table.add_column(column, no_wrap=column != "reading")
    for column in ("effect", "interval", P_HEADING, "all counted", "episodes"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("as evidence" if is_claim else "verdict", no_wrap=True)
    for one in judged:
        found = one.finding
        table.add_row(
            one.study,
            found.asset,
            *((found.reading, stated_in_words(found)) if is_claim else ()),
            size(found.estimate, found.unit),
            interval(found),
            p_values(found),
            probability(one.adjusted_p),
            str(found.episodes),
            evidence_in_words(found) if is_claim else one.verdict,
        )
    # piped, rich would fold the table at 80 columns
    console = Console(highlight=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)
    console.print(table)
    console.print(f"Page: {page}", soft_wrap=True)
