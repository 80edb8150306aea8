"""The tables of own functions in a config: their parameters, validated and complete."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from pydantic import BaseModel, ValidationError, create_model

from backtests.config.explain_errors import explain_error
from backtests.config.plugins import load_plugins, strategy_name
from feeds.errors import ConfigError
from strategies.registry import (
    Entry,
    Kind,
    find,
    is_known,
    is_own,
    kinds_in,
    trigger_parts,
    trigger_text,
)
from strategies.rule_settings import Settings


def with_own_tables(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with the plug-ins loaded and every own function's parameters complete.

    Raises
    ------
    ConfigError
        If a plug-in cannot be loaded, or a parameter is unknown, of another type or out of range.
    """
    tree = {**tree, **_own_code(tree)}
    for kind, (*sections, last), name in _names_in(tree):
        if not is_own(kind, name):
            continue
        place = tree
        for section in (*sections, last):
            inside = place.get(section)
            place[section] = place = _as_dict(inside)
        place.setdefault(name, {})
    for key in ("signal", "rules", "size", "basket"):
        if key in tree:
            tree[key] = _complete(key, tree[key])
    if isinstance(filters := tree.get("filters"), Mapping):
        tree["filters"] = {
            name: _complete(f"filters.{name}", each) for name, each in filters.items()
        }
    return tree


def _own_code(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Load the files named; return their settings with absolute paths."""
    folder = str(_at(tree, "data", "data_dir") or "")
    found: dict[str, Any] = {}
    if tree.get("plugins"):
        found["plugins"] = tuple(load_plugins(tree["plugins"], data_dir=folder))
    if isinstance(strategy := tree.get("strategy"), str):
        found["strategy"] = strategy_name(strategy, data_dir=folder)
    return found


def _names_in(tree: Mapping[str, Any]) -> Iterator[tuple[Kind, tuple[str, ...], str]]:
    """Yield the functions settings name: kind, the section their parameters stand in, name."""
    trigger = trigger_text(_at(tree, "rules", "trigger"))
    names = trigger_parts(trigger)[1] if isinstance(trigger, str) else ()
    yield from (("signal", ("signal",), name) for name in names)
    claim = tree.get("claim")
    for one in (claim, *(_at(claim, "readings") or ())) if claim else ():
        events = (_at(one, key) for key in ("event", "against"))
        yield from (("signal", ("signal",), name) for name in events if isinstance(name, str))
    exits = _at(tree, "rules", "exits")
    named = exits if isinstance(exits, list | tuple) else ()
    yield from (("exit", ("rules",), name) for name in named if isinstance(name, str))
    singles: tuple[tuple[Kind, str, str], ...] = (
        ("sizing", "size", "mode"), ("weighting", "basket", "weights"),
        ("selection", "basket", "select"),
    )  # fmt: skip
    for kind, section, key in singles:
        if isinstance(name := _at(tree, section, key), str):
            yield kind, (section,), name
    filters = tree.get("filters")
    for gate, each in filters.items() if isinstance(filters, Mapping) else ():
        if isinstance(name := _at(each, "kind"), str):
            yield "filter", ("filters", gate), name


def used_entries(tree: Mapping[str, Any]) -> tuple[Entry, ...]:
    """Return the own functions that settings name, each once."""
    found = (find(kind, name) for kind, _, name in _names_in(tree) if is_own(kind, name))
    return tuple(dict.fromkeys(found))


def _at(section: Any, *keys: str) -> Any:
    """Return a setting of a tree or of settings; None where there is none."""
    for key in keys:
        if isinstance(section, Mapping):
            section = section.get(key)
        else:
            section = getattr(section, key, None) if isinstance(section, BaseModel) else None
    return section


def _as_dict(section: Any) -> dict[str, Any]:
    if isinstance(section, BaseModel):
        return section.model_dump(exclude_none=True)
    return dict(section) if isinstance(section, Mapping) else {}


def _complete(section: str, given: Any) -> Any:
    """Return a section whose own tables are complete; anything but a table is left as it is."""
    if not isinstance(given, Mapping):
        return given
    kinds = kinds_in(section.partition(".")[0])
    return {name: _parameters(section, name, each, kinds) for name, each in given.items()}


def _parameters(section: str, name: str, given: Any, kinds: Sequence[Kind]) -> Any:
    if not isinstance(given, Mapping):
        return given
    entry = next((find(kind, name) for kind in kinds if is_known(kind, name)), None)
    if entry is None or not entry.is_own:
        return given
    model = parameter_model(entry)
    try:
        return model.model_validate(dict(given)).model_dump()
    except ValidationError as error:
        raise ConfigError(explain_error(error, model, section=f"{section}.{name}")) from error


@cache
def parameter_model(entry: Entry) -> type[Settings]:
    """Return the settings an own function's parameters are.

    Raises
    ------
    ConfigError
        If a parameter is of a type no config can hold.
    """
    kinds = entry.annotations
    fields: dict[str, Any] = {
        name: (kinds[name], ... if one.default is one.empty else one.default)
        for name, one in entry.parameters.items()
    }
    try:
        return create_model(entry.name, __base__=Settings, **fields)
    except Exception as error:
        raise ConfigError(
            f"the parameters of the {entry.kind} {entry.name!r} must be whole numbers, numbers, "
            f"text, or true and false: {error}"
        ) from error
