"""A fund's own history file from its publisher's site: shares outstanding and value a day."""

from typing import Final

from feeds.errors import ConfigError
from feeds.fund import NAME, flows, is_workbook, sheet_history
from feeds.series import Series
from feeds.vendors.addresses import address_of
from feeds.vendors.patience import Patience
from feeds.vendors.registry import reading

REMEDY: Final = f"Try later, or put the fund's file or {NAME}_series.csv into --data-dir."


class Ishares:
    """The site of a fund as a source of its flows.

    Parameters
    ----------
    address
        The whole address of the file; by default as `feeds.vendors.addresses` says when asked.
    patience
        Timeouts and retries.
    """

    name = "ishares"

    def __init__(self, *, address: str = "", patience: Patience | None = None) -> None:
        self._address = address
        self._patience = patience or Patience()

    def fetch(self, name: str) -> Series:
        """Return the flows of every day, known at the next session's close.

        Raises
        ------
        ConfigError
            If another series is asked for.
        Unreachable, NotServed, DataError
            As for bars: see `feeds.vendors.registry.Vendor.fetch`.
        """
        if name != NAME:
            raise ConfigError(f"`series` of a fund is {NAME}, received {name!r}.")
        origin = f"{self.name} {name}"
        payload = self._ask(origin)
        with reading(origin, REMEDY):
            return flows(sheet_history(payload, origin=origin), source=self.name)

    def _ask(self, origin: str) -> bytes:
        from feeds.vendors.wire import answer, open_session

        with open_session(self._patience, is_data=_is_whole) as session:
            return answer(
                session,
                self._address or address_of(self.name),
                subject=origin,
                remedy=REMEDY,
                patience=self._patience,
            )


def _is_whole(body: bytes) -> bool:
    return is_workbook(body) and b"</ss:Workbook>" in body[-200:]
