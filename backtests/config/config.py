"""The config of a run: TOML file, `--set` overrides and flags, validated once."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

import tomli_w
from pydantic import Field, ValidationError, field_validator, model_validator

from backtests.config.claims import ClaimSettings
from backtests.config.explain_errors import explain_error, sentence_error
from backtests.config.raw_settings import config_tree, put_all
from backtests.config.run_settings import (
    CostSettings,
    DataSettings,
    IndexSettings,
    SignificanceSettings,
    StudySettings,
    VendorSettings,
)
from backtests.config.short_names import whole_keys
from backtests.config.user_parameters import used_entries, with_own_tables
from feeds.errors import ConfigError
from feeds.instruments import SERIES_NAME
from feeds.message_text import nearest, nearest_hint
from strategies.registry import Entry, has_own
from strategies.rule_settings import (
    READY_MADE,
    BasketSettings,
    FilterSettings,
    IdleSettings,
    RuleSettings,
    Settings,
    SignalSettings,
    SizeSettings,
    Symbol,
)

ALTS: Final = "ALTS"


class Config(Settings):
    """Everything that decides what a run computes.

    `load_config` makes one of names and files, and says in one line what is wrong with them.

    Examples
    --------
    >>> import backtests as bt
    >>> bt.Config(asset="btc", rules={"hold_days": 30}).rules.hold_days
    30
    >>> print(bt.Config().to_toml().splitlines()[0])
    asset = "ETH"
    """

    asset: Symbol = "ETH"
    data: DataSettings = DataSettings()
    vendors: VendorSettings = VendorSettings()
    index: IndexSettings = IndexSettings()
    signal: SignalSettings = SignalSettings()
    rules: RuleSettings = RuleSettings()
    size: SizeSettings = SizeSettings()
    costs: CostSettings = CostSettings()
    idle: IdleSettings = IdleSettings()
    basket: BasketSettings = BasketSettings()
    filters: dict[str, FilterSettings] = Field(default_factory=dict)
    significance: SignificanceSettings = SignificanceSettings()
    # files with own signals, filters, exits, sizings, weightings and selections
    plugins: tuple[str, ...] | None = Field(
        None, strict=False, json_schema_extra={"allowed": 'a list such as ["my_rules.py"]'}
    )
    # "my_rules.py:MyRule": a step function or backtrader strategy in place of the rule
    strategy: str | None = Field(
        None, json_schema_extra={"allowed": 'a file and a name in it, "my_rules.py:MyRule"'}
    )
    # what a study judges, and how it is drawn; a run does not read them
    claim: ClaimSettings | None = None
    study: StudySettings | None = None

    @model_validator(mode="before")
    @classmethod
    def _own_code(cls, given: Any) -> Any:
        """Load plug-ins, and complete the parameters of own functions."""
        return with_own_tables(given) if isinstance(given, Mapping) else given

    @field_validator("asset")
    @classmethod
    def _upper(cls, asset: str) -> str:
        return asset.strip().upper()

    @field_validator("filters", mode="before")
    @classmethod
    def _ready_made(cls, filters: object) -> object:
        """Let a filter with a known name start from its ready-made settings."""
        if not isinstance(filters, dict):
            return filters
        return {
            name: _beginning(name, given) | given if isinstance(given, dict) else given
            for name, given in filters.items()
        }

    @model_validator(mode="after")
    def _claimed_filter(self) -> Self:
        """Refuse a claim about a filter that is not there."""
        if self.claim and self.claim.filter and self.claim.filter not in self.filters:
            raise sentence_error(
                f"`claim.filter` {self.claim.filter!r} is no filter of this config."
                + nearest_hint(
                    self.claim.filter,
                    self.filters,
                    otherwise=f" Add a table [filters.{self.claim.filter}].",
                )
            )
        return self

    def __hash__(self) -> int:
        """Hash all sections; pydantic's own does not take the table of filters."""
        sections = (getattr(self, name) for name in type(self).model_fields if name != "filters")
        return hash((*sections, tuple(self.filters.items())))

    @property
    def own_functions(self) -> tuple[Entry, ...]:
        """The functions of plug-ins that this config uses."""
        if not has_own():  # to validate a name registers what it stands for
            return ()
        return used_entries({name: getattr(self, name) for name in type(self).model_fields})

    def to_toml(self) -> str:
        """Return the whole effective config as TOML; reading it gives the same config."""
        return tomli_w.dumps(self.model_dump(exclude_none=True))

    @property
    def short_hash(self) -> str:
        """Eight hexadecimal digits that name this config."""
        return hashlib.sha256(self.to_toml().encode()).hexdigest()[:8]


def load_config(
    path: str | Path | None = None,
    *,
    overrides: Sequence[str] = (),
    flags: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Config:
    """Return the config: defaults, the file, `section.key=value`, the flags, the settings.

    Parameters
    ----------
    path
        A TOML file, or the name of a preset: "eth", "btc".
    overrides
        What `--set` takes: "signal.lookback=252".
    flags
        Values by whole key: {"signal.lookback": 252}; None where not given.
    settings
        Values by the last part of their key, or whole sections: `hold_days=90`,
        `source="sample"`, `filters={"vix": {}}`.

    Raises
    ------
    ConfigError
        Naming the key, the value received, what is allowed and the nearest key.

    Examples
    --------
    >>> import backtests as bt
    >>> config = bt.load_config("eth", hold_days=90, source="sample")
    >>> config.asset, config.rules.hold_days
    ('ETH', 90)
    """
    tree = config_tree(None if path is None else Path(path), overrides=overrides, flags=flags)
    put_all(tree, whole_keys(settings, model=Config))
    return validated_config(tree)


def validated_config(tree: Mapping[str, Any]) -> Config:
    """Return the config of a tree of settings, or raise `ConfigError` with the remedy."""
    try:
        config = Config.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(explain_error(error, Config)) from error
    _require_order(config.data)
    return with_universe(config)


def with_universe(config: Config) -> Config:
    """Return the config with the universe of its basket decided, if it trades one.

    What "auto" was is written down with the run, so that it can be run again as it was.
    """
    if config.asset != ALTS:
        return config
    from backtests.config.basket_members import resolved_basket

    return config.model_copy(update={"basket": resolved_basket(config.basket, config.data)})


def _require_order(data: DataSettings) -> None:
    if data.start and data.end and data.start > data.end:
        raise ConfigError(
            f"`data.start` must not be after `data.end`, received {data.start} and {data.end}."
        )


def _beginning(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a filter starts from; one of another name must say what it reads."""
    own = {"series": name.upper()} if re.fullmatch(SERIES_NAME, name) else {}
    if name in READY_MADE:
        return own | READY_MADE[name]
    if not given.keys() & {"series", "kind"}:
        near = nearest(name, READY_MADE)
        hint = f"The nearest is `filters.{near}`" if near else f"There are {', '.join(READY_MADE)}"
        raise sentence_error(
            f"`filters.{name}` is no ready-made filter. {hint}; one of your own says what it "
            f"reads: `filters.{name}.series` or `filters.{name}.kind`."
        )
    return own
