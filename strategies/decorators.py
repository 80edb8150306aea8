"""The decorators by which a user's own functions are registered: `@signal("reclaim")`.

The arguments of a function before the star say what it reads, those behind it are its parameters:
keys of the config's table `[signal.reclaim]`, validated by their types.
"""

import hashlib
import inspect
import re
from collections.abc import Callable
from typing import Any, Final

from feeds.errors import ConfigError
from strategies.registry import Entry, Function, Kind, Origin, current_origin, entries, put

# what the first argument of an own function is called, and whether more may follow
SUBJECTS: Final[dict[Kind, tuple[str, bool]]] = {
    "signal": ("index", True),
    "filter": ("index", True),
    "exit": ("coin", True),
    "sizing": ("coin", True),
    "weighting": ("coins", False),
    "selection": ("coins", False),
}
NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
# names that mean something else where a function's name may stand
RESERVED: Final = frozenset({"any", "all", "auto", "none", "own", "window", "level", "rule"})
FORMS: Final = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def signal(name: str) -> Callable[[Function], Function]:
    """Register a signal: `index` in, a flag per session out.

    The function gets a DataFrame of the index's bars, a row per session, with columns open, high,
    low and close. Further arguments ask for more, as known at each session: `coin` for the bars
    of what is traded, any other name for a series (`vix`, `m2sl`). It answers with as many flags,
    or whole numbers above 0 where it fires; never NaN.

    Raises
    ------
    ConfigError
        If the name is taken, or the function's arguments are of another form.

    Examples
    --------
    >>> import backtests as bt
    >>> @bt.signal("up_day")
    ... def up_day(index, *, least: float = 0.02):
    ...     return index["close"].pct_change() > least
    >>> config = bt.load_config("eth", trigger="up_day", signal={"up_day": {"least": 0.03}})
    >>> config.signal.up_day
    {'least': 0.03}
    """
    return _own("signal", name)


def filter(name: str) -> Callable[[Function], Function]:  # noqa: A001 (what the field says)
    """Register a filter: `index` in, a flag per session out, or 1, 0 and NaN for not known.

    Arguments are those of a signal. A config uses it by `kind` in a table of its own:
    `[filters.NAME] kind = "calm"`, its parameters in `[filters.NAME.calm]`.

    Examples
    --------
    >>> import backtests as bt
    >>> @bt.filter("calm")
    ... def calm(index, vix, *, level: float = 20.0):
    ...     return (vix < level).where(vix.notna())
    >>> quiet = {"kind": "calm", "calm": {"level": 18.0}}
    >>> bt.load_config("eth", filters={"quiet": quiet}).filters["quiet"].calm
    {'level': 18.0}
    """
    return _own("filter", name)


def exit(name: str) -> Callable[[Function], Function]:  # noqa: A001 (what the field says)
    """Register an exit: `coin` in, a flag per bar out: sell at the next open.

    The function gets a DataFrame of the bars of what is traded, columns open, high, low, close
    and volume; further arguments ask for more, as known at each bar's end: `index`, or a series.
    `rules.exits = ["NAME"]` uses it, its parameters stand in `[rules.NAME]`.

    Examples
    --------
    >>> import backtests as bt
    >>> @bt.exit("two_red_days")
    ... def two_red_days(coin):
    ...     red = coin["close"] < coin["close"].shift(1)
    ...     return red & red.shift(1, fill_value=False)
    >>> bt.load_config("eth", exits=["two_red_days"]).rules.exits
    ('two_red_days',)
    """
    return _own("exit", name)


def sizing(name: str) -> Callable[[Function], Function]:
    """Register a sizing: `coin` in, a weight from 0 to 1 per bar out; NaN makes no entry.

    Arguments are those of an exit. `size.mode = "NAME"` uses it, its parameters stand in
    `[size.NAME]`; `size.max_weight` caps it.

    Examples
    --------
    >>> import backtests as bt
    >>> @bt.sizing("half_when_hot")
    ... def half_when_hot(coin, *, days: int = 30):
    ...     return 1.0 - 0.5 * (coin["close"] > 2 * coin["close"].shift(days))
    >>> bt.load_config("eth", mode="half_when_hot").size.half_when_hot
    {'days': 30}
    """
    return _own("sizing", name)


def weighting(name: str) -> Callable[[Function], Function]:
    """Register a weighting of the basket: `coins` in, a number of 0 or more per bar and coin out.

    The function gets a `strategies.basket.BasketPanel`, whose arrays have the shape (bars,
    coins); NaN keeps a coin out. `basket.weights = "NAME"` uses it, its parameters stand in
    `[basket.NAME]`.

    Examples
    --------
    >>> import backtests as bt
    >>> @bt.weighting("by_price")
    ... def by_price(coins):
    ...     return coins.close
    >>> bt.load_config("eth", weights="by_price").basket.weights
    'by_price'
    """
    return _own("weighting", name)


def selection(name: str) -> Callable[[Function], Function]:
    """Register a ranking of the basket's candidates: the `basket.top` highest are in.

    Arguments and answer are those of a weighting. `basket.select = "NAME"` uses it.

    Examples
    --------
    >>> import backtests as bt
    >>> @bt.selection("cheapest")
    ... def cheapest(coins):
    ...     return 1 / coins.close
    >>> bt.load_config("eth", select="cheapest", top=5).basket.select
    'cheapest'
    """
    return _own("selection", name)


def _own(kind: Kind, name: str) -> Callable[[Function], Function]:
    def add(function: Function) -> Function:
        origin = current_origin() or _origin_of(function)
        _require_name(kind, name, origin)
        put(Entry(kind, name, function, origin, _reads(kind, name, function)))
        return function

    return add


def _origin_of(function: Callable[..., Any]) -> Origin:
    """Return where a function written in a script or a notebook stands."""
    try:
        text = inspect.getsource(function)
    except (OSError, TypeError):  # typed in, and kept nowhere
        text = function.__code__.co_code.hex()
    return Origin(f"Python, {function.__module__}", hashlib.sha256(text.encode()).hexdigest())


def _require_name(kind: Kind, name: str, origin: Origin) -> None:
    """Refuse a name that cannot stand in a config, or is somebody else's."""
    if not NAME.fullmatch(name) or name in RESERVED:
        raise ConfigError(
            f"the name of a {kind} must be at most 40 small letters, digits and underscores, and "
            f"none of {', '.join(sorted(RESERVED))}; received {name!r}."
        )
    found = entries(kind).get(name)
    if found is not None and found.origin.name != origin.name:
        raise ConfigError(
            f"the {kind} {name!r} of {origin.name} is there already, from {found.origin.name}. "
            "Choose another name."
        )


def _reads(kind: Kind, name: str, function: Callable[..., Any]) -> tuple[str, ...]:
    """Return what a function asks for; its form is the subject first and parameters behind `*`."""
    subject, more = SUBJECTS[kind]
    given = inspect.signature(function).parameters.values()
    asked = [one.name for one in given if one.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    other = [one.name for one in given if one.kind not in FORMS]
    others = ", names of other data" if more else ""
    if asked[:1] != [subject] or other or (len(asked) > 1 and not more):
        raise ConfigError(
            f"the {kind} {name!r} must be a function of `{subject}`{others} and "
            f"parameters behind a `*`, such as def {name}({subject}, *, window: int = 20); "
            f"received def {name}{inspect.signature(function)}."
        )
    return tuple(asked)
