import pytest


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    """Keep a proxy of the machine away from the loopback servers."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
