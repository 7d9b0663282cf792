"""Storage: what is written, looked at with plain SQL, and what is read back."""

import asyncio
import re
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.casting import SoleActor
from bot.chat_service import AlreadyAnsweredError, ChatService, Conversation, Exchange, Line, Mode, Request
from bot.errors import SettingsError, StorageError
from bot.reply_queue import ReplyQueue
from bot.storage import database as storage
from bot.storage.database import Database
from bot.storage.repository import InboxRepository, SqlUnitOfWork
from bot.storage.tables import State
from tests.bot.actors import ScriptedActor

HOME, TOPIC = Conversation(-100200300400, 0), Conversation(-100200300400, 5)


def sql(file: Path, query: str) -> list[tuple[Any, ...]]:
    """The rows that another program would see."""
    with sqlite3.connect(file) as connection:
        rows = connection.execute(query).fetchall()
    connection.close()
    return rows


def exchange(question: str, answer: str, mode: Mode = Mode.DIALOGUE) -> Exchange:
    return Exchange(Line("Ned", question), Line("Lisa", answer, is_character=True), mode, "v1")


async def store(database: Database, *exchanges: Exchange, where: Conversation = HOME) -> None:
    for each in exchanges:
        async with SqlUnitOfWork(database.session) as work:
            await work.remember(where, each)
            await work.commit()


async def context(database: Database, limit: int = 6, where: Conversation = HOME) -> list[str]:
    async with SqlUnitOfWork(database.session) as work:
        return [line.text for line in await work.context(where, limit)]


async def test_question_and_answer_are_stored_in_order_with_what_answered(
    database: Database, database_file: Path
) -> None:
    await store(database, exchange("Hello", "Hi."))
    assert sql(database_file, "SELECT mode, is_character, speaker, text, version FROM messages ORDER BY id") == [
        ("dialogue", 0, "Ned", "Hello", ""),
        ("dialogue", 1, "Lisa", "Hi.", "v1"),
    ]
    assert sql(database_file, "SELECT chat_id, thread_id FROM chats") == [(HOME.chat_id, 0)]


async def test_the_context_is_the_last_messages_oldest_first(database: Database) -> None:
    await store(database, exchange("1", "2"), exchange("3", "4"), exchange("5", "6"))
    assert await context(database, 3) == ["4", "5", "6"]
    assert await context(database, 0) == []


async def test_a_reset_hides_earlier_messages_from_the_context_and_keeps_them_on_record(
    database: Database, database_file: Path
) -> None:
    await store(database, exchange("1", "2"))
    async with SqlUnitOfWork(database.session) as work:
        await work.forget_context(HOME)
        await work.commit()
    await store(database, exchange("3", "4"))
    assert await context(database) == ["3", "4"]
    assert sql(database_file, "SELECT count(*) FROM messages") == [(4,)]


async def test_a_reset_before_anything_was_said_is_harmless(database: Database) -> None:
    async with SqlUnitOfWork(database.session) as work:
        await work.forget_context(HOME)
        await work.commit()
    await store(database, exchange("1", "2"))
    assert await context(database) == ["1", "2"]


async def test_single_questions_are_stored_outside_the_dialogue(database: Database, database_file: Path) -> None:
    await store(database, exchange("1", "2", Mode.ASK))
    assert await context(database) == []
    assert sql(database_file, "SELECT DISTINCT mode FROM messages") == [("ask",)]


async def test_topics_have_contexts_of_their_own(database: Database) -> None:
    await store(database, exchange("1", "2"))
    await store(database, exchange("3", "4"), where=TOPIC)
    assert await context(database) == ["1", "2"]
    assert await context(database, where=TOPIC) == ["3", "4"]


async def test_what_is_not_committed_is_undone(database: Database, database_file: Path) -> None:
    await InboxRepository(database.session).add({1: "{}"})
    async with SqlUnitOfWork(database.session) as work:
        await work.remember(HOME, exchange("1", "2"))
        await work.answered(1, "2")
    assert sql(database_file, "SELECT * FROM messages") == []
    assert sql(database_file, "SELECT state, reply FROM inbox") == [("received", None)]


