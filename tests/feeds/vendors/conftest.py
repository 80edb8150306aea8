import os
from pathlib import Path

import pytest

RECORDED = Path(__file__).parents[4] / "shared" / "recorded"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    """Keep a proxy of the machine away from the loopback servers."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(scope="session")
def recorded() -> Path:
    """The folder of answers vendors really gave; without it a test skips, under CI it fails."""
    if RECORDED.is_dir():
        return RECORDED
    if os.environ.get("CI") == "true":
        pytest.fail(f"the recorded answers are missing: {RECORDED}")
    pytest.skip(f"the recorded answers are not here: {RECORDED}")
