"""Charts as inline SVG: no script, no outside reference, colours from the page's own theme."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import ArrayLike

from feeds.arrays import Floats

WIDTH: Final = 760
LEFT: Final = 64
RIGHT: Final = 14
TOP: Final = 12
BOTTOM: Final = 40


# what growth axes are marked at; they are drawn on a log scale, where a halving and a
# doubling lie equally far from nothing
GROWTH_TICKS: Final = (
    -0.95, -0.9, -0.8, -0.65, -0.5, -0.35, -0.2, -0.1, 0.0,
    0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 9.0, 19.0, 49.0, 99.0,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Axis:
    """A label, whether values are growth (fractions on a log scale), and how ticks read."""

    label: str
    is_growth: bool = False
    decimals: int = 0

    def scaled(self, values: ArrayLike) -> Floats:
        """Return values in the axis's own scale, NaN where they have no place on it."""
        array = np.asarray(values, np.float64)
        if not self.is_growth:
            return array
        return np.log1p(np.where(array > -1, array, np.nan))

    def text(self, value: float) -> str:
        """Return a tick's text."""
        if self.is_growth:
            return f"{value * 100:+.0f} %" if value else "0 %"
        return f"{value:.{self.decimals}f}"

    def ticks(self, low: float, high: float) -> list[float]:
        """Return the values to mark between two scaled bounds, few enough to be read."""
        if self.is_growth:
            return _thinned([t for t in GROWTH_TICKS if low <= math.log1p(t) <= high], high - low)
        step = _nice_step((high - low) / 6)
        first = math.ceil(low / step - 1e-9)
        return [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]


@dataclass(frozen=True, slots=True)
class Line:
    """A line through (x, y); `style` names a class of the page's style sheet."""

    x: ArrayLike
    y: ArrayLike
    style: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Band:
    """The area between `low` and `high`."""

    x: ArrayLike
    low: ArrayLike
    high: ArrayLike
    style: str


