"""The guide's examples are run, from top to bottom, as a reader would."""

import re
from pathlib import Path

import numpy as np
import pytest

from backtests.config.config import load_config
from strategies.basket import WEIGHTINGS
from strategies.filters import FILTERS

GUIDE = Path(__file__).parents[1] / "docs" / "extending.md"


@pytest.fixture
def clean_registries():
    """Take the examples out again."""
    before = [(registry, dict(registry)) for registry in (FILTERS, WEIGHTINGS)]
    yield
    for registry, entries in before:
        registry.clear()
        registry.update(entries)


@pytest.mark.usefixtures("clean_registries")
def test_extending_guide_runs_as_it_stands():
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(GUIDE), "exec"), names)  # noqa: S102
    gate = names["gate"]
    assert 0 < np.mean(gate) < 1
    assert load_config(None, overrides=["basket.weights=by_price"]).basket.weights == "by_price"
