"""Fill the generated parts of README.md from real runs: python -m docs.readme."""

import contextlib
import io
import re
import tempfile
from pathlib import Path

from backtests.run import main as run

README = Path(__file__).parents[1] / "README.md"
COMMAND = ("--asset", "ETH", "--source", "sample")


def filled(text: str) -> str:
    """Return the README with its generated part made anew."""
    head, start, rest = text.partition("<!-- generated: run -->\n")
    _, end, tail = rest.partition("<!-- end -->")
    return head + start + _run() + end + tail


def _run() -> str:
    out = io.StringIO()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(out):
        run([*COMMAND, "--quiet", "--out", folder])
    shown = re.sub(r"Tearsheet: .*", "Tearsheet: results/<run id>/tearsheet.html", out.getvalue())
    lines = [f"$ python -m backtests.run {' '.join(COMMAND)}", *shown.splitlines()]
    return "\n" + "".join(f"    {line}".rstrip() + "\n" for line in lines) + "\n"


if __name__ == "__main__":
    README.write_text(filled(README.read_text(encoding="utf-8")), encoding="utf-8")