@dataclass(frozen=True, slots=True)
class Dots:
    """Points with an interval each (NaN where none) and a text on hover."""

    x: ArrayLike
    y: ArrayLike
    low: ArrayLike
    high: ArrayLike
    style: str
    titles: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Bars:
    """Columns from zero to `y`, `width` wide in the unit of x."""

    x: ArrayLike
    y: ArrayLike
    style: str
    width: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A straight line across the panel, at one value of x or y."""

    style: str
    x: float | None = None
    y: float | None = None


Layer = Line | Band | Dots | Bars | Mark


@dataclass(frozen=True, slots=True)
class _Panel:
    """Maps values to pixels."""

    x: tuple[float, float]
    y: tuple[float, float]
    y_axis: Axis
    height: int

    def left(self, values: ArrayLike) -> Floats:
        low, high = self.x
        share = (np.asarray(values, np.float64) - low) / (high - low)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def top(self, values: ArrayLike) -> Floats:
        low, high = self.y
        share = (self.y_axis.scaled(values) - low) / (high - low)
        return TOP + (1 - np.clip(share, 0, 1)) * (self.height - TOP - BOTTOM)


def chart(
    layers: Sequence[Layer],
    *,
    title: str,
    x: Axis,
    y: Axis,
    height: int = 300,
    x_texts: Sequence[tuple[float, str]] = (),
) -> Markup:
    """Return a chart, or nothing where no layer has a finite value.

    `x_texts` replaces the numbers below the panel, as (value, text).
    """
    xs = _finite([layer.x for layer in layers if not isinstance(layer, Mark)])
    ys = _finite([y.scaled(values) for layer in layers for values in _heights(layer)])
    if xs.size == 0 or ys.size == 0:
        return Markup("")
    edge = max(_bar_width(layer) for layer in layers) / 2
    panel = _Panel(
        _widened(xs.min() - edge, xs.max() + edge, 0.0), _widened(ys.min(), ys.max()), y, height
    )
    drawn = [_DRAW[type(layer)](layer, panel) for layer in layers]
    parts = [*_grid(panel, x, x_texts), *drawn]
    # every part has escaped its own texts
    name = escape(title)
    head = f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{name}">'
    return Markup(f"{head}<title>{name}</title>{''.join(parts)}</svg>")  # noqa: S704


def _line(layer: Line, panel: _Panel) -> str:
    points = _points(panel.left(layer.x), panel.top(layer.y))
    title = f"<title>{escape(layer.title)}</title>" if layer.title else ""
    return "".join(f'<path class="{layer.style}" d="M{part}">{title}</path>' for part in points)


def _band(layer: Band, panel: _Panel) -> str:
    left, low, high = panel.left(layer.x), panel.top(layer.low), panel.top(layer.high)
    known = np.isfinite(low) & np.isfinite(high)
    if not known.any():
        return ""
    there = _pairs(left[known], high[known])
    back = _pairs(left[known][::-1], low[known][::-1])
    return f'<path class="{layer.style}" d="M{there}L{back}Z"/>'


def _dots(layer: Dots, panel: _Panel) -> str:
    left, top = panel.left(layer.x), panel.top(layer.y)
    low, high = panel.top(layer.low), panel.top(layer.high)
    parts = []
    for row in np.flatnonzero(np.isfinite(top)).tolist():
        if np.isfinite(low[row]) and np.isfinite(high[row]):
            parts.append(
                f'<path class="{layer.style} whisker" '
                f'd="M{left[row]:.1f} {low[row]:.1f}V{high[row]:.1f}"/>'
            )
        text = f"<title>{escape(layer.titles[row])}</title>" if layer.titles else ""
        circle = f'cx="{left[row]:.1f}" cy="{top[row]:.1f}" r="4"'
        parts.append(f'<circle class="{layer.style}" {circle}>{text}</circle>')
    return "".join(parts)


def _bars(layer: Bars, panel: _Panel) -> str:
    half = layer.width / 2
    x = np.asarray(layer.x, np.float64)
    left, right = panel.left(x - half), panel.left(x + half)
    top, floor = panel.top(layer.y), panel.top(np.zeros(x.size))
    return "".join(
        f'<rect class="{layer.style}" x="{left[row]:.1f}" width="{right[row] - left[row]:.1f}" '
        f'y="{min(top[row], floor[row]):.1f}" height="{abs(floor[row] - top[row]):.1f}"/>'
        for row in np.flatnonzero(np.isfinite(top))
    )


def _mark(layer: Mark, panel: _Panel) -> str:
    if layer.x is not None:
        at = float(panel.left([layer.x])[0])
        return f'<path class="{layer.style}" d="M{at:.1f} {TOP}V{panel.height - BOTTOM}"/>'
    at = float(panel.top([np.nan if layer.y is None else layer.y])[0])
    return f'<path class="{layer.style}" d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}"/>'


_DRAW: Final[dict[type, Callable[..., str]]] = {
    Line: _line,
    Band: _band,
    Dots: _dots,
    Bars: _bars,
    Mark: _mark,
}


def _grid(panel: _Panel, x: Axis, x_texts: Sequence[tuple[float, str]]) -> list[str]:
    floor = panel.height - BOTTOM
    parts = []
    for tick in panel.y_axis.ticks(*panel.y):
        at = float(panel.top([tick])[0])
        style = "zero" if tick == 0 else "grid"
        parts.append(f'<path class="{style}" d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(
            f'<text class="tick" x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">'
            f"{escape(panel.y_axis.text(tick))}</text>"
        )
    texts = x_texts or [(tick, x.text(tick)) for tick in x.ticks(*panel.x)]
    for tick, text in texts:
        at = float(panel.left([tick])[0])
        parts.append(
            f'<text class="tick" x="{at:.1f}" y="{floor + 17}" text-anchor="middle">'
            f"{escape(text)}</text>"
        )
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(
        f'<text class="label" x="{middle:.0f}" y="{panel.height - 4}" text-anchor="middle">'
        f"{escape(x.label)}</text>"
    )
    return parts


def _heights(layer: Layer) -> list[ArrayLike]:
    if isinstance(layer, Band):
        return [layer.low, layer.high]
    if isinstance(layer, Dots):
        return [layer.y, layer.low, layer.high]
    if isinstance(layer, Bars):
        return [layer.y, [0.0]]
    if isinstance(layer, Mark):
        return [] if layer.y is None else [[layer.y]]
    return [layer.y]


def _bar_width(layer: Layer) -> float:
    return layer.width if isinstance(layer, Bars) else 0.0


def _finite(arrays: Sequence[ArrayLike]) -> Floats:
    if not arrays:
        return np.empty(0)
    values = np.concatenate([np.asarray(array, np.float64).ravel() for array in arrays])
    return np.asarray(values[np.isfinite(values)])


def _widened(low: float, high: float, share: float = 0.04) -> tuple[float, float]:
    room = (high - low) * share or (0.5 if high == low else 0.0)
    return float(low - room), float(high + room)


def _thinned(marks: list[float], span: float) -> list[float]:
    """Return the marks that lie far enough apart to be read, going out from zero."""
    kept: list[float] = []
    for mark in sorted(marks, key=abs):
        if all(abs(math.log1p(mark) - math.log1p(other)) >= span / 11 for other in kept):
            kept.append(mark)
    return sorted(kept)


def _nice_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * nice for nice in (1, 2, 5, 10) if power * nice >= rough)


def _points(left: Floats, top: Floats) -> list[str]:
    """Return one run of coordinates for each stretch without a gap."""
    known = np.isfinite(top)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], known, [False])).astype(int)))
    return [
        _pairs(left[begin:end], top[begin:end])
        for begin, end in zip(edges[::2], edges[1::2], strict=True)
    ]


def _pairs(left: Floats, top: Floats) -> str:
    return "L".join(f"{x:.1f} {y:.1f}" for x, y in zip(left, top, strict=True))
