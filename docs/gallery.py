"""Take the pictures of the gallery: python -m docs.gallery DATA_DIR.

All are of the bundled sample but three: the basket of the largest coins of 2014 to 2020, living and
dead, is drawn from the real bars in DATA_DIR/cmc_2013_2020 and the index beside them, the claims
from DATA_DIR/deep.
"""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image

from backtests.compare import main as compare
from backtests.report.pdf import TIME_LIMIT_SECONDS, require_browser
from backtests.run import main as run
from backtests.sweep import main as sweep
from backtests.walkforward import main as walk
from docs.readme import judged_claims

GALLERY: Final = Path(__file__).parent / "gallery"
SWEEP: Final = Path(__file__).parents[1] / "configs" / "sweeps" / "eth.toml"
COLOURS: Final = 128
SHRUNK: Final = 0.62
RUNS: Final = (
    ("--asset", "ETH"),
    ("--asset", "ETH", "--set", "idle.asset=BTC", "--set", "filters.index_trend.window=200"),
    ("--asset", "BTC", "--set", "rules.hold_days=90"),
    ("--asset", "ALTS", "--set", 'basket.members=["ADA", "BNB", "DOGE", "SOL"]'),
)


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: which page, which part of it, how wide, and light or dark."""

    name: str
    page: str
    part: str = ""
    width: int = 1280
    height: int = 900
    is_dark: bool = False


PICTURES: Final = (
    Picture("verdict", "ETH/tearsheet.html", height=1000),
    Picture("charts", "ETH/tearsheet.html", part="coin", height=1000),
    Picture("dark", "ETH/tearsheet.html", part="equity", height=1000, is_dark=True),
    Picture("luck", "ETH/tearsheet.html", part="significance", height=560),
    Picture("phone", "ETH/tearsheet.html", width=500, height=1000),
    Picture("contribution", "ALTS/tearsheet.html", part="contribution", height=1000),
    Picture("dead", "dead/tearsheet.html", part="contribution", height=1000),
    Picture("filters", "switch/tearsheet.html", part="filters", height=800),
    Picture("runs", "index.html", width=1500, height=520),
    Picture("comparison", "compare.html", height=1100),
    Picture("sweep", "sweep", height=1000),
    Picture("surface", "sweep", part="heat", height=740),
    Picture("walkforward", "walk", height=1000),
    Picture("claims", "claims", height=1180),
    Picture("curve", "curve", part="readings", height=920),
)


def main(data: Path) -> None:
    """Make the runs, open each page in a headless browser, keep small pictures."""
    GALLERY.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        pages = _pages(Path(scratch) / "results")
        pages["dead/tearsheet.html"] = _dead(data, Path(scratch))
        claims = judged_claims(data / "deep", out=Path(scratch) / "claims")
        pages |= {"claims": claims / "index.html", "curve": claims / "new-high-btc.html"}
        for picture in PICTURES:
            source = pages[picture.page]
            shot = Path(scratch) / f"{picture.name}.png"
            _take(picture, source, shot)
            _shrink(shot, GALLERY / f"{picture.name}.png")


def _pages(results: Path) -> dict[str, Path]:
    for extra in RUNS:
        run([*extra, "--source", "sample", "--out", str(results), "--quiet"])
    folders = sorted(path for path in results.iterdir() if path.is_dir())
    compare(["--out", str(results), "--quiet"])
    compare(["--out", str(results), *(folder.name for folder in folders)])
    (comparison,) = results.glob("compare-*.html")
    names = ("ETH", "switch", "BTC", "ALTS")
    sheets = {
        f"{name}/tearsheet.html": folder / "tearsheet.html"
        for name, folder in zip(names, folders, strict=True)
    }
    shown = {**sheets, "index.html": results / "index.html", "compare.html": comparison}
    given = ("--config", str(SWEEP), "--source", "sample", "--out", str(results), "--quiet")
    sweep(given)
    walk(given)
    (shown["sweep"],) = results.glob("*/sheet.html")
    (shown["walk"],) = results.glob("*/walkforward.html")
    return shown


def _dead(data: Path, scratch: Path) -> Path:
    """Return the tearsheet of the eight largest coins of each month, several since dead."""
    bars = scratch / "bars"
    bars.mkdir()
    for path in (*(data / "cmc_2013_2020").iterdir(), data / "RUT_1d.csv"):
        (bars / path.name).symlink_to(path.resolve())
    chosen = ("--set", "basket.select=market_cap", "--set", "basket.top=8")
    out = ("--out", str(scratch / "dead"), "--quiet")
    run(["--asset", "ALTS", "--data-dir", str(bars), *chosen, *out])
    (sheet,) = (scratch / "dead").glob("*/tearsheet.html")
    return sheet


def _take(picture: Picture, page: Path, target: Path) -> None:
    """Take the part of a page that starts at `part`, by leaving out what comes before it."""
    text = page.read_text(encoding="utf-8")
    hide = f"main > :not(#{picture.part}):not(#{picture.part} ~ *) {{ display: none }}"
    style = f"<style>{hide if picture.part else ''} .bar {{ position: static }}</style>"
    theme = ' data-theme="dark"' if picture.is_dark else ' data-theme="light"'
    staged = page.with_name(f"staged-{picture.name}.html")
    staged.write_text(
        text.replace("</head>", f"{style}</head>", 1).replace("<html", f"<html{theme}", 1),
        encoding="utf-8",
    )
    command = [
        require_browser(), "--headless=new", "--disable-gpu", "--hide-scrollbars",
        f"--window-size={picture.width},{picture.height}", "--virtual-time-budget=15000",
        f"--screenshot={target}", staged.as_uri(),
    ]  # fmt: skip
    if os.geteuid() == 0:
        command.insert(1, "--no-sandbox")
    # a headless browser sometimes waits for ever: the run ends, and is started again by hand
    subprocess.run(  # noqa: S603 - our own pages
        command, check=True, capture_output=True, timeout=TIME_LIMIT_SECONDS
    )
    staged.unlink()


def _shrink(shot: Path, target: Path) -> None:
    with Image.open(shot) as picture:
        size = (round(picture.width * SHRUNK), round(picture.height * SHRUNK))
        small = picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)
        small.quantize(COLOURS, dither=Image.Dither.NONE).save(target, optimize=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m docs.gallery DATA_DIR")
    main(Path(sys.argv[1]))
