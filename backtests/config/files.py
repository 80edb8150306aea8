"""Settings in TOML as people and programs leave it: a table, or one sentence of what is wrong."""

import tomllib
from pathlib import Path
from typing import Any, Final

from feeds.errors import ConfigError
from feeds.folders import is_there

MOST_BYTES: Final = 100_000_000  # the plan of a sweep of a million values is a tenth of it


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


PRESETS: Final = Path(__file__).parents[2] / "configs"
CLAIMS: Final = PRESETS / "claims"


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
    from feeds.wording import nearest  # which loads pandas, and --help must not

    near = nearest(name, known)
    hint = f"The nearest preset is {near}." if near else "Give a TOML file."
    raise ConfigError(f"`{parameter}` {given}: no such file, and no preset of that name. {hint}")


def _presets() -> list[Path]:
    return sorted(PRESETS.rglob("*.toml"))