async def test_an_answer_and_the_state_of_its_update_are_committed_together(
    database: Database, database_file: Path
) -> None:
    await InboxRepository(database.session).add({1: "{}"})
    async with SqlUnitOfWork(database.session) as work:
        await work.remember(HOME, exchange("1", "2"))
        await work.answered(1, "2")
        assert sql(database_file, "SELECT state FROM inbox") == [("received",)]
        await work.commit()
    assert sql(database_file, "SELECT state, reply FROM inbox") == [("answered", "2")]
    assert sql(database_file, "SELECT count(*) FROM messages") == [(2,)]


async def test_of_two_who_answer_the_same_update_the_second_is_told_and_leaves_no_trace(
    database: Database, database_file: Path
) -> None:
    await InboxRepository(database.session).add({1: "{}"})
    actors = ScriptedActor("first"), ScriptedActor("second")
    services = [
        ChatService(SoleActor(actor), lambda: SqlUnitOfWork(database.session), ReplyQueue(1), 6) for actor in actors
    ]
    request = Request(HOME, Line("Ned", "Hello"), receipt=1)
    assert await services[0].talk(request) == "first"
    with pytest.raises(AlreadyAnsweredError):
        await services[1].talk(request)
    assert sql(database_file, "SELECT state, reply FROM inbox") == [("answered", "first")]
    assert await context(database) == ["Hello", "first"]


async def test_the_context_query_uses_an_index(database: Database, database_file: Path) -> None:
    plan = sql(
        database_file,
        "EXPLAIN QUERY PLAN SELECT text FROM messages JOIN chats ON messages.chat = chats.id "
        "WHERE chats.chat_id = 1 AND chats.thread_id = 0 AND messages.mode = 'dialogue' "
        "AND messages.id > chats.reset_after ORDER BY messages.id DESC LIMIT 6",
    )
    steps = " ".join(str(row[-1]) for row in plan)
    assert "ix_messages_chat_mode_id" in steps
    assert "SCAN" not in steps
    assert "TEMP B-TREE" not in steps


async def test_a_closed_inbox_row_holds_no_text(database: Database, database_file: Path) -> None:
    rows = InboxRepository(database.session)
    assert await rows.add({7: '{"text": "a secret"}'})
    async with SqlUnitOfWork(database.session) as work:
        await work.answered(7, "another secret")
        await work.commit()
    await rows.finish(7, State.DONE)
    assert sql(database_file, "SELECT state, payload, reply FROM inbox") == [("done", None, None)]


async def test_an_update_is_put_on_record_once(database: Database, database_file: Path) -> None:
    rows = InboxRepository(database.session)
    assert await rows.add({7: "first"})
    assert not await rows.add({7: "second"})
    assert sql(database_file, "SELECT payload FROM inbox") == [("first",)]


async def test_only_closed_rows_that_are_old_are_pruned(database: Database, database_file: Path) -> None:
    rows = InboxRepository(database.session)
    for number in (1, 2, 3):
        await rows.add({number: "{}"})
    await rows.finish(1, State.DONE)
    await rows.finish(2, State.FAILED)
    await rows.prune(timedelta(hours=1))
    assert sql(database_file, "SELECT count(*) FROM inbox") == [(3,)]
    await rows.prune(timedelta(seconds=-1))
    assert sql(database_file, "SELECT update_id FROM inbox") == [(3,)]


async def test_many_chats_can_read_and_write_at_the_same_time(database: Database, database_file: Path) -> None:
    async def converse(chat_id: int) -> None:
        for number in range(5):
            await store(database, exchange(f"q{number}", f"a{number}"), where=Conversation(chat_id))
            await context(database, where=Conversation(chat_id))

    await asyncio.gather(*(converse(chat_id) for chat_id in range(1, 21)))
    assert sql(database_file, "SELECT count(*) FROM messages") == [(200,)]
    assert sql(database_file, "PRAGMA integrity_check") == [("ok",)]


