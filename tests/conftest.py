import os
from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real bars; without it a test skips, except under CI, where it fails."""
    if SHARED_DATA.is_dir():
        return SHARED_DATA
    if os.environ.get("CI") == "true":
        pytest.fail(f"the real bars are missing: {SHARED_DATA}")
    pytest.skip(f"the real bars are not here: {SHARED_DATA}")
