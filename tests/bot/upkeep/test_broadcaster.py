"""The broadcaster on a real database, with a bot whose connection does what a test says."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from telegram import Bot, Message
from telegram.error import ChatMigrated, NetworkError

from bot.errors import StorageError
from bot.locales import Locales
from bot.storage.broadcast_book import SqlBroadcastBook
from bot.storage.database import Database
from bot.upkeep.broadcast import Start
from bot.upkeep.broadcaster import Broadcaster
from tests.bot.waiting import until

ADMIN = 99


class ScriptedBot(Bot):
    """Raises the queued errors, one a call, before it sends anything; remembers what it was to send, and to show."""

    def __init__(self) -> None:
        super().__init__("1:test")
        self._errors: list[Exception] = []
        self._sent: list[int] = []
        self._shown: list[str] = []

    async def send_message(self, chat_id: Any, *_args: Any, **_more: Any) -> Message:
        """Send to a chat, or fail."""
        if self._errors:
            raise self._errors.pop(0)
        self._sent.append(chat_id)
        return None  # type: ignore[return-value]  # Nobody looks at it.

    async def edit_message_text(self, text: Any, *_args: Any, **_more: Any) -> bool:
        """Show a text."""
        self._shown.append(text)
        return True


@pytest.fixture
def line() -> ScriptedBot:
    return ScriptedBot()


@pytest.fixture
async def book(database: Database, database_file: Path) -> SqlBroadcastBook:
    """Two people, and a broadcast that has begun."""
    statement = "INSERT INTO chats (chat_id, thread_id, reset_after, created_at) VALUES (?, 0, 0, '2026-01-01')"
    with sqlite3.connect(database_file) as connection:
        connection.executemany(statement, [(1,), (2,)])
    connection.close()
    book = SqlBroadcastBook(database.session)
    draft = await book.draft(ADMIN, "Hello all")
    assert await book.start(draft.id, ADMIN, 44, "en") is Start.BEGUN
    return book


@pytest.fixture
async def broadcaster(
    line: ScriptedBot, book: SqlBroadcastBook, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Broadcaster]:
    monkeypatch.setattr("bot.upkeep.broadcaster.SECONDS_APART", 0.0)
    monkeypatch.setattr("bot.upkeep.broadcaster.RETRY_SECONDS", 0.0)
    monkeypatch.setattr("bot.upkeep.broadcaster.PAUSES", (0.0,))
    broadcaster = Broadcaster(line, book, Locales())
    yield broadcaster
    await broadcaster.stop(asyncio.get_running_loop().time() + 10)


async def reported(line: ScriptedBot) -> str:
    """The report, when it is there."""
    await until(lambda: bool(line._shown) and "Reached" in line._shown[-1])
    return line._shown[-1]


async def test_while_there_is_no_network_everybody_waits_and_nobody_counts_as_failed(
    line: ScriptedBot, broadcaster: Broadcaster
) -> None:
    for _ in range(20):
        error = NetworkError("httpx.ConnectError")
        error.__cause__ = httpx.ConnectError("")
        line._errors.append(error)
    broadcaster.start()
    assert "Reached: 2\nDo not let me write: 0\nFailed: 0" in await reported(line)
    assert line._sent == [1, 2]


async def test_a_group_that_has_moved_gets_it_where_it_is_now(line: ScriptedBot, broadcaster: Broadcaster) -> None:
    line._errors.append(ChatMigrated(-100123))
    broadcaster.start()
    assert "Reached: 2" in await reported(line)
    assert line._sent == [-100123, 2]


async def test_a_database_that_is_away_for_a_while_lets_nobody_get_it_twice(
    line: ScriptedBot, book: SqlBroadcastBook, broadcaster: Broadcaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = [StorageError("the database is not available")] * 3
    mark = book.mark

    async def away(*arguments: Any) -> None:
        if failures:
            raise failures.pop()
        await mark(*arguments)

    monkeypatch.setattr(book, "mark", away)
    broadcaster.start()
    assert "Reached: 2" in await reported(line)
    assert line._sent == [1, 2]


async def test_a_mistake_of_ours_does_not_end_all_broadcasts_to_come(
    line: ScriptedBot, broadcaster: Broadcaster, caplog: pytest.LogCaptureFixture
) -> None:
    line._errors.append(ZeroDivisionError())
    broadcaster.start()
    assert "Reached: 2" in await reported(line)
    assert "The broadcast waits" in caplog.text


async def test_a_broadcaster_that_was_never_started_can_be_stopped(broadcaster: Broadcaster) -> None:
    await broadcaster.stop(asyncio.get_running_loop().time())
