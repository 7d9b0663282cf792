"""The health check: it knows a bot that answers from one that is stuck."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.storage.database import Database
from deploy.healthcheck import complaint, main

LONG_AGO = timedelta(hours=2)


@pytest.fixture
async def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty database of the bot, which the settings name."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "bot.db"
    url = f"sqlite+aiosqlite:///{file}"
    monkeypatch.setenv("DATABASE_URL", url)
    opened = Database(url)
    await opened.open()
    await opened.close()
    return file


def receive(file: Path, number: int, state: str, age: timedelta) -> None:
    """Put an update on record."""
    moment = (datetime.now(UTC) - age).strftime("%Y-%m-%d %H:%M:%S.%f")
    with sqlite3.connect(file) as connection:
        connection.execute(
            "INSERT INTO inbox (update_id, state, parts_sent, attempts, received_at) VALUES (?, ?, 0, 0, ?)",
            (number, state, moment),
        )
    connection.close()


def test_a_bot_that_has_answered_everything_is_well(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    receive(database, 1, "done", LONG_AGO)
    receive(database, 2, "failed", LONG_AGO)
    receive(database, 3, "received", timedelta())
    assert main() == 0
    assert capsys.readouterr().out == "no message waits for long\n"


@pytest.mark.parametrize("state", ["received", "answered"])
def test_a_message_that_waits_for_long_is_a_complaint(
    state: str, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    receive(database, 1, state, LONG_AGO)
    assert main() == 1
    assert capsys.readouterr().out.startswith("a message has been waiting since 20")


def test_what_has_waited_for_quarter_of_an_hour_is_too_old(database: Path) -> None:
    receive(database, 1, "received", timedelta())
    moment = datetime.now(UTC)
    assert complaint(database, moment + timedelta(minutes=14)) == ""
    assert complaint(database, moment + timedelta(minutes=16)) != ""


def test_a_bot_that_has_not_made_its_database_is_not_well_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main() == 1
    assert capsys.readouterr().out.startswith("the database cannot be read:")
    assert list(tmp_path.iterdir()) == []


def test_of_another_kind_of_database_nothing_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", "postgresql+asyncpg://bot:word@127.0.0.1/bot")
    assert main() == 0
    assert "word" not in capsys.readouterr().out
