"""Results as text that reads back exactly, in folders that appear whole or not at all."""

import errno
import json
import math
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from feeds.errors import ConfigError
from feeds.folders import full_disk_named, is_there

if TYPE_CHECKING:
    import pandas as pd

# of an instant, UTC, as spreadsheets open it: they take a T, a Z or an offset for text
CELL_TIME: Final = "%Y-%m-%d %H:%M:%S"
DAYS_COLUMN: Final = re.compile(r"(^|_)days$")
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t")
_MARKED: Final = re.compile(r"([\\`*_{}\[\]<>|#~&])")
LONGEST_NAME: Final = 255  # of a file, in bytes
LONGEST_TITLE: Final = 60  # of a run, in characters: a legend's line on a phone


def as_csv(table: "pd.DataFrame") -> str:
    """Return CSV whose floats read back to the same bits, and no text of which is a formula.

    Instants are written as `CELL_TIME` in UTC, sessions (without a zone) as dates alone, and
    whole days without a decimal. A spreadsheet runs a cell that begins with one of
    `FORMULA_STARTS`; such a text gets an apostrophe in front, which spreadsheets do not show.
    Numbers are left alone.
    """
    import pandas as pd

    texts = set(table.select_dtypes(["object", "string", "str"]).columns)
    # as objects: what is no text keeps its own type, whole numbers beside gaps too
    cells = {str(name): pd.Series(map(_guard, table[name]), table.index, object) for name in texts}
    cells |= {
        str(name): pd.Series(map(_whole, table[name]), table.index, object)
        for name in table.columns
        if name not in texts and DAYS_COLUMN.search(str(name))
    }
    cells |= {
        str(name): days.dt.strftime("%Y-%m-%d")
        for name, days in table.select_dtypes("datetime").items()
        if days.dropna().eq(days.dropna().dt.normalize()).all()
    }
    guarded = table.assign(**cells)
    header = [_guard(name) for name in guarded.columns]
    return guarded.to_csv(index=False, header=header, date_format=CELL_TIME, lineterminator="\n")


def _whole(number: float) -> float | int:
    return int(number) if float(number).is_integer() else number


def _guard(cell: Any) -> Any:
    if not isinstance(cell, str):
        return cell
    # a lone carriage return would end the row for some readers
    text = cell.replace("\r", " ")
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def as_markdown(text: str) -> str:
    """Return a text that Markdown shows as it stands, in a table's cell too."""
    return _MARKED.sub(r"\\\1", " ".join(text.split()))


def as_json(value: Any) -> str:
    """Return JSON with null for what is undefined or infinite."""
    return json.dumps(_define(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _define(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _define(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_define(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def run_id(*, asset: str, config_hash: str, now: "pd.Timestamp") -> str:
    """Return `<UTC stamp>-<asset>-<short config hash>`."""
    return f"{now:%Y%m%dT%H%M%SZ}-{asset}-{config_hash}"


def require_name(name: str) -> str:
    """Return the name its maker gives a run, without space around it.

    Raises
    ------
    ConfigError
        If it cannot stand in a legend: nothing to read in it, too long, or not on one line.
    """
    shown = name.strip()
    if not shown.isprintable() or len(shown) > LONGEST_TITLE or not any(map(str.isalnum, shown)):
        raise ConfigError(
            f"`--name` must be 1 to {LONGEST_TITLE} characters on one line, a letter or a digit "
            f"among them, received {name[:80]!r}. Give one that can stand in a legend, such as "
            '"60 days".'
        )
    return shown


def require_writable(out: Path) -> None:
    """Refuse an `--out` that cannot hold results, before any work is done."""
    existing = next(path for path in (out, *out.absolute().parents) if is_there(path))
    fits = all(len(part.encode(errors="surrogateescape")) <= LONGEST_NAME for part in out.parts)
    if not fits or not existing.is_dir() or not os.access(existing, os.W_OK):
        raise ConfigError(_unwritable(out))


def _unwritable(out: Path) -> str:
    return f"`--out` must be a folder that can be written, received {str(out)!r}."


def write_folder(out: Path, name: str, files: Mapping[str, str]) -> Path:
    """Write all files into `out/name` in one step and return that folder.

    If the name is taken (two runs in one second), `-2`, `-3` ... is added.
    """
    contents = {file: text.encode() for file, text in files.items()}
    with full_disk_named(out, size=sum(map(len, contents.values()))):
        return _write(out, name, contents)


def _write(out: Path, name: str, contents: Mapping[str, bytes]) -> Path:
    try:
        out.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".writing-", dir=out))
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise
        raise ConfigError(_unwritable(out)) from error
    try:
        scratch.chmod(0o755)
        for file_name, content in contents.items():
            (scratch / file_name).write_bytes(content)
        return _put_in_place(scratch, out, name)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise


def _put_in_place(scratch: Path, out: Path, name: str) -> Path:
    attempt = 1
    while True:
        target = out / (name if attempt == 1 else f"{name}-{attempt}")
        if not target.exists():
            try:
                return scratch.rename(target)
            except OSError:
                # another run took the name between the question and the answer
                if not target.exists():
                    raise
        attempt += 1


def write_page(path: Path, page: str) -> Path:
    """Write a page in one step, over an older one, and return its path."""
    try:
        descriptor, name = tempfile.mkstemp(prefix=".writing-", dir=path.parent)
    except OSError as error:
        raise ConfigError(_unwritable(path.parent)) from error
    os.close(descriptor)
    scratch = Path(name)
    content = page.encode()
    try:
        with full_disk_named(path.parent, size=len(content)):
            scratch.write_bytes(content)
        scratch.chmod(0o644)
        return scratch.replace(path)
    except OSError as error:
        raise OSError(f"{path} cannot be written ({error}).") from error
    finally:
        scratch.unlink(missing_ok=True)
