"""What was wanted of each kind of work, what was measured last, and why a row is missed.

python -m benchmarks.rows [--write]

It measures nothing: `make bench ARGS=--write` keeps the figures. What was wanted, and the reason
where it is missed, stands in `benchmarks/rows.toml`. `--write` keeps the table for README
(`python -m docs.readme` puts it there).
"""

import argparse
import math
import tomllib
from collections.abc import Mapping
from typing import Any

from benchmarks.kept import RESULTS, ROOT, Kept, read_kept

WANTED = ROOT / "benchmarks" / "rows.toml"
TABLE = RESULTS / "rows.md"


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
            "| work | wanted | before | now | |",
            "|---|---:|---:|---:|---|",
            *(rendered(row, kept) for row in wanted),
            "",
            f"Measured by {', '.join(measured)}.",
            "",
        ]
    )


def rendered(row: Mapping[str, Any], kept: Mapping[str, Kept]) -> str:
    """Return one row; of several figures the worst counts."""
    now, unit = reached(row, kept), row["unit"]
    bound = row.get("at_least", row.get("at_most"))
    is_met = now >= bound if "at_least" in row else now <= bound
    shown = "not measured" if math.isnan(now) else number(now)
    said = "reached" if is_met else "" if math.isnan(now) else row["reason"]
    return f"| {row['work']} | {number(bound)} {unit} | {row['before']} | {shown} | {said} |"


def reached(row: Mapping[str, Any], kept: Mapping[str, Kept]) -> float:
    """Return the worst of a row's figures, NaN where one has not been measured."""
    found = kept[row["file"]].figures if row["file"] in kept else {}
    values = [found.get(name, math.nan) for name in row["figures"]]
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
