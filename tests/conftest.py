import gc
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from strategies import registry
from tests.blank_sheets import BlankSheets, sheets_drawn_by

# How long an example takes says more about the machine than about the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# Workers take the files in this order. The first compiles the kernels, once for all: on a new
# machine the others have long been busy with what needs none. Long files come before short
# ones, so that no worker is left alone at the end.
ORDER = (
    "tests/backtests/api/test_sweep.py",
    "tests/backtests/test_study.py",
    "tests/browser/test_tearsheet_page.py",
    "tests/browser/test_study_pages.py",
    "tests/browser/test_runs_pages.py",
    "tests/feeds",
    "tests/strategies",
    "tests/test_",
    "tests/browser",
    "tests/backtests/test_lookahead_audit.py",
    "tests/backtests/search/test_network.py",
    "tests/backtests/search/test_keep.py",
    "tests/backtests/search/test_cluster.py",
    "tests/backtests/engines/test_compiled_engine.py",
    "tests/backtests/test_",
    "tests/backtests/engines",
    "tests/backtests/report",
    "tests/backtests",
)

# What is imported stays: no collection while modules and tests are gathered, and few later.
gc.disable()

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


def place_in_order(name: str) -> int:
    """Return when a test is due, by the first of ORDER that its name begins with."""
    return next(place for place, start in enumerate((*ORDER, "")) if name.startswith(start))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: place_in_order(item.nodeid))


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.set_threshold(100_000, 10, 10)
    gc.enable()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real bars; without it a test skips, except under CI, where it fails."""
    if SHARED_DATA.is_dir():
        return SHARED_DATA
    if os.environ.get("CI") == "true":
        pytest.fail(f"the real bars are missing: {SHARED_DATA}")
    pytest.skip(f"the real bars are not here: {SHARED_DATA}")


@pytest.fixture(scope="session", autouse=True)
def _blank_sheets() -> Iterator[None]:
    """Start no process that draws pyfolio's sheets, but where a test asks for them."""
    with sheets_drawn_by(BlankSheets):
        yield


@pytest.fixture(scope="module", autouse=True)
def _few_objects() -> None:
    """Let later collections look at this file's objects alone: some tests ask for whole ones."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _log_level() -> Iterator[None]:
    """Undo what a command under --quiet does to the root logger of this process."""
    root = logging.getLogger()
    level = root.level
    yield
    root.setLevel(level)


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep every test away from the user's cache of live bars."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RUSSELL_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    """Take out again what a test, or an example, registers."""
    before = {kind: dict(entries) for kind, entries in registry._entries.items()}
    yield
    for kind, entries in registry._entries.items():
        # those of a module that was first imported meanwhile stay
        for name in [name for name, one in entries.items() if one.is_own]:
            del entries[name]
        entries.update({n: one for n, one in before[kind].items() if one.is_own})


@pytest.fixture
def quick_audits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut the data at few places: what an audit finds is tested elsewhere."""
    monkeypatch.setattr("backtests.lookahead_audit.THOROUGH", 24)
    monkeypatch.setattr("backtests.lookahead_audit.HOUSE", 6)
