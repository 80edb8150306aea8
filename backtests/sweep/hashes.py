"""The short hash of every trial's config, without building every config.

The text that is hashed differs between trials only where a swept setting stands, so it is
cut there once and put together again around each value.
"""

import hashlib
import re

import tomli_w

from backtests.config import Config
from backtests.sweep.space import Columns


def short_hashes(base: Config, columns: Columns) -> list[str]:
    """Return `Config.short_hash` of each trial."""
    count = next(iter(columns.values())).codes.size
    pieces, keys = _cut(base.to_toml(), tuple(columns))
    start = hashlib.sha256(pieces[0])
    written = [
        [_value_text(value) + after for value in columns[key].values]
        for key, after in zip(keys, pieces[1:], strict=True)
    ]
    codes = [columns[key].codes.tolist() for key in keys]
    taken = [[texts[code] for code in places] for texts, places in zip(written, codes, strict=True)]
    found = []
    for row in range(count):
        digest = start.copy()
        digest.update(b"".join([texts[row] for texts in taken]))
        found.append(digest.hexdigest()[:8])
    return found


def _value_text(value: object) -> bytes:
    return tomli_w.dumps({"k": value}).removeprefix("k = ").removesuffix("\n").encode()


def _cut(text: str, keys: tuple[str, ...]) -> tuple[list[bytes], list[str]]:
    """Return the text between the values of `keys`, and the keys in the order of the text."""
    pieces, order, section, start, place = [], [], "", 0, 0
    for line in text.splitlines(keepends=True):
        heading = re.fullmatch(r"\[(.+)\]\n", line)
        section = f"{heading[1]}." if heading else section
        name = section + line.partition(" = ")[0]
        if not heading and name in keys:
            pieces.append(text[start : place + line.index(" = ") + 3].encode())
            order.append(name)
            start = place + len(line) - 1
        place += len(line)
    return [*pieces, text[start:].encode()], order
