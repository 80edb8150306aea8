"""What is known of a run beside its figures: names and lengths, no accounts and no bars."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What sentences about a run need beside its figures.

    `traded` is what people call what was traded ("BTC", "the altcoin basket"), `coin` the same
    without an article where it takes part in a name. `untested` names the filters with which
    the run tests nothing. `is_single` says whether one coin was traded against cash, so that a
    time in the market is a trade; `is_open` whether something is held at the end, `pending`
    why an order is due at the next open.
    """

    traded: str
    days: float
    bars: int
    untested: tuple[str, ...] = ()
    first_members: tuple[str, ...] = ()
    idle: str = ""
    is_single: bool = True
    is_open: bool = False
    pending: str = ""
