"""From pydantic's findings about settings to one line a tired person can act on."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from types import NoneType
from typing import Any, Final, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError

from feeds.instruments import nearest_index
from feeds.message_text import nearest, nearest_hint
from strategies.registry import SECTIONS, RegisteredName, entries
from strategies.rule_settings import FilterSettings

LONGEST_VALUE: Final = 80
# a finding of this type is a whole sentence already
SAID: Final = "said"
ELSEWHERE: Final = {
    "sweep": "Use it with python -m backtests.sweep or python -m backtests.walkforward.",
    "walkforward": "Use it with python -m backtests.walkforward.",
}


def sentence_error(sentence: str) -> PydanticCustomError:
    """Return the error a validator raises to say `sentence` as it stands."""
    return PydanticCustomError(SAID, "{sentence}", {"sentence": sentence})


def explain_error(error: ValidationError, model: type[BaseModel], *, section: str = "") -> str:
    """Return what is wrong first, what was received, what is allowed, and how much more is.

    `section` is the table that the model is of, where that is no part of the config.
    """
    findings = error.errors()
    # a misspelt key also leaves the right one missing: name the misspelling
    first = next((one for one in findings if one["type"] == "extra_forbidden"), findings[0])
    others = len({_locate(one["loc"], model)[0] for one in findings}) - 1
    more = f" ({others} more wrong.)" if others else ""
    return f"{_sentence(first, model, section)}{more}"


def setting_keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Yield the whole key of every setting: "rules.hold_days"; named sections are left out."""
    for name, field in model.model_fields.items():
        if name == "own":  # the tables of own functions: free names
            continue
        section = section_of(field.annotation)
        if section is not None:
            yield from setting_keys(section, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def said_of(key: str, model: type[BaseModel]) -> str:
    """Return what a setting may be and its default: "true or false, default false".

    The name of a named section is free: "filters.ANY.window".
    """
    _, field = _locate(key.split("."), model)
    if field is None:
        raise ValueError(f"no setting {key!r}")
    return with_default(field)


def with_default(field: FieldInfo) -> str:
    """Return in words what a setting may be, and its default."""
    if field.is_required():
        return f"{allowed_values(field)}, needed"
    return f"{allowed_values(field)}, default {default_text(field)}"


def default_text(field: FieldInfo) -> str:
    """Return a setting's default as a config writes it; "none" where it may be left out."""
    default = field.get_default(call_default_factory=True)
    return "none" if default is None else as_written(default).replace("'", '"')


def _sentence(finding: ErrorDetails, model: type[BaseModel], section: str) -> str:
    if finding["type"] == SAID:
        return finding["msg"]
    inside = f"{section}." if section else ""
    key, field = _locate(finding["loc"], model)
    if field is None:
        near = _nearest_key(key, model)
        hint = f"The nearest is `{inside}{near}`." if near else "See configs/eth.toml for all keys."
        remedy = hint if section else ELSEWHERE.get(key, hint)
        return f"`{inside}{key}` is not a setting. {remedy}"
    key = f"{inside}{key}"
    if finding["type"] == "missing":
        return f"`{key}` must be {allowed_values(field)}, received nothing."
    given = finding["input"]
    hint = _hint(key, given, field) if isinstance(given, str) else ""
    return f"`{key}` must be {allowed_values(field)}, received {as_written(given)}.{hint}"


def _hint(key: str, given: str, field: FieldInfo) -> str:
    """Return the nearest of the words a setting may be, or of the indices there are."""
    if key == "index.symbol" or key.endswith(".benchmark"):
        return nearest_index(given)
    near = nearest_hint(given, _choices(field))
    if near or not _registry_of(field):
        return near
    return " One of your own needs its file: --plugin FILE, or `plugins` in the config."


def as_written(value: Any) -> str:
    """Return a value as a config writes it, on one line and not too long."""
    text = _as_toml(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]} ..."


def _as_toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {as_written(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(as_written, value)) + "]"
    try:
        return repr(value)
    except ValueError:  # Python writes no whole number of more than 4,300 digits
        return "a number of thousands of digits"


def _locate(location: Sequence[str | int], model: type[BaseModel]) -> tuple[str, FieldInfo | None]:
    """Return the dotted key a finding is about and its field, None if there is no such key."""
    inside: Any = model
    names: list[str] = []
    field: FieldInfo | None = None
    for part in location:
        if get_origin(inside) is dict:  # a section of named sections: the name is free
            inside = get_args(inside)[1]
        elif isinstance(part, int) and get_origin(inside) is tuple and section_of(inside):
            # one of several tables; of a list of values the whole is named
            inside, names[-1] = get_args(inside)[0], f"{names[-1]}[{part}]"
            continue
        elif section := section_of(inside):
            field = section.model_fields.get(str(part))
            inside = field.annotation if field else None
        else:
            break
        names.append(str(part))
    return ".".join(names), field


def _nearest_key(key: str, model: type[BaseModel]) -> str:
    section, _, name = key.rpartition(".")
    if section.startswith("filters."):
        near = nearest(name, FilterSettings.model_fields)
        return f"{section}.{near}" if near else ""
    return nearest(key, (*setting_keys(model), *_own_tables(model)), alike=0.5)


def _own_tables(model: type[BaseModel]) -> Iterator[str]:
    """Yield the keys of the tables of own functions there are: "signal.reclaim"."""
    for kind, section in SECTIONS.items():
        if section in model.model_fields:
            yield from (f"{section}.{one.name}" for one in entries(kind).values() if one.is_own)


def section_of(annotation: Any) -> type[BaseModel] | None:
    """Return the section a field holds, also where it may be left out; None for a value."""
    kinds = () if get_origin(annotation) is dict else get_args(annotation)
    for kind in (annotation, *kinds):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def allowed_values(field: FieldInfo) -> str:
    """Return in words what a setting may be."""
    extra = field.json_schema_extra
    if isinstance(extra, Mapping) and "allowed" in extra:
        return str(extra["allowed"])
    if choices := _choices(field):
        return "one of " + ", ".join(map(repr, choices))
    left_out = [each for each in get_args(field.annotation) if each is not NoneType]
    if NoneType in get_args(field.annotation) and len(left_out) == 1:
        return allowed_values(FieldInfo.from_annotation(left_out[0]))
    kind = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
    words = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    bounds = [
        f"{word} {getattr(constraint, name)}"
        for constraint in field.metadata
        for name, word in words.items()
        if getattr(constraint, name, None) is not None
    ]
    annotation: Any = field.annotation
    return " ".join(filter(None, [kind.get(annotation, "a section"), " and ".join(bounds)]))


def _registry_of(field: FieldInfo) -> RegisteredName | None:
    """Return the registry a setting's words come from; None where they come from none."""
    functions = (getattr(constraint, "func", None) for constraint in field.metadata)
    return next((each for each in functions if isinstance(each, RegisteredName)), None)


def _choices(field: FieldInfo) -> list[str]:
    """Return the words a setting is one of; empty where it is no word of a list."""
    if registry := _registry_of(field):
        return registry.names
    annotation: Any = field.annotation
    return list(annotation.__args__) if get_origin(annotation) is Literal else []
