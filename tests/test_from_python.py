"""The README's "From Python" and the notebook are run from top to bottom, as a reader would."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

import backtests as bt

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "docs" / "from_python.ipynb"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in a folder of its own: examples write files."""
    monkeypatch.chdir(tmp_path)


def shown_by(code: str, names: dict[str, Any]) -> Any:
    """Run a cell and return what a notebook would show: the value of a last expression."""
    tree = ast.parse(code)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)  # noqa: S102
    if not isinstance(last, ast.Expr):
        return None
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names)  # noqa: S307


def test_readme_from_python_runs_as_it_stands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.partition("## From Python\n")[2].partition("\n## ")[0]
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", section, re.DOTALL):
        shown_by(block, names)
    assert Path("eth.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert names["own"].config.rules.trigger == "breakout"
    assert len(names["swept"].trials) == 6
    assert not names["walk"].returns.isna().any(axis=None)


def test_readme_from_python_names_every_public_function() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.partition("## From Python\n")[2].partition("\n## ")[0]
    functions = set(bt.__all__) - {"Config", "Result", "tearsheet"}
    assert {name for name in functions if f"bt.{name}" not in section} == set()


def test_notebook_runs_from_top_to_bottom() -> None:
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    cells = notebook["cells"]
    assert len({cell["id"] for cell in cells}) == len(cells)
    names: dict[str, Any] = {}
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    shown = [shown_by("".join(cell["source"]), names) for cell in code]
    assert all(value is not None for value in shown)
    assert sum(hasattr(value, "_repr_html_") for value in shown) >= 7
    half_price = shown[["own = bt" in "".join(cell["source"]) for cell in code].index(True)]
    assert half_price < 1e-9
    assert set(names["reclaimed"].trades["entry_reason"]) == {"reclaim"}
    assert "sees the future of RUT" in names["leaky"].leaks[0].text
    assert 0 < names["leaky"].leaks[0].reach <= 10
    assert names["own_swept"].trials["total_return"].nunique() > 6
