"""What every test shares: no connection but to loopback, and nothing written outside temporary folders."""

from pathlib import Path

import pytest
from pytest_socket import socket_allow_hosts


@pytest.fixture(autouse=True)
def only_loopback() -> None:
    """A connection to anywhere else fails the test that makes it."""
    socket_allow_hosts(["127.0.0.1", "localhost", "::1"], allow_unix_socket=True)


@pytest.fixture(autouse=True)
def private_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Caches of ours and of the libraries we use go to the test's own folder."""
    monkeypatch.setenv("UNDERSTUDY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path / "matplotlib"))
    for key in ("TELEGRAM_BOT_TOKEN", "PERSONA", "DATABASE_URL", "MODEL_STORE"):
        monkeypatch.delenv(key, raising=False)
