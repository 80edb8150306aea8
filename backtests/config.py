"""The config of a run: TOML file, `--set` overrides and flags, validated once."""

import datetime as dt
import difflib
import hashlib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args, get_origin

import tomli_w
from pydantic import BaseModel, BeforeValidator, Field, ValidationError, field_validator
from pydantic.fields import FieldInfo

from backtests.claims import ClaimSettings
from backtests.presets import preset_path
from backtests.settings import ReadingSettings, SignificanceSettings
from feeds.errors import ConfigError
from strategies.settings import (
    READY_MADE,
    BasketSettings,
    FilterSettings,
    IdleSettings,
    Registry,
    RuleSettings,
    Settings,
    SignalSettings,
    SizeSettings,
)

BASIS_POINT: Final = 1e-4
ALTS: Final = "ALTS"

# Everything below is data: where each setting lives, its default and its range.


def _iso_date(value: object) -> object:
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, str) and value:
        return dt.date.fromisoformat(value).isoformat()
    return value


Date = Annotated[str, BeforeValidator(_iso_date)]
BasisPoints = Annotated[float, Field(ge=0, le=5_000)]


class DataSettings(ReadingSettings):
    """Where bars come from and which of them are traded; `end` is included.

    `offline` keeps live sources to the cache; an empty `cache_dir` is the usual place.
    """

    source: Literal["auto", "yahoo", "exchange", "files", "sample"] = "auto"
    data_dir: str = ""
    cache_dir: str = ""
    offline: bool = False
    start: Date = Field("", json_schema_extra={"allowed": "YYYY-MM-DD, or empty for all"})
    end: Date = Field("", json_schema_extra={"allowed": "YYYY-MM-DD, or empty for all"})
    timeframe: Literal["1d", "4h", "1h"] = "1d"


class IndexSettings(Settings):
    """Which index gives the signals, on which bars, and how long after its end one is known.

    With hourly bars whatever is counted in sessions counts hourly bars.
    """

    symbol: str = "RUT"
    timeframe: Literal["1d", "1h"] = "1d"
    delay_minutes: Annotated[int, Field(ge=0, le=525_600)] = 0


class CostSettings(Settings):
    """Cash and costs; commission and slippage per side, `cash_rate` a year."""

    initial_cash: Annotated[float, Field(gt=0, le=1e15)] = 100_000.0
    commission_bps: BasisPoints = 10.0
    slippage_bps: BasisPoints = 5.0
    cash_rate: Annotated[float, Field(ge=0, le=1)] = 0.0

    @property
    def commission(self) -> float:
        """Commission as a fraction of the traded value."""
        return self.commission_bps * BASIS_POINT

    @property
    def slippage(self) -> float:
        """Slippage as a fraction of the open."""
        return self.slippage_bps * BASIS_POINT

    def cash_return(self, periods_per_year: int) -> float:
        """Return what idle cash earns per bar, a fraction."""
        return float((1 + self.cash_rate) ** (1 / periods_per_year) - 1)


class Config(Settings):
    """Everything that decides what a run computes."""

    asset: str = "ETH"
    data: DataSettings = DataSettings()
    index: IndexSettings = IndexSettings()
    signal: SignalSettings = SignalSettings()
    rules: RuleSettings = RuleSettings()
    size: SizeSettings = SizeSettings()
    costs: CostSettings = CostSettings()
    idle: IdleSettings = IdleSettings()
    basket: BasketSettings = BasketSettings()
    filters: dict[str, FilterSettings] = Field(default_factory=dict)
    significance: SignificanceSettings = SignificanceSettings()
    claim: ClaimSettings | None = None  # what the study judges; a run does not read it

    @field_validator("asset")
    @classmethod
    def _upper(cls, asset: str) -> str:
        return asset.upper() if asset.isalnum() else asset

    @field_validator("filters", mode="before")
    @classmethod
    def _ready_made(cls, filters: object) -> object:
        """Let a filter with a known name start from its ready-made settings."""
        if not isinstance(filters, dict):
            return filters
        return {
            name: {"series": name.upper()} | READY_MADE.get(name, {}) | given
            if isinstance(given, dict)
            else given
            for name, given in filters.items()
        }

    def __hash__(self) -> int:
        """Hash all sections; pydantic's own does not take the table of filters."""
        sections = (getattr(self, name) for name in type(self).model_fields if name != "filters")
        return hash((*sections, tuple(self.filters.items())))

    def to_toml(self) -> str:
        """Return the whole effective config as TOML; reading it gives the same config."""
        return tomli_w.dumps(self.model_dump(exclude_none=True))

    @property
    def short_hash(self) -> str:
        """Eight hexadecimal digits that name this config."""
        return hashlib.sha256(self.to_toml().encode()).hexdigest()[:8]


