"""Telling a chat, a mailbox or a webhook what has changed, through Apprise."""

import hashlib
import json
from collections.abc import Sequence
from typing import Final

from backtests.desk.today import Evening
from backtests.desk.written import order_json
from feeds.errors import ConfigError
from feeds.folders import cache_folder, write_whole

TOLD: Final = "told.json"


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
