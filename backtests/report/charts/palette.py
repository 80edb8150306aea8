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
    "first_members": "#8c3fb5",
    "idle": "#7d6300",
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
    "first_members": "#c49bea",
    "idle": "#d9bf3f",
    "ink": "#e8eaed",
    "muted": "#a2abb6",
    "grid": "#2b3138",
    "line": "#3b434c",
    "paper": "#171b20",
    "band": "#1d3443",
}

# Coins of a basket, one after another: areas are read on either background, so these stay.
COINS: Final = (
    "#0072b3", "#e69f00", "#009e73", "#cc79a7", "#56b4ea", "#d55e01", "#c9b800", "#882255",
    "#88ccee", "#999933", "#aa4499", "#8f8f8f",
)  # fmt: skip


def dark_for_light() -> dict[str, str]:
    """Return what each light colour of a chart becomes on a dark page."""
    return {LIGHT[name]: DARK[name] for name in LIGHT}
