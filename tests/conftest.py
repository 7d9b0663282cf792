"""What every test shares: no connection but to loopback, and nothing written outside temporary folders."""

import asyncio
from pathlib import Path

import pytest
from pytest_socket import socket_allow_hosts


@pytest.fixture(autouse=True)
def only_loopback() -> None:
    """A connection to anywhere else fails the test that makes it."""
    socket_allow_hosts(["127.0.0.1", "localhost", "::1"], allow_unix_socket=True)


@pytest.fixture(autouse=True)
def private_folders(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Caches of ours and of the libraries we use go to the test's own folder; matplotlib's list of the machine's fonts
    to one that all tests of a process share.
    """
    monkeypatch.setenv("UNDERSTUDY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path_factory.getbasetemp() / "matplotlib"))
    for key in ("TELEGRAM_BOT_TOKEN", "PERSONA", "DATABASE_URL", "MODEL_STORE"):
        monkeypatch.delenv(key, raising=False)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite database with every table, to be copied: ten migrations take longer than most tests."""
    from bot.storage.database import Database

    async def make(file: Path) -> None:
        database = Database(f"sqlite+aiosqlite:///{file}")
        await database.open()
        await database.close()

    folder = tmp_path_factory.mktemp("migrated")
    asyncio.run(make(folder / "bot.db"))
    assert [path.name for path in folder.iterdir()] == ["bot.db"]
    return folder / "bot.db"
