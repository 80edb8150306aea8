"""The presets on board: in `configs/` of a checkout, beside the packages once installed."""

import difflib
from pathlib import Path
from typing import Final

from feeds.errors import ConfigError
from feeds.folders import is_there

PRESETS: Final = Path(__file__).parents[1] / "configs"
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
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"The nearest preset is {near[0]}." if near else "Give a TOML file."
    raise ConfigError(f"`{parameter}` {given}: no such file, and no preset of that name. {hint}")


def _presets() -> list[Path]:
    return sorted(PRESETS.rglob("*.toml"))
