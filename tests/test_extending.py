"""The guide is followed from top to bottom, as a reader would: files, commands and Python."""

import re
import shlex
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from backtests.__main__ import main
from strategies import registry

DOCS = Path(__file__).parents[1] / "docs"
GUIDE = DOCS / "extending.md"
BLOCKS = re.findall(
    r"^```(python|toml|sh)\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
)
COINS = ("BTC", "ETH", "LTC", "XRP", "DOGE", "BNB")


@pytest.fixture(scope="module")
def bars(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of few bars: commands are many."""
    folder = tmp_path_factory.mktemp("bars")
    spans = {"RUT_1d": "2014-01-01", "VIX_1d": "2014-01-01"}
    for name in (*spans, *(f"{coin}-USD_1d" for coin in COINS)):
        frame = pd.read_csv(shared_data / f"{name}.csv")
        inside = frame["date"].between(spans.get(name, "2017-06-01"), "2021-12-31")
        frame[inside].to_csv(folder / f"{name}.csv", index=False)
    return folder


def written_file(text: str) -> str:
    """Return the file that a block is, by its first line; "" where it is none."""
    found = re.match(r"# ([\w-]+\.(?:py|toml))\n", text)
    return found[1] if found else ""


def run_line(line: str, bars: Path) -> int:
    """Run a command of the guide in this process and return its exit code."""
    words = shlex.split(line.replace("DIR", str(bars)))
    assert words[:2] == ["python", "-m"]
    command = words[2].removeprefix("backtests.")
    quick = {"study": ["--draws", "200", "--workers", "1"], "run": ["--quiet"]}
    return main([command, *words[3:], *quick.get(command, [])])


def test_extending_guide_runs_as_it_stands(
    bars: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(DOCS / "my_strategy.py", tmp_path)
    names: dict[str, Any] = {"__name__": "__main__"}
    printed = {}
    for language, text in BLOCKS:
        if name := written_file(text):
            Path(name).write_text(text, encoding="utf-8")
        elif language == "python":
            for kind in registry.HOMES:  # a notebook is another process
                registry.forget(kind, str(Path("my_rules.py").absolute()))
            exec(compile(text.replace("DIR", str(bars)), str(GUIDE), "exec"), names)  # noqa: S102
        elif language == "toml":
            tomllib.loads(text)
        else:
            for line in text.splitlines():
                assert run_line(line, bars) == 0, (line, capsys.readouterr())
                printed[line] = capsys.readouterr().out
    said = "".join(printed.values())
    assert "signal.reclaim.window: a whole number, default 200" in said
    assert "LOOK-AHEAD" not in said
    assert "LEAK" not in said
    assert set(names["result"].trades["entry_reason"]) == {"reclaim"}
    assert len(names["swept"].trials) == 2
    assert names["audited"].ok
    pages = [page.parent for page in Path("results").glob("*/tearsheet.html")]
    reasons = {
        reason
        for folder in pages
        for reason in pd.read_csv(folder / "trades.csv")[["entry_reason", "exit_reason"]].stack()
    }
    assert {"reclaim", "below_average", "trigger", "index_fell"} <= reasons
    marked = [page for page in pages if "Signal reclaim" in (page / "tearsheet.html").read_text()]
    assert len(marked) == 3


def test_extending_guide_names_every_line_of_the_feed() -> None:
    from feeds.combined import COIN_LINES, INDEX_LINES, SIGNAL_LINES

    text = GUIDE.read_text(encoding="utf-8")
    assert [
        name for name in (*COIN_LINES, *INDEX_LINES, *SIGNAL_LINES) if f"`{name}`" not in text
    ] == []
