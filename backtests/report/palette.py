"""Colours by meaning, for light and dark: Okabe and Ito's set, told apart by the colour-blind."""

from typing import Final

LIGHT: Final = {
    "strategy": "#0072b2",
    "hold": "#d55e00",
    "control": "#00805c",
    "index": "#6b6f76",
    "good": "#0b6aa2",
    "bad": "#b84a00",
    "mark": "#a3467f",
    "ink": "#1b1f24",
    "muted": "#5b6470",
    "grid": "#e6e8eb",
    "line": "#d3d7dc",
    "paper": "#ffffff",
    "band": "#dcebf5",
}

DARK: Final = {
    "strategy": "#56b4e9",
    "hold": "#f0913c",
    "control": "#2fc79a",
    "index": "#a3a9b2",
    "good": "#63bbee",
    "bad": "#f5a35c",
    "mark": "#e08fc0",
    "ink": "#e8eaed",
    "muted": "#a2abb6",
    "grid": "#2b3138",
    "line": "#3b434c",
    "paper": "#171b20",
    "band": "#1d3443",
}


def dark_for_light() -> dict[str, str]:
    """Return what each light colour of a chart becomes on a dark page."""
    return {LIGHT[name]: DARK[name] for name in LIGHT}
