"""The filters of trials that share all else: each gate once per distinct set of its settings."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from backtests.config.config import Config
from backtests.search.plan import with_values
from backtests.search.trials.signal_events import GatedSignals, GateLine
from backtests.search.trials.trial_events import Group
from backtests.search.trials.trial_library import Library
from strategies.registry import is_own
from strategies.rule_settings import FilterSettings

PREFIX = "filters."

Filters = dict[str, FilterSettings]


class Filtered:
    """A config and those that differ from it in the settings of its filters alone."""

    def __init__(self, config: Config, library: Library) -> None:
        self.config = config
        self._library = library
        self._settings: dict[tuple[Any, ...], FilterSettings] = {}
        self._lines: dict[int, GateLine] = {}  # by the settings, which are remembered above
        self._events: GatedSignals | None = None

    def filters(self, values: Mapping[str, Any]) -> Filters:
        """Return the filters with other values of settings whose keys begin with `PREFIX`.

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
        return filters

    def config_with(self, filters: Filters) -> Config:
        """Return the config with other filters."""
        if filters == self.config.filters:
            return self.config
        return self.config.model_copy(update={"filters": filters})

    def group(self, filters: Filters) -> Group:
        """Return the events of the config under filters that `filters` returned."""
        if not filters:
            return self._library.group(self.config_with(filters))
        lines = [self._line(name, filters) for name in filters]
        return self._signals_under(filters).group(lines, how=self.config.rules.filters)

    def _signals_under(self, filters: Filters) -> GatedSignals:
        if self._events is None:
            self._events = GatedSignals(self._library.signals(self.config_with(filters)))
        return self._events

    def _line(self, name: str, filters: Filters) -> GateLine:
        settings = filters[name]
        if id(settings) not in self._lines:
            config, market = self.config_with(filters), self._signals_under(filters).market
            self._lines[id(settings)] = self._library.gate_line(name, config, market)
        return self._lines[id(settings)]

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
