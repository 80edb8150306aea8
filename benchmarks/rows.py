"""What was wanted of each kind of work, what was measured last, and why a row is missed.

python -m benchmarks.rows [--write]

It measures nothing: `make bench ARGS=--write` keeps the figures. What was wanted, and the reason
where it is missed, stands in `benchmarks/rows.toml`. A machine has a pace of its own, so what was
wanted is also a ratio: rates to those of raptorbt, whole runs to the code of before, each measured
in the same run. `--write` keeps the table for README (`python -m docs.readme` puts it there).
"""

import argparse
import math
import tomllib
from collections.abc import Mapping
from typing import Any

from benchmarks.kept import (
    ALL_PROCESSORS,
    BEFORE,
    PLAIN_BESIDE,
    RESULTS,
    ROOT,
    Kept,
    read_kept,
)

WANTED = ROOT / "benchmarks" / "rows.toml"
TABLE = RESULTS / "rows.md"
# the lowest of its runs per second (8,200 to 9,700 on two processors) on the quiet machine on which
# the rows were asked for
RAPTORBT_THEN = {"per second of a core": 4_100, "per second of two cores": 8_200}
PLAIN = "sweep, no stops, 11 figures"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"write {TABLE.relative_to(ROOT)}")
    options = parser.parse_args()
    text = rows_table(tomllib.loads(WANTED.read_text(encoding="utf-8"))["row"], read_kept())
    print(text, end="")
    if options.write:
        TABLE.write_text(text, encoding="utf-8")


def rows_table(wanted: list[dict[str, Any]], kept: Mapping[str, Kept]) -> str:
    """Return the rows as a table, and below it by which commands their figures were measured."""
    used = sorted({row["file"] for row in wanted if row["file"] in kept})
    measured = [f"`{kept[name].command}` (load {kept[name].load})" for name in used]
    return "\n".join(
        [
            "| work | wanted | before | now | wanted, as a ratio | now, as a ratio | |",
            "|---|---:|---:|---:|---:|---:|---|",
            *(rendered(row, kept) for row in wanted),
            "",
            f"Measured by {', '.join(measured)}.",
            "",
        ]
    )


def rendered(row: Mapping[str, Any], kept: Mapping[str, Kept]) -> str:
    """Return one row; of several figures the worst counts."""
    now, unit = reached(row, kept), row["unit"]
    ratios = [ratio_wanted(row), ratio_reached(row, kept)]
    if math.isnan(ratios[1]):
        ratios[0] = math.nan
    shown = "not measured" if math.isnan(now) else number(now)
    cells = [
        row["work"],
        f"{number(wanted_value(row))} {unit}",
        row["before"],
        shown,
        *("" if math.isnan(ratio) else ratio_text(ratio, unit) for ratio in ratios),
        said(row, now, ratios[1]),
    ]
    return f"| {' | '.join(cells)} |"


def said(row: Mapping[str, Any], now: float, ratio: float) -> str:
    """Return whether a row is reached, as it stands or as a ratio, or why it is missed."""
    if math.isnan(now):
        return ""
    if is_met(row, now, wanted_value(row)):
        return "reached"
    if is_met(row, ratio, ratio_wanted(row)):
        return f"reached as a ratio. {row['reason']}"
    return row["reason"]


def wanted_value(row: Mapping[str, Any]) -> float:
    """Return the bound of a row, below or above."""
    return float(row.get("at_least", row.get("at_most")))


def is_met(row: Mapping[str, Any], value: float, bound: float) -> bool:
    """Return whether a value is on the wanted side; NaN is not."""
    return value >= bound if "at_least" in row else value <= bound


def ratio_wanted(row: Mapping[str, Any]) -> float:
    """Return what was wanted by what its yardstick made then, NaN without one."""
    if row["unit"] in RAPTORBT_THEN:
        return float(row["at_least"] / RAPTORBT_THEN[row["unit"]])
    if row["unit"] == "s" and row["before"].replace(".", "").isdigit():
        return float(row["at_most"] / float(row["before"]))
    return math.nan


def ratio_reached(row: Mapping[str, Any], kept: Mapping[str, Kept]) -> float:
    """Return the worst of a row's figures by its yardstick, measured in the same run."""
    if row["unit"] == "s":
        return worst(row, [over_before(name, kept[row["file"]]) for name in row["figures"]])
    if row["unit"] not in RAPTORBT_THEN or "sweep" not in kept:
        return math.nan
    sweep = kept["sweep"].figures
    if row["file"] == "sweep":
        peer = peer_rate(sweep, is_clock=True)
        return worst(row, [sweep.get(name, math.nan) / peer for name in row["figures"]])
    # in two steps: beside the plain rule, which is measured beside the peer
    plain = sweep.get(PLAIN, math.nan) / peer_rate(sweep, is_clock=False)
    own = kept[row["file"]].figures
    return worst(
        row,
        [
            own.get(name, math.nan) / own.get(name + PLAIN_BESIDE, math.nan) * plain
            for name in row["figures"]
        ],
    )


def over_before(name: str, kept: Kept) -> float:
    """Return the seconds of a command by those of the code of before, run in turn."""
    return kept.figures.get(name, math.nan) / kept.figures.get(name + BEFORE, math.nan)


def peer_rate(sweep: Mapping[str, float], *, is_clock: bool) -> float:
    """Return raptorbt's runs per second, of the clock or of a core; NaN if not measured."""
    names = [name for name in sweep if name.startswith("raptorbt")]
    found = [name for name in names if name.endswith(ALL_PROCESSORS) == is_clock]
    return sweep[found[0]] if found else math.nan


def ratio_text(ratio: float, unit: str) -> str:
    """Return a ratio with its yardstick."""
    return f"{ratio:.2f} of before" if unit == "s" else f"{number(ratio)}x raptorbt"


def reached(row: Mapping[str, Any], kept: Mapping[str, Kept]) -> float:
    """Return the worst of a row's figures, NaN where one has not been measured."""
    found = kept[row["file"]].figures if row["file"] in kept else {}
    return worst(row, [found.get(name, math.nan) for name in row["figures"]])


def worst(row: Mapping[str, Any], values: list[float]) -> float:
    """Return the value farthest from what is wanted, NaN where one is unknown."""
    if any(math.isnan(value) for value in values):
        return math.nan
    return min(values) if "at_least" in row else max(values)


def number(value: float) -> str:
    """Return a figure as tables show it: rates to three digits, seconds to one."""
    if value < 100:
        return f"{value:.1f}".removesuffix(".0")
    return f"{round(value, 2 - math.floor(math.log10(value))):,.0f}"


if __name__ == "__main__":
    main()
