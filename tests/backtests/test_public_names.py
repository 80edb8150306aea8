"""What `import backtests as bt` offers, and what it costs."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import backtests as bt

ROOT = Path(__file__).parents[2]
SLOW = ("pandas", "numpy", "pydantic", "plotly", "backtrader", "numba", "backtests.api.result")


def printed(code: str) -> str:
    """Return what a fresh Python prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


@pytest.mark.parametrize("module", ["backtests", "backtests.run", "backtests.options"])
def test_import_loads_nothing_slow(module: str) -> None:
    code = f"import sys, {module}; print([each for each in {SLOW!r} if each in sys.modules])"
    assert printed(code) == "[]"


def test_every_public_name_is_found_and_documented() -> None:
    for name in bt.__all__:
        found = getattr(bt, name)
        assert found.__name__ == name
        assert "Examples" in found.__doc__
    assert set(bt.__all__) <= set(dir(bt))


def test_misspelt_name_is_an_attribute_error_that_knows_what_it_was_asked() -> None:
    with pytest.raises(AttributeError, match="no attribute 'bactest'") as caught:
        bt.bactest  # noqa: B018
    assert (caught.value.name, caught.value.obj) == ("bactest", bt)
    assert "backtest" in dir(bt)  # from which Python offers the nearest


@pytest.mark.parametrize("name", ["sweep", "study"])
def test_function_stays_one_after_its_command_is_loaded(name: str) -> None:
    first = f"import importlib, backtests as bt; importlib.import_module('backtests.{name}')"
    assert printed(f"{first}; print(type(bt.{name}).__name__)") == "function"
    command = importlib.import_module(f"backtests.{name}")
    assert callable(command.main)
    assert getattr(bt, name) is not command


def test_other_modules_are_set_in_the_package_as_ever() -> None:
    assert printed(
        "import backtests.config.raw_settings, backtests;"
        "print(backtests.config.raw_settings.__name__)"
    ) == ("backtests.config.raw_settings")
