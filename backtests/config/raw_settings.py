"""Settings before they are validated: TOML files, overrides and flags, in one tree."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from feeds.errors import ConfigError
from feeds.folders import is_there

MOST_BYTES: Final = 100_000_000  # the plan of a sweep of a million values is a tenth of it
PRESETS: Final = Path(__file__).parents[2] / "configs"
CLAIMS: Final = PRESETS / "claims"
# what everybody sets has a name of its own: a flag of the commands, a keyword in Python
SHORT_NAMES: Final = {
    "asset": "asset",
    "index": "index.symbol",
    "source": "data.source",
    "data_dir": "data.data_dir",
    "cache_dir": "data.cache_dir",
    "offline": "data.offline",
    "start": "data.start",
    "end": "data.end",
    "timeframe": "data.timeframe",
}


class NotTomlError(Exception):
    """A text is no table of settings; the message says why."""


def read_toml(path: Path) -> dict[str, Any]:
    """Return the table of a file.

    Raises
    ------
    NotTomlError
        If it cannot be read, or is not TOML.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise NotTomlError(error.strerror or str(error)) from error
    except ValueError as error:  # a NUL in the name
        raise NotTomlError("no path can have that name") from error
    if len(content) > MOST_BYTES:
        raise NotTomlError(f"larger than {MOST_BYTES:,} bytes")
    return parsed_toml(content)


def parsed_toml(content: bytes) -> dict[str, Any]:
    """Return the table of TOML text; a byte-order mark, as Windows editors put it, is no fault.

    Raises
    ------
    NotTomlError
        If it is not TOML.
    """
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise NotTomlError(
            f"not UTF-8 text, byte {error.start + 1} is 0x{content[error.start]:02x}"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise NotTomlError(f"not valid TOML ({error})") from error
    except ValueError as error:
        raise NotTomlError("a number has too many digits") from error
    except RecursionError as error:
        raise NotTomlError("nested too deeply") from error


def preset_path(given: Path, *, parameter: str = "--config") -> Path:
    """Return the file a `--config` means: itself, or a preset named from any folder.

    `eth`, `eth.toml`, `configs/eth.toml` and `claims/new-high-btc` name presets wherever no
    file of that name lies.

    Raises
    ------
    ConfigError
        If there is neither, with the nearest preset.
    """
    if is_there(given) or given.is_absolute():
        return given
    name = given.with_suffix("").as_posix().removeprefix("./").removeprefix("configs/")
    known = {path.relative_to(PRESETS).with_suffix("").as_posix(): path for path in _presets()}
    if name in known:
        return known[name]
    from feeds.message_text import nearest  # which loads pandas, and --help must not

    near = nearest(name, known)
    hint = f"The nearest preset is {near}." if near else "Give a TOML file."
    raise ConfigError(f"`{parameter}` {given}: no such file, and no preset of that name. {hint}")


def _presets() -> list[Path]:
    return sorted(PRESETS.rglob("*.toml"))


def config_tree(
    path: Path | None,
    *,
    overrides: Sequence[str] = (),
    flags: Mapping[str, Any] | None = None,
    parameter: str = "--config",
) -> dict[str, Any]:
    """Return the settings given in file, overrides and flags, not yet validated.

    `parameter` is the option that named the file, for messages.
    """
    tree = _read(path, parameter) if path else {}
    if path and isinstance(tree.get("plugins"), list):
        tree["plugins"] = [_beside(path, one) for one in tree["plugins"]]
    inside = tree.get("data")
    written = inside if isinstance(inside, dict) else {}
    put_all(tree, {f"data.{key}": value for key, value in written.items()})
    put_all(tree, dict(map(_override, overrides)))
    given = dict(flags or {})
    if more := given.pop("plugins", None):
        named = tree.get("plugins", [])
        tree["plugins"] = [*(named if isinstance(named, list) else [named]), *more]
    put_all(tree, given)
    return tree


def _beside(path: Path, plugin: Any) -> Any:
    """Return a plug-in's file as it lies beside the config, if it does."""
    beside = preset_path(path).parent / plugin if isinstance(plugin, str) else None
    return str(beside.absolute()) if beside is not None and beside.is_file() else plugin


def put_all(tree: dict[str, Any], settings: Mapping[str, Any]) -> None:
    """Set settings by their whole keys, those that are not None, in a tree.

    A folder named alone is where the bars are.
    """
    given = {key: value for key, value in settings.items() if value is not None}
    for key, value in given.items():
        put(tree, key, value)
    if given.get("data.data_dir") and not given.get("data.source"):
        put(tree, "data.source", "files")


def put(tree: dict[str, Any], dotted: str, value: Any) -> None:
    """Set `section.key` in a tree of settings."""
    *sections, key = dotted.split(".")
    for section in sections:
        tree = tree.setdefault(section, {})
        if not isinstance(tree, dict):
            raise ConfigError(
                f"`{dotted}` is no setting: `{section}` is not a section. See configs/eth.toml for "
                "all keys."
            )
    tree[key] = value


def _read(path: Path, parameter: str) -> dict[str, Any]:
    try:
        return read_toml(preset_path(path, parameter=parameter))
    except NotTomlError as error:
        raise ConfigError(f"`{parameter}` {path}: {error}. Give a TOML file.") from error


def _override(text: str) -> tuple[str, Any]:
    key, separator, value = text.partition("=")
    if not separator or not key.strip():
        raise ConfigError(f"`--set` takes section.key=value, received {text!r}.")
    return key.strip(), _parse(value.strip())


def _parse(text: str) -> Any:
    """Read a value as TOML would; a bare word is a string."""
    try:
        table = parsed_toml(f"value = {text}".encode(errors="surrogateescape"))
    except NotTomlError:
        return text
    return table["value"] if len(table) == 1 else text
