"""The short hash of every trial's config, without building every config.

The text that is hashed differs between trials only where a swept setting stands, so it is
cut there once and put together again around each value. Trials that differ only in the last
of these settings share all text before it, which is hashed once for them all.
"""

import hashlib
import re
from typing import Any

import numpy as np
import tomli_w

from backtests.config import Config, put
from backtests.sweep.space import Columns, Integers, combinations


def short_hashes(base: Config, columns: Columns) -> list[str]:
    """Return `Config.short_hash` of each trial; `base` has every setting that varies."""
    pieces, keys = _cut(base, tuple(columns))
    ordered = [columns[key] for key in keys]
    texts = [
        [_value_text(value) + after for value in column.values]
        for column, after in zip(ordered, pieces[1:], strict=True)
    ]
    group = combinations(ordered[:-1], count=ordered[-1].codes.size)
    rows = np.unique(group, return_index=True)[1]
    begun = _begun(pieces[0], texts[:-1], [column.codes[rows] for column in ordered[:-1]])
    found = []
    for place, last in zip(group.tolist(), ordered[-1].codes.tolist(), strict=True):
        digest = begun[place].copy()
        digest.update(texts[-1][last])
        found.append(digest.hexdigest()[:8])
    return found


def _begun(first: bytes, texts: list[list[bytes]], codes: list[Integers]) -> list[Any]:
    """Return a digest of each combination, shape (combinations,) each of `codes`."""
    if not codes:
        return [hashlib.sha256(first)]
    taken = [[own[code] for code in each.tolist()] for own, each in zip(texts, codes, strict=True)]
    return [hashlib.sha256(b"".join([first, *row])) for row in zip(*taken, strict=True)]


def _value_text(value: object) -> bytes:
    return tomli_w.dumps({"k": value}).removeprefix("k = ").removesuffix("\n").encode()


def _cut(base: Config, keys: tuple[str, ...]) -> tuple[list[bytes], list[str]]:
    """Return the text between the values of `keys`, and the keys in the order of the text."""
    tree = base.model_dump(exclude_none=True)
    for key in keys:
        put(tree, key, f"<{key}>")
    pieces = re.split(f'"<({"|".join(map(re.escape, keys))})>"', tomli_w.dumps(tree))
    return [piece.encode() for piece in pieces[::2]], pieces[1::2]
