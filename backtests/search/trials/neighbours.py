"""The configs of neighbouring trials: what they share is validated once."""

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from typing import Any, Final

from backtests.config.config import Config
from backtests.search.plan import with_values
from backtests.search.trials.sharing_keys import Remembered, remember
from feeds.errors import ConfigError

REMEMBERED_CONFIGS: Final = 4_096
# sections of which no other is judged by; where one changes another all the same, it is seen
ALONE: Final = frozenset({"asset", "index", "signal", "rules", "size", "costs", "idle"})


class Neighbours:
    """Configs that differ from a base in some settings.

    A section that is met again is validated by itself, and put beside the others: a sweep has
    many sets of settings, and few of each section.
    """

    def __init__(self, base: Config) -> None:
        self.base = base
        self._configs: Remembered[Config] = OrderedDict()
        self._sections: Remembered[Any] = OrderedDict()
        self._met: Remembered[bool] = OrderedDict()

    def config(self, values: Mapping[str, Any]) -> Config:
        """Return the base with other values of some settings, as `with_values` does.

        Raises
        ------
        ConfigError
            If a setting may not have its value.
        """
        key = _key_of(values)
        return remember(self._configs, key, lambda: self._made(values), REMEMBERED_CONFIGS)

    def _made(self, values: Mapping[str, Any]) -> Config:
        by_section: dict[str, dict[str, Any]] = {}
        for key, value in values.items():
            by_section.setdefault(key.partition(".")[0], {})[key] = value
        found = {name: self._section(name, own) for name, own in by_section.items()}
        if any(section is None for section in found.values()):
            return with_values(self.base, values)
        return self.base.model_copy(update=found)

    def _section(self, name: str, values: Mapping[str, Any]) -> Any:
        """Return a section with these values; None where the whole config has to be validated."""
        key = _key_of(values)
        if name not in ALONE or not self._is_met(key):
            return None
        return remember(
            self._sections, key, lambda: self._validate(name, values), REMEMBERED_CONFIGS
        )

    def _is_met(self, key: Hashable) -> bool:
        """Return whether it was asked for before: values that are all distinct gain nothing."""
        is_met = key in self._met
        return remember(self._met, key, lambda: True, REMEMBERED_CONFIGS) and is_met

    def _validate(self, name: str, values: Mapping[str, Any]) -> Any:
        try:
            config = with_values(self.base, values)
        except ConfigError:
            return None  # the whole config says best what is wrong
        section = getattr(config, name)
        alone = self.base.model_copy(update={name: section})
        return section if config == alone else None


def _key_of(values: Mapping[str, Any]) -> Hashable:
    """Return values as a key that tells 1 from 1.0 and from true."""
    return tuple((name, type(value), value) for name, value in values.items())
