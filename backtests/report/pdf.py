"""Print a tearsheet to PDF with the browser that is there; none is installed for it."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from feeds.errors import ConfigError

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
TIME_LIMIT_SECONDS: Final = 60
# enough of the page's own time for all charts, passed as fast as the machine can
PAGE_MILLISECONDS: Final = 20_000


def find_browser() -> str | None:
    """Return the path of a Chromium or Chrome, or None."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def require_browser() -> str:
    """Return the browser that prints.

    Raises
    ------
    ConfigError
        If there is none.
    """
    browser = find_browser()
    if browser is None:
        raise ConfigError(
            "`--pdf` needs Chromium or Chrome, and none is on the PATH. Install one (Debian: "
            "apt-get install chromium), or print tearsheet.html from any browser."
        )
    return browser


def print_pdf(page: Path) -> Path:
    """Print a page next to itself as PDF and return that file.

    Raises
    ------
    OSError
        If the browser fails or takes too long; the page itself still stands.
    """
    target = page.with_suffix(".pdf").resolve()
    with tempfile.TemporaryDirectory() as profile:
        command = [
            require_browser(), "--headless=new", "--disable-gpu", "--no-pdf-header-footer",
            "--generate-pdf-document-outline",
            f"--user-data-dir={profile}", f"--virtual-time-budget={PAGE_MILLISECONDS}",
            f"--print-to-pdf={target}", f"{page.resolve().as_uri()}#print",
        ]  # fmt: skip
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.insert(1, "--no-sandbox")  # Chromium's sandbox refuses to run as root
        try:
            done = subprocess.run(  # noqa: S603 - a browser and our own page
                command, capture_output=True, timeout=TIME_LIMIT_SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise OSError(
                f"the PDF was not printed within {TIME_LIMIT_SECONDS} s; {page} stands"
            ) from error
    if not target.exists():
        raise OSError(f"the PDF was not printed (browser's exit code {done.returncode})")
    return target
