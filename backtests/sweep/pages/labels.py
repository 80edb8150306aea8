"""How pages and terminal call settings and figures, and how they write their values."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from backtests import format as written
from backtests.report.figures import FIGURES

CLEAR: Final = ("", "signal", "rules")
NAMED_AFTER: Final = ("CAGR", "Sharpe", "Sortino", "Calmar")

# plotly's notation of ticks and of single values, by how a figure is written in text
PLOTLY: Final[dict[Callable[[float], str], tuple[str, str]]] = {
    written.percent: (".3~%", ".1%"),
    written.ratio: (".3~f", ".2f"),
    written.count: (",.3~f", ",.0f"),
    written.money: (",.3~f", ",.0f"),
}


@dataclass(frozen=True, slots=True)
class Notation:
    """How one figure is called and written; `ticks` and `value` are plotly's formats.

    `inside` is its label inside a sentence.
    """

    label: str
    inside: str
    write: Callable[[float], str]
    definition: str
    ticks: str
    value: str


@dataclass(frozen=True, slots=True)
class Name:
    """A setting in words: its own name, and the section of the config it stands in."""

    section: str
    short: str

    @property
    def clear(self) -> str:
        """The name that stands for itself, without its section where that adds nothing."""
        return self.short if self.section in CLEAR else f"{self.section} {self.short}"


def notation(figure: str) -> Notation:
    """Return how a figure of a trial is called and written, as on the tearsheet."""
    shown = FIGURES[figure]
    return Notation(shown.label, title(figure), shown.text, shown.definition, *PLOTLY[shown.text])


def title(name: str) -> str:
    """Return what a figure is called within a sentence."""
    label = FIGURES[name].label
    return label if label.split()[0] in NAMED_AFTER else label.lower()


def names(keys: Sequence[str]) -> dict[str, Name]:
    """Return each setting's name: its key's last part, and the one before where two are alike."""
    parts = {key: key.split(".") for key in keys}
    last = Counter(path[-1] for path in parts.values())
    kept = {key: 1 if last[path[-1]] == 1 else 2 for key, path in parts.items()}
    return {
        key: Name(_words(path[: -kept[key]]), _words(path[-kept[key] :]))
        for key, path in parts.items()
    }


def value_text(value: Any) -> str:
    """Return a value of a setting as the sheet writes it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value in ("", ()):
        return "none"
    return f"{value:.10g}" if isinstance(value, float) else written.words(str(value))


def listed(words: Sequence[str], *, last: str = "and") -> str:
    """Return words as a sentence lists them: a, b and c."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def _words(path: Sequence[str]) -> str:
    return written.words(" ".join(path))
