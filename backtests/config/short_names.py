"""Settings by the last part of their key, as Python's keywords have them: `hold_days=90`."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from pydantic import BaseModel

from backtests.config.explain_errors import section_of, setting_keys
from backtests.config.raw_settings import SHORT_NAMES
from feeds.errors import ConfigError
from feeds.message_text import nearest

# a run reads neither, and their names would hide those of others
OF_STUDIES: Final = ("claim", "study")


def whole_keys(
    given: Mapping[str, Any], *, model: type[BaseModel], first: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return settings by their whole keys, their values as a config file would hold them.

    Parameters
    ----------
    given
        Values by whole key ("rules.hold_days"), by its last part where that names one setting
        alone ("hold_days"), or sections as mappings (rules={"hold_days": 90}).
    model
        The settings there are.
    first
        Names that mean these keys, whatever else they could mean.

    Raises
    ------
    ConfigError
        If a name means no setting or several, with the nearest one.
    """
    found: dict[str, Any] = {}
    for name, value in given.items():
        field = model.model_fields.get(name)
        if field is not None and isinstance(value, Mapping):
            found |= _inside(name, value)
        else:
            found[_whole_key(name, model, first or {})] = plain_value(value)
    return found


def _whole_key(name: str, model: type[BaseModel], first: Mapping[str, str]) -> str:
    short = {**SHORT_NAMES, **first}
    if name in short:
        return short[name]
    if "." in name or name in model.model_fields:
        return name
    keys = [key for key in _keys_of_runs(model) if key.rpartition(".")[2] == name]
    if len(keys) == 1:
        return keys[0]
    if keys:
        raise ConfigError(
            f"`{name}` is the name of {len(keys)} settings, {' and '.join(keys)}. Say which: "
            f'settings={{"{keys[0]}": ...}}.'
        )
    raise ConfigError(f"`{name}` is not a setting. {_hint(name, model, short)}")


def _keys_of_runs(model: type[BaseModel]) -> Iterator[str]:
    return (key for key in setting_keys(model) if key.partition(".")[0] not in OF_STUDIES)


def _hint(name: str, model: type[BaseModel], short: Iterable[str]) -> str:
    leaves = [key.rpartition(".")[2] for key in _keys_of_runs(model)]
    near = nearest(name, [*leaves, *short, *model.model_fields])
    if not near:
        return "See configs/eth.toml for all keys."
    own = model.model_fields.get(near)
    is_section = own is not None and section_of(own.annotation) is not None
    return f"The nearest is `{near}`{', a section' if is_section else ''}."


def _inside(prefix: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a section by whole key; an empty section stays one."""
    if not given:
        return {prefix: {}}
    found: dict[str, Any] = {}
    for name, value in given.items():
        key = f"{prefix}.{name}"
        found |= _inside(key, value) if isinstance(value, Mapping) else {key: plain_value(value)}
    return found


def plain_value(value: Any) -> Any:
    """Return a value as TOML has it: no path, no number or array of numpy's."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, tuple | list | range | set):
        return [plain_value(each) for each in value]
    return value
