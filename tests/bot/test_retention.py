"""Retention: what is older than the operator wants to keep goes, in small steps."""

import logging
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from bot.chat_service import Conversation, Exchange, Line, Mode
from bot.storage.database import Database
from bot.storage.repository import SqlUnitOfWork
from bot.storage.retention import Retention
from bot.storage.tables import now
from tests.bot.waiting import until


async def say(database: Database, text: str, days_ago: int = 0) -> None:
    """A question with its answer, as if said some days ago."""
    exchange = Exchange(Line("Ned", text), Line("Lisa", "Hm.", is_character=True), Mode.DIALOGUE, "v1")
    async with SqlUnitOfWork(database.session) as work:
        await work.remember(Conversation(1), exchange)
        await work.commit()
    async with database.session() as session, session.begin():
        connection = await session.connection()
        moment = (now() - timedelta(days=days_ago)).replace(tzinfo=None)
        await connection.exec_driver_sql(
            "UPDATE messages SET created_at = ? WHERE id > (SELECT max(id) - 2 FROM messages)", (str(moment),)
        )


def texts(file: Path) -> list[str]:
    with sqlite3.connect(file) as connection:
        rows = connection.execute("SELECT text FROM messages WHERE NOT is_character ORDER BY id").fetchall()
    connection.close()
    return [text for (text,) in rows]


async def test_at_the_start_old_messages_are_deleted_and_young_ones_stay(
    database: Database, database_file: Path
) -> None:
    await say(database, "old walrus", days_ago=8)
    await say(database, "young", days_ago=6)
    async with Retention(database.session, 7).watched():
        await until(lambda: texts(database_file) == ["young"])
        log = database_file.with_name(database_file.name + "-wal")
        await until(lambda: b"walrus" not in database_file.read_bytes() + log.read_bytes())


async def test_what_grows_old_while_the_bot_runs_is_deleted_a_day_later(
    database: Database, database_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.storage.retention.DAY_SECONDS", 0.05)
    async with Retention(database.session, 7).watched():
        await say(database, "old", days_ago=8)
        await until(lambda: texts(database_file) == [])


async def test_zero_days_keep_everything(database: Database, database_file: Path) -> None:
    await say(database, "very old", days_ago=3000)
    async with Retention(database.session, 0).watched():
        pass
    assert texts(database_file) == ["very old"]


async def test_it_deletes_in_small_transactions_between_which_others_write(
    database: Database, database_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.storage.retention.BATCH", 3)
    monkeypatch.setattr("bot.storage.retention.PAUSE_SECONDS", 0.0)
    for number in range(6):
        await say(database, f"old {number}", days_ago=8)
    commits: list[object] = []
    event.listen(database.session.kw["bind"].sync_engine, "commit", commits.append)
    async with Retention(database.session, 7).watched():
        await until(lambda: texts(database_file) == [])
    assert len(commits) >= 4


async def test_told_to_stop_it_ends_between_two_batches(
    database: Database, database_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.storage.retention.BATCH", 2)
    monkeypatch.setattr("bot.storage.retention.PAUSE_SECONDS", 600.0)
    await say(database, "one", days_ago=9)
    await say(database, "two", days_ago=8)
    async with Retention(database.session, 7).watched():
        await until(lambda: texts(database_file) == ["two"])
    assert texts(database_file) == ["two"]


async def test_a_database_that_is_locked_is_tried_again_later(
    database: Database, database_file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("bot.storage.retention.RETRY_SECONDS", 0.05)
    await say(database, "old", days_ago=8)
    async with database.session() as session:  # The one connection of the pool now waits for nobody.
        await (await session.connection()).exec_driver_sql("PRAGMA busy_timeout=0")
    other = sqlite3.connect(database_file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with caplog.at_level(logging.WARNING):
        async with Retention(database.session, 7).watched():
            await until(lambda: "could not be deleted yet" in caplog.text)
            other.execute("ROLLBACK")
            other.close()
            await until(lambda: texts(database_file) == [])