async def test_the_file_is_in_wal_mode_and_connections_wait_for_each_other(
    database: Database, database_file: Path
) -> None:
    assert sql(database_file, "PRAGMA journal_mode") == [("wal",)]
    async with database.session() as session:
        connection = await session.connection()
        assert (await connection.exec_driver_sql("PRAGMA busy_timeout")).scalar() == 10_000
        assert (await connection.exec_driver_sql("PRAGMA foreign_keys")).scalar() == 1
        assert (await connection.exec_driver_sql("PRAGMA synchronous")).scalar() == 1


async def test_a_database_that_is_locked_for_long_is_reported_without_message_text(
    database: Database, database_file: Path
) -> None:
    other = sqlite3.connect(database_file, isolation_level=None)
    async with database.session() as session:  # The one connection of the pool now waits for nobody.
        await (await session.connection()).exec_driver_sql("PRAGMA busy_timeout=0")
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="locked") as caught:
        await store(database, exchange("a secret", "another secret"))
    other.close()
    error: BaseException | None = caught.value
    while error:
        assert "secret" not in str(error)
        error = error.__cause__


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense", "not a database URL"),
        ("sqlite:///var/x.db", r"sqlite\+aiosqlite"),
        ("oracle+nothing://x", r"sqlite\+aiosqlite"),
        ("postgresql+asyncpg://user:hidden@127.0.0.1/x", "pip install asyncpg"),
    ],
)
def test_a_url_that_cannot_be_used_gets_one_line_that_names_the_key(url: str, words: str) -> None:
    with pytest.raises(SettingsError, match=f"^DATABASE_URL: .*{words}") as caught:
        Database(url)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+asyncpg://u:hid@den:word@host/db",
        "postgresql+asyncpg://u:hid@den/word@host/db",
        "postgresql+asyncpg://u:hid@den@host/db",
        "postgresql+asyncpg://u:hidden@host:port/db",
        "sqlite+aiosqlite:///x?timeout=hidden",
    ],
)
def test_of_a_malformed_url_nothing_is_repeated(url: str) -> None:
    with pytest.raises(SettingsError, match=r"^DATABASE_URL: ") as caught:
        Database(url)
    assert not re.search("hid|den|word|host", str(caught.value).replace("password", ""))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("module", "base"), [("asyncpg.exceptions", Exception), ("builtins", OSError)])
async def test_a_server_that_refuses_the_connection_gets_one_line(
    module: str, base: type[Exception], database_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = type("RefusalError", (base,), {"__module__": module})

    def refuse(*_: object) -> None:
        raise refusal("nobody is\nat home")

    monkeypatch.setattr("alembic.command.upgrade", refuse)
    with pytest.raises(SettingsError, match=r"^DATABASE_URL: cannot use .*: nobody is at home$"):
        await Database(f"sqlite+aiosqlite:///{database_file}").open()


async def test_a_journal_mode_that_another_start_is_setting_too_is_set_a_moment_later(
    database_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals = [sqlite3.OperationalError("database is locked")] * 2
    set_pragmas = storage._set_pragmas

    def set_in_the_end(*connection: Any) -> None:
        if refusals:
            raise refusals.pop()
        set_pragmas(*connection)

    monkeypatch.setattr(storage, "_set_pragmas", set_in_the_end)
    database = Database(f"sqlite+aiosqlite:///{database_file}")
    await database.open()
    await database.close()
    assert sql(database_file, "PRAGMA journal_mode") == [("wal",)]


async def test_a_mistake_of_the_program_is_not_blamed_on_the_url(
    database_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise KeyError("bug")

    monkeypatch.setattr("alembic.command.upgrade", fail)
    with pytest.raises(KeyError, match="bug"):
        await Database(f"sqlite+aiosqlite:///{database_file}").open()


async def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    file = tmp_path / "letter.db"
    file.write_text("Dear Lisa, this is not a database at all. " * 50)
    with pytest.raises(SettingsError, match=r"^DATABASE_URL: cannot use .*letter\.db: .*not a database"):
        await Database(f"sqlite+aiosqlite:///{file}").open()


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match=r"^DATABASE_URL: cannot use .*file/sub"):
        await Database(f"sqlite+aiosqlite:///{tmp_path}/file/sub/bot.db").open()
