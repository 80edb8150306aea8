"""Fill the generated parts of README.md and speed.md: python -m docs.readme [DATA_DIR].

The runs and the table of claims are made only where a folder of real bars, with the longest
histories, is given. Tables of speed are copied from what `make bench ARGS=--write` measured last.
"""

import contextlib
import io
import re
import sys
import tempfile
from pathlib import Path

from backtests.run import main as run
from backtests.study import main as study

README = Path(__file__).parents[1] / "README.md"
SPEED = Path(__file__).with_name("speed.md")
MEASURED = Path(__file__).parents[1] / "benchmarks" / "results"
RUNS = {"run": "ETH", "run-btc": "BTC"}


def filled(text: str, *, data_dir: Path | None = None) -> str:
    """Return the README with its generated parts made anew."""
    text = _replaced(text, "speed", measured("sweep"))
    text = _replaced(text, "twin", measured("twin"))
    text = _replaced(text, "rows", measured("rows"))
    if data_dir is None:
        return text
    for name, asset in RUNS.items():
        text = _replaced(text, name, printed_run(asset, data_dir))
    return _replaced(text, "claims", claims(data_dir))


def claims(data_dir: Path) -> str:
    """Return the table of claims, judged on the bars in `data_dir`."""
    with tempfile.TemporaryDirectory() as folder:
        left = judged_claims(data_dir, out=Path(folder))
        return f"\n{fairest_readings((left / 'claims.md').read_text(encoding='utf-8'))}\n"


def fairest_readings(table: str) -> str:
    """Return the rows of each claim's first reading, which is the fairest, without its name."""
    head, rule, *rows = [line.strip("|").split("|") for line in table.splitlines()]
    at = head.index(" reading ")
    first: dict[str, str] = {}
    kept = [row for row in rows if first.setdefault(row[0], row[at]) == row[at]]
    shown = [[*row[:at], *row[at + 1 :]] for row in (head, rule, *kept)]
    return "".join(f"|{'|'.join(row)}|\n" for row in shown)


def measured(name: str) -> str:
    """Return the table a benchmark kept.

    "sweep" is against its peers, "twin" against backtrader, "rows" against what was wanted; "work"
    is what bounds each kind of sweep.
    """
    return f"\n{(MEASURED / f'{name}.md').read_text(encoding='utf-8')}\n"


def judged_claims(data_dir: Path, *, out: Path) -> Path:
    """Judge all claims on the bars in `data_dir` and return the folder left in `out`."""
    with contextlib.redirect_stdout(io.StringIO()):
        arguments = ("--all-claims", "--source", "files", "--data-dir", str(data_dir))
        study([*arguments, "--horizons", "90", "--quiet", "--out", str(out)])
    (left,) = out.iterdir()
    return left


def part(text: str, name: str) -> str:
    """Return one generated part as it stands."""
    return text.partition(f"<!-- generated: {name} -->\n")[2].partition("<!-- end -->")[0]


def _replaced(text: str, name: str, made: str) -> str:
    head, start, rest = text.partition(f"<!-- generated: {name} -->\n")
    _, end, tail = rest.partition("<!-- end -->")
    return head + start + made + end + tail


def printed_run(asset: str, data_dir: Path) -> str:
    """Return what a run of `asset` on the bars in `data_dir` prints, as a block of code."""
    out = io.StringIO()
    command = ("--asset", asset, "--data-dir")
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(out):
        run([*command, str(data_dir), "--quiet", "--out", folder])
    shown = re.sub(r"Tearsheet: .*", "Tearsheet: results/<run id>/tearsheet.html", out.getvalue())
    lines = [f"$ python -m backtests.run {' '.join(command)} DIR", *shown.splitlines()]
    return "\n" + "".join(f"    {line}".rstrip() + "\n" for line in lines) + "\n"


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    README.write_text(filled(README.read_text(encoding="utf-8"), data_dir=folder), encoding="utf-8")
    told = _replaced(SPEED.read_text(encoding="utf-8"), "work", measured("work"))
    SPEED.write_text(told, encoding="utf-8")
