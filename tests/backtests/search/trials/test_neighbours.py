"""Oracle: each config validated as a whole."""

from itertools import product
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backtests.config.config import Config, load_config
from backtests.search.plan import with_values
from backtests.search.trials import neighbours
from backtests.search.trials.neighbours import Neighbours
from feeds.errors import ConfigError

OWN = """
import numpy as np
from backtests import signal

@signal("dip")
def dip(index, *, window: int = 20):
    return np.zeros(len(index), bool)
"""
ANY = {
    "asset": ["ETH", "btc", "ALTS", ""],
    "signal.lookback": [63, "all", 0],
    "signal.dip.window": [10, 30],
    "rules.trigger": ["any", "dip", "dipp"],
    "rules.hold_days": [5, 5.0, "5"],
    "size.mode": ["all_in", "vol_target"],
    "data.start": ["", "2020-01-01", "no day"],
    "filters.vix.level": [20.0, -1],
}
drawn = st.fixed_dictionaries({}, optional={key: st.sampled_from(own) for key, own in ANY.items()})


@pytest.fixture
def base(tmp_path: Path) -> Config:
    file = tmp_path / "dips.py"
    file.write_text(OWN)
    return load_config(None, overrides=[f'plugins=["{file}"]'], flags={"asset": "ETH"})


def outcome(make: Any, values: dict[str, Any]) -> Config | str:
    try:
        return make(values)
    except ConfigError as error:
        return str(error)


# the base is only read
@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(asked=st.lists(drawn, min_size=1, max_size=4))
def test_neighbours_equal_configs_validated_as_a_whole(
    base: Config, asked: list[dict[str, Any]]
) -> None:
    configs = Neighbours(base)
    # a section is put together from the second time on that it is met
    for values in [*asked, *asked, {key: own for one in asked for key, own in one.items()}]:
        found = outcome(configs.config, values)
        expected = outcome(lambda own: with_values(base, own), values)
        assert found == expected
        if isinstance(found, Config) and isinstance(expected, Config):
            assert found.to_toml() == expected.to_toml()
            assert hash(found) == hash(expected)


def test_neighbours_of_a_grid_validate_each_section_a_few_times() -> None:
    axes = product(("ETH", "BTC"), (20, 63, 126, 252), range(6), (True, False))
    keys = ("asset", "signal.lookback", "rules.entry_delay_days", "rules.exit_on_support_lost")
    configs = Neighbours(load_config(None))
    with mock.patch.object(neighbours, "with_values", wraps=with_values) as validated:
        found = [configs.config(dict(zip(keys, values, strict=True))) for values in axes]
    assert len(set(found)) == 96
    assert validated.call_count < 48
