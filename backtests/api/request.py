"""What is asked for in Python: an asset, a file or a config, settings, bars of one's own."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from backtests.config.config import Config
from backtests.config.raw_settings import config_tree, put, put_all
from backtests.config.short_names import whole_keys
from feeds.bars import Bars
from feeds.errors import ConfigError

if TYPE_CHECKING:
    from feeds.instruments import Kind

Subject = str | Path | Config | None
Tree = dict[str, Any]

FILE_ENDING: Final = ".toml"


def settings_tree(
    subject: Subject,
    *,
    settings: Mapping[str, Any] | None,
    keywords: Mapping[str, Any],
    own: tuple[Bars, ...] = (),
    first: Mapping[str, str] | None = None,
) -> Tree:
    """Return the settings asked for, not yet validated.

    Parameters
    ----------
    subject
        An asset ("ETH"), a TOML file (a path, or text that ends in .toml), a config, or None.
    settings, keywords
        Values by whole key and by the last part of it, as `whole_keys` reads them with `first`.
    own
        Bars that are there already; what they are of is set with them.

    Raises
    ------
    ConfigError
        If a name means no setting or two values, or the bars are of another asset than named.
    """
    given = _given_once(settings, keywords, first)
    if isinstance(subject, Config):
        tree = subject.model_dump(exclude_none=True)
    elif isinstance(subject, Path) or (isinstance(subject, str) and _is_file(subject)):
        tree = config_tree(Path(subject), parameter="config")
    elif isinstance(subject, str):
        if "asset" in given:
            raise ConfigError(
                f"`asset` is given twice, {subject!r} and {given['asset']!r}. Leave one out."
            )
        tree, given = {}, {"asset": subject, **given}
    elif subject is None:
        tree = {}
    else:
        raise ConfigError(
            'what to run must be an asset such as "ETH", a TOML file or a Config, received '
            f"{type(subject).__name__}. Bars of your own are named: coin=..., index=..."
        )
    put_all(tree, given)
    for bars in own:
        _set_own(tree, bars, given)
    return tree


def own_bars(*, index: Any, coin: Any) -> tuple[Bars, ...]:
    """Return the bars among what was given; an index may also be a name.

    Raises
    ------
    ConfigError
        If one is something else, or the bars are of the wrong kind.
    """
    wanted: tuple[tuple[str, Any, Kind], ...] = (
        ("index", index, "index"),
        ("coin", coin, "coin"),
    )
    found = []
    for name, given, kind in wanted:
        if given is None or (name == "index" and isinstance(given, str)):
            continue
        if not isinstance(given, Bars):
            raise ConfigError(
                f"`{name}` must be Bars, received {type(given).__name__}. Make them of a "
                "DataFrame: bt.Bars.from_frame(frame, symbol=...)."
            )
        if given.instrument.kind != kind:
            raise ConfigError(
                f"`{name}` must be bars of {'an index' if kind == 'index' else 'a coin'}, received "
                f"those of {given.instrument.symbol}, which are of "
                f"{'an index' if kind == 'coin' else 'a coin'}."
            )
        found.append(given)
    return tuple(found)


def named_index(index: Bars | str | None) -> dict[str, str]:
    """Return the setting that an index given by its name is; none for bars of one."""
    return {"index": index} if isinstance(index, str) else {}


def _is_file(subject: str) -> bool:
    return subject.casefold().endswith(FILE_ENDING) or "/" in subject


def _given_once(
    settings: Mapping[str, Any] | None, keywords: Mapping[str, Any], first: Mapping[str, str] | None
) -> dict[str, Any]:
    if settings is not None and not isinstance(settings, Mapping):
        raise ConfigError(
            '`settings` must be a mapping such as {"rules.hold_days": 90}, received '
            f"{type(settings).__name__}."
        )
    dotted = whole_keys(settings or {}, model=Config, first=first)
    plain = whole_keys(keywords, model=Config, first=first)
    for key in dotted.keys() & plain.keys():
        raise ConfigError(f"`{key}` is given twice, by name and in `settings`. Leave one out.")
    return {**dotted, **plain}


def _set_own(tree: Tree, bars: Bars, given: Mapping[str, Any]) -> None:
    """Name what the bars are of; a name given beside them must be theirs."""
    is_coin = bars.instrument.kind == "coin"
    name, length = ("asset", "data.timeframe") if is_coin else ("index.symbol", "index.timeframe")
    label = bars.instrument.label
    for key, own in ((name, label), (length, bars.timeframe)):
        named = given.get(key)
        if named is not None and str(named).upper() not in (own.upper(), bars.instrument.symbol):
            raise ConfigError(
                f"`{key}` is {named!r}, but the bars given are of {bars.instrument.symbol}, "
                f"{bars.timeframe}. Leave one out."
            )
        put(tree, key, own)
