"""What benchmarks measured last, kept in `benchmarks/results/`: a table, and its figures.

The table NAME.md is read by people; NAME.json has the figures by name, with the load of the machine
and the command, and is what `benchmarks.rows` compares with what was wanted.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
# what the name of a figure ends with: the plain rule measured beside a kind of sweep, a rate by the
# clock instead of per core, a command as the code of before does it
PLAIN_BESIDE = ", plain rule beside"
ALL_PROCESSORS = ", all processors"
BEFORE = ", before"


class Kept(NamedTuple):
    """The figures of one benchmark, by name, and what they were measured by."""

    command: str
    load: float
    figures: dict[str, float]


def keep(name: str, text: str, figures: Mapping[str, float]) -> None:
    """Write a table and its figures down."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text(text, encoding="utf-8")
    # a path of this machine says nothing to another
    given = [argument for argument in sys.argv[1:] if argument != "--write"]
    more = ["PATH" if Path(each).is_absolute() else each for each in given]
    told = " ".join(("python -m", f"benchmarks.{name}", *more))
    kept = {"command": told, "load": round(os.getloadavg()[0], 1), "figures": dict(figures)}
    (RESULTS / f"{name}.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def read_kept() -> dict[str, Kept]:
    """Return what each benchmark kept, by its name."""
    return {
        path.stem: Kept(**json.loads(path.read_text(encoding="utf-8")))
        for path in sorted(RESULTS.glob("*.json"))
    }
