"""Write docs/api.md from docstrings and settings: python -m docs.api."""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

import backtests as bt
from backtests.api.backtest import Today
from backtests.api.study import StudyResult
from backtests.api.sweep import SweepResult
from backtests.api.walk import WalkForwardResult
from backtests.config.config import Config
from backtests.config.explain_errors import allowed_values, default_text, section_of
from backtests.lookahead_audit import Audit
from backtests.search.sweep_settings import SearchSettings
from backtests.search.walkforward.windows import WindowSettings
from strategies.rule_settings import FilterSettings

PAGE: Final = Path(__file__).with_name("api.md")
RETURNED: Final = (StudyResult, SweepResult, WalkForwardResult, Today, Audit)
# tables that a config may hold and that are no field of it
OTHER_TABLES: Final = {
    "filters.NAME": FilterSettings,
    "sweep": SearchSettings,
    "walkforward": WindowSettings,
}
HEAD: Final = """\
# Reference

Made from the docstrings and settings by `python -m docs.api`: change those. Names are those of
`import backtests as bt`; [from_python.ipynb](from_python.ipynb) shows them at work, and
[extending.md](extending.md) the decorators.
"""
KEYS_HEAD: Final = """\
## The config's keys

As TOML in a config, as `--set section.key=value` in a shell, by the last part of the key in
Python. Own functions have tables of their own beside these: [extending.md](extending.md).
`python -m backtests.list` shows what can be named.
"""


def reference() -> str:
    """Return the whole page."""
    names = [_named(name, getattr(bt, name)) for name in bt.__all__]
    returned = [_named(kind.__name__, kind) for kind in RETURNED]
    return "\n".join([HEAD, *names, "## What they return\n", *returned, KEYS_HEAD, *_tables()])


def _named(name: str, found: Any) -> str:
    """Return what one public name is: call, docstring, and a class's members."""
    text = inspect.getdoc(found) or ""
    if isinstance(found, type):
        call, members = f"class {name}", "".join(_members(found))
    else:
        call, members = _call(name, found), ""
    return f"### {name}\n\n```python\n{call}\n```\n\n{_prose(text)}{members}"


def _call(name: str, function: Callable[..., Any]) -> str:
    """Return a function's signature as its source has it, one argument per line if it is long."""
    source = textwrap.dedent(inspect.getsource(function))
    node = ast.parse(source).body[0]
    if not isinstance(node, ast.FunctionDef):
        raise TypeError(f"{name} is no function")
    answer = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    arguments = re.sub(r"(?<=\S)=(?=\S)", " = ", ast.unparse(node.args))
    short = f"{name}({arguments}){answer}"
    if len(short) <= 96:
        return short
    inside = re.sub(r", (?=\*|\w+[:,])", ",\n    ", arguments)
    return f"{name}(\n    {inside},\n){answer}"


def _members(kind: type) -> Iterator[str]:
    """Yield a row per public property and method of a class."""
    rows = []
    for name, member in vars(kind).items():
        getter = getattr(member, "fget", None) or getattr(member, "func", None) or member
        getter = getattr(getter, "__func__", getter)  # of a class method
        if name.startswith("_") or not inspect.isfunction(getter) or not getter.__doc__:
            continue
        is_method = inspect.isfunction(member) or isinstance(member, classmethod)
        summary = (inspect.getdoc(getter) or "").partition("\n\n")[0].replace("\n", " ")
        rows.append(f"| `{name}{'()' if is_method else ''}` | {_cell(summary)} |\n")
    if rows:
        yield "| member | |\n|---|---|\n"
        yield from rows
        yield "\n"


def _prose(text: str) -> str:
    """Return a docstring in NumPy's form as Markdown."""
    parts = re.split(r"(?m)^(\w+)\n-{3,}\n", text)
    said = [f"{parts[0].strip()}\n\n"]
    for title, body in zip(parts[1::2], parts[2::2], strict=True):
        if title == "Examples":
            said.append(f"```python\n{body.strip()}\n```\n\n")
        elif title in ("Parameters", "Raises"):
            said.append(f"*{title}*\n\n{_entries(body)}\n")
        else:
            said.append(f"*{title}*: {body.strip()}\n\n")
    return "".join(said)


def _entries(body: str) -> str:
    """Return a docstring's list of names, each with what is said of it."""
    lines = []
    for found in re.finditer(r"(?m)^(\S.*)\n((?:[ \t]+.*\n?|\n)*)", f"{body.strip()}\n"):
        said = " ".join(found[2].split())
        lines.append(f"* `{found[1].strip()}`: {said}\n" if said else f"{found[1].strip()}\n")
    return "".join(lines)


def _tables() -> Iterator[str]:
    yield _table("", Config)
    yield from _sections("", Config)
    for name, model in OTHER_TABLES.items():
        yield _table(name, model)
        yield from _sections(f"{name}.", model)


def _sections(prefix: str, model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        section = section_of(field.annotation)
        if section is not None and section is not FilterSettings:
            yield _table(f"{prefix}{name}", section)
            yield from _sections(f"{prefix}{name}.", section)


def _table(section: str, model: type[BaseModel]) -> str:
    """Return a section of the config: what it is, and a row per key."""
    rows = [
        f"| `{name}` | {_cell(allowed_values(field))} | `{default_text(field)}` |\n"
        if not field.is_required()
        else f"| `{name}` | {_cell(allowed_values(field))} | needed |\n"
        for name, field in model.model_fields.items()
        if name != "own" and section_of(field.annotation) is None and not _is_named(field)
    ]
    said = (inspect.getdoc(model) or "").partition("Examples\n")[0].strip()
    title = f"### [{section}]" if section else "### At the top"
    table = "".join(("| key | may be | default |\n|---|---|---|\n", *rows)) if rows else ""
    return f"{title}\n\n{said}\n\n{table}"


def _is_named(field: FieldInfo) -> bool:
    """Return whether a field holds sections of free names, which have a table of their own."""
    kinds = get_args(field.annotation)
    return get_origin(field.annotation) is dict and section_of(kinds[1]) is not None


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
