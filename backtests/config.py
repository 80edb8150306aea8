"""The config of a run: TOML file, `--set` overrides and flags, validated once."""

import datetime as dt
import difflib
import hashlib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import tomli_w
from pydantic import BaseModel, BeforeValidator, Field, ValidationError
from pydantic.fields import FieldInfo

from feeds.errors import ConfigError
from strategies.settings import RuleSettings, Settings, SignalSettings, SizeSettings

BASIS_POINT: Final = 1e-4

# Everything below is data: where each setting lives, its default and its range.


def _iso_date(value: object) -> object:
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, str) and value:
        return dt.date.fromisoformat(value).isoformat()
    return value


Date = Annotated[str, BeforeValidator(_iso_date)]
BasisPoints = Annotated[float, Field(ge=0, le=5_000)]


class DataSettings(Settings):
    """Where bars come from and which of them are traded; `end` is included."""

    source: Literal["auto", "files", "sample"] = "auto"
    data_dir: str = ""
    start: Date = Field("", json_schema_extra={"allowed": "YYYY-MM-DD, or empty for all"})
    end: Date = Field("", json_schema_extra={"allowed": "YYYY-MM-DD, or empty for all"})
    timeframe: Literal["1d", "4h", "1h"] = "1d"


class IndexSettings(Settings):
    """Which index gives the signals, and how long after its close a bar is known."""

    symbol: str = "RUT"
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

    def to_toml(self) -> str:
        """Return the whole effective config as TOML; reading it gives the same config."""
        return tomli_w.dumps(self.model_dump())

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
    tree = _read(path) if path else {}
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
    first = findings[0]
    key, field = _locate(first["loc"])
    others = len({_locate(finding["loc"])[0] for finding in findings}) - 1
    more = f" ({others} more wrong.)" if others else ""
    if field is None:
        near = difflib.get_close_matches(key, list(_keys(Config)), n=1, cutoff=0.5)
        hint = f"The nearest is `{near[0]}`." if near else "See configs/eth.toml for all keys."
        return f"`{key}` is not a setting. {hint}{more}"
    return f"`{key}` must be {_allowed(field)}, received {first['input']!r}.{more}"


def _locate(location: Sequence[str | int]) -> tuple[str, FieldInfo | None]:
    """Return the dotted key a finding is about and its field, None if there is no such key."""
    model: Any = Config
    names: list[str] = []
    field: FieldInfo | None = None
    for part in location:
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            break
        names.append(str(part))
        field = model.model_fields.get(str(part))
        model = field.annotation if field else None
    return ".".join(names), field


def _keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from _keys(annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _allowed(field: FieldInfo) -> str:
    extra = field.json_schema_extra
    if isinstance(extra, Mapping) and "allowed" in extra:
        return str(extra["allowed"])
    annotation: Any = field.annotation
    if hasattr(annotation, "__args__"):
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
