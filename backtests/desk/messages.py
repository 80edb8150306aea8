"""An evening as others read it: JSON for programs, the line of a journal, news for a chat.

Chats, mailboxes and webhooks are told through Apprise.
"""

import hashlib
import json
import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from backtests.analysis.episodes import AHEAD_DAYS, Forebears
from backtests.desk.today import Evening, GateState, Order
from feeds.errors import ConfigError
from feeds.folders import cache_folder, write_whole

TOLD: Final = "told.json"
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def signature(evening: Evening) -> str:
    """Return what of an evening is news: position, window, order, staleness."""
    order = order_json(evening.order)
    told = {
        "in_market": evening.in_market,
        "since": str(evening.since),
        "order": order and [order["side"], order["reason"]],
        "stale": bool(evening.stale),
    }
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


class Told:
    """What has been told of each config, kept beside the cache so that news is told once."""

    def __init__(self, cache_dir: str) -> None:
        self._path = cache_folder(cache_dir) / TOLD

    def is_news(self, evening: Evening) -> bool:
        """Return whether an evening differs from what was told last."""
        return self._read().get(evening.config.short_hash) != signature(evening)

    def keep(self, evenings: Sequence[Evening]) -> None:
        """Remember that these have been told."""
        told = self._read() | {one.config.short_hash: signature(one) for one in evenings}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(self._path, (json.dumps(told, indent=1) + "\n").encode())

    def _read(self) -> dict[str, str]:
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


def require_urls(urls: Sequence[str]) -> None:
    """Refuse an address no service has, before any work is done.

    Raises
    ------
    ConfigError
        If Apprise knows no such service.
    """
    import apprise

    for number, url in enumerate(urls, start=1):
        if apprise.Apprise.instantiate(url, suppress_exceptions=True) is None:
            scheme = url.partition(":")[0][:20]
            raise ConfigError(
                f"`--notify` address {number} ({scheme}:...) is none that Apprise knows. Give one "
                "such as mailto://..., tgram://... or json://localhost/hook."
            )


def tell(urls: Sequence[str], *, title: str, text: str) -> str:
    """Send a message to every address; return what went wrong, "" if nothing."""
    import apprise

    sender = apprise.Apprise()
    for url in urls:
        sender.add(url)
    try:
        sent = sender.notify(title=title, body=text)
    except Exception as error:  # noqa: BLE001 (whatever it is, the answer was given)
        return f"nobody could be told: {type(error).__name__}: {error}"
    return "" if sent else "not everybody could be told: an address did not take the message"


def evening_json(evening: Evening, forebears: Forebears | None = None) -> dict[str, Any]:
    """Return an evening as JSON has it: instants in UTC, null where there is nothing."""
    support = evening.support
    return {
        "asset": evening.asset,
        "as_of": _time(evening.as_of),
        "in_market": evening.in_market,
        "since": _time(evening.since),
        "entry_reason": evening.entry_reason or None,
        "window_end": _time(evening.window_end),
        "order": order_json(evening.order),
        "index": evening.index,
        "index_close": evening.index_close,
        "next_high_at": evening.next_high_at,
        "support": support
        and {"level": support.level, "lost_below": support.lost_below, "is_held": support.is_held},
        "gates": [_gate(gate) for gate in evening.gates],
        "changes": [
            {
                "subject": change.subject,
                "direction": change.direction or None,
                "level": _number(change.level),
                "on": _time(change.on),
                "then": change.then,
                "note": change.note or None,
            }
            for change in evening.changes
        ],
        "stale": list(evening.stale),
        "next_close": _time(evening.next_close),
        "episode": forebears and episode_json(forebears),
    }


def order_json(order: Order | None) -> dict[str, Any] | None:
    """Return an order; `units` of a basket are in `coins` alone."""
    if order is None:
        return None
    return {
        "side": order.side,
        "units": _number(order.total),
        "weight": _number(order.weight),
        "reason": order.reason,
        "coins": dict(order.units),
    }


def episode_json(found: Forebears) -> dict[str, Any]:
    """Return the present episode beside those before it."""
    then, ahead = (each[np.isfinite(each)] for each in (found.then, found.ahead))
    return {
        "session": f"{found.present.session:%Y-%m-%d}",
        "entry": _time(found.present.entry),
        "day": found.day,
        "growth": _number(found.growth),
        "rank": found.rank,
        "earlier": int(then.size),
        "on_that_day": _spread(then),
        f"next_{AHEAD_DAYS}_days": _spread(ahead),
    }


def journal_content(evening: Evening, *, now: pd.Timestamp) -> dict[str, Any]:
    """Return what a journal keeps of an evening: decision, config, digests of the bars."""
    known, data = evening_json(evening), evening.config.data.model_copy(update={"end": ""})
    config = evening.config.model_copy(update={"data": data})  # the evening is no setting
    kept = ("in_market", "since", "window_end", "order", "next_high_at", "stale")
    return {
        "written": _time(now),
        "as_of": known["as_of"],
        "asset": evening.asset,
        "decision": {name: known[name] for name in kept},
        "config_hash": config.short_hash,
        "config": config.to_toml(),
        "equity": evening.equity,
        "bars": bars_digests(evening),
    }


def bars_digests(evening: Evening) -> dict[str, str]:
    """Return the digest of each symbol's bars that the evening knew."""
    bars = evening.market.inputs.all_bars
    return {each.instrument.symbol: each.sha256 for each in bars}


def _gate(gate: GateState) -> dict[str, Any]:
    state = None if math.isnan(gate.state) else bool(gate.state)
    known = _time(gate.known_at)
    return {"name": gate.name, "open": state, "known_at": known, "lets_pass": gate.lets_pass}


def _spread(values: np.ndarray) -> dict[str, float] | None:
    if values.size == 0:
        return None
    return {
        "lowest": float(values.min()),
        "median": float(np.median(values)),
        "highest": float(values.max()),
    }


def _time(time: pd.Timestamp | None) -> str | None:
    return None if time is None else time.strftime(TIME_FORMAT)


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