def load_config(
    path: Path | None, *, overrides: Sequence[str] = (), flags: Mapping[str, Any] | None = None
) -> Config:
    """Return the config: defaults, then the file, then `section.key=value`, then the flags.

    Raises
    ------
    ConfigError
        Naming the key, the value received, what is allowed and the nearest key.
    """
    return validated_config(config_tree(path, overrides=overrides, flags=flags))


def config_tree(
    path: Path | None, *, overrides: Sequence[str] = (), flags: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the settings given in file, overrides and flags, not yet validated."""
    tree = _read(preset_path(path)) if path else {}
    for override in overrides:
        key, separator, text = override.partition("=")
        if not separator or not key.strip():
            raise ConfigError(f"`--set` takes section.key=value, received {override!r}.")
        put(tree, key.strip(), _parsed(text.strip()))
    for key, value in (flags or {}).items():
        if value is not None:
            put(tree, key, value)
    return tree


def validated_config(tree: Mapping[str, Any]) -> Config:
    """Return the config of a tree of settings, or raise `ConfigError` with the remedy."""
    try:
        config = Config.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(_explained(error)) from error
    _require_order(config.data)
    return config


def _require_order(data: DataSettings) -> None:
    if data.start and data.end and data.start > data.end:
        raise ConfigError(
            f"`data.start` must not be after `data.end`, received {data.start} and {data.end}."
        )


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"`--config` {path}: {error.strerror}. Give a TOML file.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"`--config` {path}: not valid TOML ({error}).") from error


def _parsed(text: str) -> Any:
    """Read a value as TOML would; a bare word is a string."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def put(tree: dict[str, Any], dotted: str, value: Any) -> None:
    """Set `section.key` in a tree of settings."""
    *sections, key = dotted.split(".")
    for section in sections:
        tree = tree.setdefault(section, {})
        if not isinstance(tree, dict):
            raise ConfigError(f"`{dotted}` is no setting: `{section}` is not a section.")
    tree[key] = value


# From pydantic's findings to one line a tired person can act on.


def _explained(error: ValidationError) -> str:
    findings = error.errors()
    # a misspelt key also leaves the right one missing: name the misspelling
    first = next((one for one in findings if one["type"] == "extra_forbidden"), findings[0])
    key, field = _locate(first["loc"])
    others = len({_locate(finding["loc"])[0] for finding in findings}) - 1
    more = f" ({others} more wrong.)" if others else ""
    if field is None:
        near = _nearest(key)
        hint = f"The nearest is `{near}`." if near else "See configs/eth.toml for all keys."
        return f"`{key}` is not a setting. {hint}{more}"
    received = "nothing" if first["type"] == "missing" else repr(first["input"])
    return f"`{key}` must be {allowed(field)}, received {received}.{more}"


def _locate(location: Sequence[str | int]) -> tuple[str, FieldInfo | None]:
    """Return the dotted key a finding is about and its field, None if there is no such key."""
    model: Any = Config
    names: list[str] = []
    field: FieldInfo | None = None
    for part in location:
        if get_origin(model) is dict:  # a section of named sections: the name is free
            model = get_args(model)[1]
        elif section := _section(model):
            field = section.model_fields.get(str(part))
            model = field.annotation if field else None
        else:
            break
        names.append(str(part))
    return ".".join(names), field


def _nearest(key: str) -> str:
    section, _, name = key.rpartition(".")
    if section.startswith("filters."):
        near = difflib.get_close_matches(name, FilterSettings.model_fields, n=1)
        return f"{section}.{near[0]}" if near else ""
    near = difflib.get_close_matches(key, list(_keys(Config)), n=1, cutoff=0.5)
    return near[0] if near else ""


def _keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        section = _section(field.annotation)
        if section is not None:
            yield from _keys(section, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _section(annotation: Any) -> type[BaseModel] | None:
    """Return the section a field holds, also where it may be left out; None for a value."""
    kinds = () if get_origin(annotation) is dict else get_args(annotation)
    for kind in (annotation, *kinds):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def allowed(field: FieldInfo) -> str:
    """Return in words what a setting may be."""
    extra = field.json_schema_extra
    if isinstance(extra, Mapping) and "allowed" in extra:
        return str(extra["allowed"])
    for constraint in field.metadata:
        if isinstance(registry := getattr(constraint, "func", None), Registry):
            return "one of " + ", ".join(map(repr, registry.names))
    annotation: Any = field.annotation
    if get_origin(annotation) is Literal:
        return "one of " + ", ".join(repr(choice) for choice in annotation.__args__)
    kind = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
    words = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    bounds = [
        f"{word} {getattr(constraint, name)}"
        for constraint in field.metadata
        for name, word in words.items()
        if getattr(constraint, name, None) is not None
    ]
    return " ".join(filter(None, [kind.get(annotation, "a section"), " and ".join(bounds)]))
