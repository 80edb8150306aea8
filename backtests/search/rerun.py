"""One trial of a sweep as a config, to run it again."""

from pathlib import Path

from backtests.config.config import Config
from backtests.search.plan import with_values
from backtests.search.store import open_store
from feeds.errors import ConfigError


def config_of_trial(folder: Path, trial: int) -> Config:
    """Return the config of one row of a sweep, to run it again.

    Raises
    ------
    ConfigError
        If the folder holds no sweep, or the sweep has not done that trial.
    """
    store = open_store(folder)
    chunk = trial // store.plan.chunk
    if not 0 <= trial < store.plan.trials or not store.path(chunk).exists():
        raise ConfigError(
            f"`--from-trial` {trial} is not in {folder}: "
            f"it has trials 0 to {store.plan.trials - 1}, as far as they are done."
        )
    rows = store.rows([trial], [*store.plan.keys, "config"]).to_pylist()
    config = store.plan.config(store.values([trial])[0])
    if any(config.short_hash != row["config"] for row in rows):
        (row,) = rows
        raise ConfigError(
            f"`--from-trial` {trial}: {folder} was written by another version of the program "
            f"(config {row['config']}, now {config.short_hash}). Run the sweep again."
        )
    return config


def chosen_config(folder: Path, trial: int) -> Config:
    """Return the config of one row, which knows how many it was chosen from; errors as above."""
    tried = open_store(folder).plan.tried
    return with_values(config_of_trial(folder, trial), {"significance.tried": tried})
