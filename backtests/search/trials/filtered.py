"""The filters of trials that share all else: each gate once per distinct set of its settings."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from backtests.config.config import Config
from backtests.search.plan import with_values
from backtests.search.trials.events import GateLine, Group, SignalGroup, with_gates
from backtests.search.trials.groups import Library
from strategies.registry import is_own
from strategies.settings import FilterSettings

PREFIX = "filters."


class Filtered:
    """A config and those that differ from it in the settings of its filters alone."""

    def __init__(self, config: Config, library: Library) -> None:
        self.config = config
        self._library = library
        self._signals: SignalGroup | None = None
        self._settings: dict[tuple[Any, ...], FilterSettings] = {}
        self._lines: dict[int, GateLine] = {}  # by the settings, which are remembered above

    def config_with(self, values: Mapping[str, Any]) -> Config:
        """Return the config with other values of settings whose keys begin with `PREFIX`.

        Raises
        ------
        ConfigError
            If a filter may not have them.
        """
        changed: dict[str, dict[str, Any]] = {}
        for key, value in values.items():
            changed.setdefault(key.split(".")[1], {})[key] = value
        filters = dict(self.config.filters)
        for name, own in changed.items():
            wanted = (name, *((type(value), value) for value in own.values()))
            if wanted not in self._settings:
                self._settings[wanted] = self._validate(name, own)
            filters[name] = self._settings[wanted]
        return self.config.model_copy(update={"filters": filters})

    def group(self, config: Config) -> Group:
        """Return the events and gates of a config that `config_with` returned."""
        if not config.filters:
            return self._library.group(config)
        signals = self._signals = self._signals or self._library.signals(config)
        for name, settings in config.filters.items():
            if id(settings) not in self._lines:
                line = self._library.gate_line(name, config, signals.market)
                self._lines[id(settings)] = line
        lines = [self._lines[id(settings)] for settings in config.filters.values()]
        return with_gates(signals, lines, how=config.rules.filters)

    def _validate(self, name: str, values: Mapping[str, Any]) -> FilterSettings:
        """Return a filter's settings; what is wrong with them the whole config says best."""
        given = {key.removeprefix(f"{PREFIX}{name}."): value for key, value in values.items()}
        before = self.config.filters.get(name)
        is_plain = before is not None and not is_own("filter", given.get("kind", before.kind))
        if before is not None and is_plain and given.keys() <= FilterSettings.model_fields.keys():
            try:
                return FilterSettings.model_validate(before.model_dump() | given)
            except ValidationError:
                pass
        return with_values(self.config, values).filters[name]
