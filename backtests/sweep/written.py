"""Figures as JSON, in which what is undefined is null."""

import json
import math
from collections.abc import Mapping


def json_text(figures: Mapping[str, object]) -> str:
    """Return figures as JSON; NaN and infinities, which JSON does not know, become null."""
    return json.dumps(_finite(figures), indent=2, allow_nan=False) + "\n"


def _finite(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value
