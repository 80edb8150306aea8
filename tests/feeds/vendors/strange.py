"""Answers no vendor should give: each changes one thing in a body of JSON."""

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

from tests.feeds.vendors.loopback import Answer

VALUES = (
    None, True, "", "abc", "1e5", -1, 0, 1e300, float("nan"), float("inf"), [], {}, [[]],
    [None], {"a": 1}, 10**30, -(10**30), "2024-13-45", "\x1b[31m\nred", 253402300800,
)  # fmt: skip


def strange_answers(answer: Answer, *, count: int, seed: int) -> Iterator[Answer]:
    """Yield `count` copies of a JSON answer, each with one part of it replaced or taken out."""
    body, draw = json.loads(answer.body), random.Random(seed)  # noqa: S311
    for _ in range(count):
        yield Answer(json.dumps(_changed(copy.deepcopy(body), draw)).encode())


def _changed(body: Any, draw: random.Random) -> Any:
    paths = _by_depth(body)
    path = draw.choice(paths[draw.choice(sorted(paths))])
    if not path:
        return draw.choice(VALUES)
    *above, last = path
    holder = body
    for part in above:
        holder = holder[part]
    if draw.random() < 0.25:
        del holder[last]
    else:
        holder[last] = draw.choice(VALUES)
    return body


def _by_depth(body: Any) -> dict[int, list[tuple[Any, ...]]]:
    """Return the paths to all parts by depth, so that the few at the top are drawn as often."""
    paths: dict[int, list[tuple[Any, ...]]] = {}

    def walk(part: Any, path: tuple[Any, ...]) -> None:
        paths.setdefault(len(path), []).append(path)
        inside = part.items() if isinstance(part, dict) else ()
        inside = enumerate(part) if isinstance(part, list) else inside
        for key, value in inside:
            walk(value, (*path, key))

    walk(body, ())
    return paths
