"""An audit from Python."""

from collections.abc import Mapping
from typing import Any

from backtests.api.request import Subject, settings_tree
from backtests.audits.audit import Audit, audit_of
from backtests.config.config import validated_config
from backtests.market.inputs import load_inputs


def audit(
    asset: Subject = None, *, settings: Mapping[str, Any] | None = None, **keywords: Any
) -> Audit:
    """Cut the data at many bars, rewrite the future, and see whether anything before changes.

    Parameters and errors are those of `backtest`.

    Examples
    --------
    >>> import backtests as bt
    >>> found = bt.audit("ETH", source="sample", start="2025-01-01")
    >>> found.ok, found.findings["name"].tolist()
    (True, ['signal of the index', 'run'])
    """
    config = validated_config(settings_tree(asset, settings=settings, keywords=keywords))
    return audit_of(config, load_inputs(config))
