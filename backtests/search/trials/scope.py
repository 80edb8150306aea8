"""Which settings the kernel understands; all others are kept bar by bar, which takes longer."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from backtests.config.config import ALTS, Config
from strategies.registry import is_own

# Settings that need no other signals: the kernel takes a number of each per trial.
PER_TRIAL: Final = (
    "rules.hold_days",
    "rules.exit_on_support_lost",
    "rules.stop_loss",
    "rules.trailing_stop",
    "rules.index_drawdown",
    "costs.commission_bps",
    "costs.slippage_bps",
    "costs.impact_coefficient",
    "costs.initial_cash",
)
# All else the kernel understands; a config that uses anything else is kept bar by bar.
SHARED: Final = (
    "asset",
    "rules.trigger",
    "rules.entry_delay_days",
    "size.mode",
    "size.fraction",
    "size.vol_target",
    "size.vol_lookback",
    "costs.cash_rate",
    "plugins",
    "costs.max_participation",
)
SHARED_SECTIONS: Final = ("data.", "index.", "signal.", "significance.", "claim.", "study.")


def is_understood(config: Config, *, vary: Mapping[str, Iterable[Any]] | None = None) -> bool:
    """Return whether the kernel knows every setting of the config: it holds one coin or cash.

    `vary` are settings that take other values, too.
    """
    plain, vary = _flat(Config().model_dump()), vary or {}
    modes = (config.size.mode, *vary.get("size.mode", ()))
    if any(is_own("sizing", mode) for mode in modes):
        return False
    return ALTS not in (config.asset, *vary.get("asset", ())) and all(
        _is_known(key) or (key not in vary and plain.get(key) == value)
        for key, value in (_flat(config.model_dump()) | dict.fromkeys(vary)).items()
    )


def _is_known(key: str) -> bool:
    return key in PER_TRIAL or key in SHARED or key.startswith(SHARED_SECTIONS)


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found
