"""Relocation: everything on record of a group goes along when it becomes a supergroup."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from bot.chat_service import Conversation, Exchange, Line, Mode
from bot.chat_settings import Attention, ChatSettings
from bot.gate import Gate, Limits, Rules, Visitor
from bot.storage.database import Database
from bot.storage.guest_book import SqlGuestBook
from bot.storage.relocation import Relocation
from bot.storage.repository import SqlUnitOfWork
from bot.storage.settings_book import SqlSettingsBook
from bot.storage.tables import Table, now

OLD, NEW, OTHER = -5, -1_000_000_000_005, -6
NED, ADMIN = 1, 100
COVERED = {("chats", "chat_id"), ("chat_settings", "chat_id"), ("admissions", "chat_id"), ("recipients", "chat_id")}


def sql(file: Path, query: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(file) as connection:
        found = connection.execute(query).fetchall()
    connection.close()
    return found


async def say(database: Database, chat: int, text: str, topic: int = 0) -> None:
    """An exchange of Ned's: `text` and an echo."""
    lines = Line("Ned", text), Line("Lisa", f"{text}!", is_character=True)
    async with SqlUnitOfWork(database.session) as work:
        await work.remember(Conversation(chat, topic), Exchange(*lines, Mode.DIALOGUE, "v1", NED, 7))
        await work.commit()


async def context(database: Database, chat: int, topic: int = 0) -> list[str]:
    async with SqlUnitOfWork(database.session) as work:
        return [line.text for line in await work.context(Conversation(chat, topic), 9)]


async def reset(database: Database, chat: int) -> None:
    async with SqlUnitOfWork(database.session) as work:
        await work.forget_context(Conversation(chat))
        await work.commit()


async def test_the_dialogues_and_choices_go_along_and_those_of_others_stay(
    database: Database, database_file: Path
) -> None:
    book = SqlSettingsBook(database.session)
    for chat in (OLD, OTHER):
        await say(database, chat, "Hi")
        await book.write(Conversation(chat), ChatSettings(persona="bart", attention=Attention.ALL))
    await Relocation(database.session).move(OLD, NEW)
    assert await context(database, OLD) == []
    assert await context(database, OTHER) == ["Hi", "Hi!"]
    assert await context(database, NEW) == ["Hi", "Hi!"]
    assert await book.read(Conversation(NEW)) == ChatSettings(persona="bart", attention=Attention.ALL)
    assert sql(database_file, "SELECT chat_id FROM chat_settings ORDER BY 1") == [(NEW,), (OTHER,)]


async def test_what_was_said_in_the_supergroup_meanwhile_is_joined_and_its_choices_win(
    database: Database, database_file: Path
) -> None:
    book = SqlSettingsBook(database.session)
    await say(database, OLD, "one")
    await say(database, NEW, "two")
    await say(database, OLD, "three", topic=3)
    await book.write(Conversation(OLD), ChatSettings(persona="bart"))
    await book.write(Conversation(NEW), ChatSettings(persona="maggie"))
    await asyncio.gather(*(Relocation(database.session).move(OLD, NEW) for _ in range(3)))
    assert await context(database, NEW, topic=3) == ["three", "three!"]
    assert (await book.read(Conversation(NEW))).persona == "maggie"
    await book.write(Conversation(NEW), ChatSettings())
    assert await context(database, NEW) == ["one", "one!", "two", "two!"]
    assert sql(database_file, "SELECT chat_id, thread_id FROM chats ORDER BY 2") == [(NEW, 0), (NEW, 3)]


async def test_what_was_reset_stays_forgotten(database: Database) -> None:
    await say(database, OLD, "one")
    await reset(database, OLD)
    await say(database, NEW, "two")
    await Relocation(database.session).move(OLD, NEW)
    assert await context(database, NEW) == ["two", "two!"]


async def test_numbers_of_messages_which_mean_others_now_are_forgotten(database: Database, database_file: Path) -> None:
    await say(database, OLD, "Hi")
    with sqlite3.connect(database_file) as connection:
        connection.execute("UPDATE messages SET answered_in = '[7]' WHERE NOT is_character")
        connection.execute(
            "INSERT INTO feedback"
            " (message, user_id, verdict, state, receipt, asked_in, asked_at, created_at, changed_at)"
            " VALUES (2, 1, 'disliked', 'new', 1, 9, '2026-01-01', '2026-01-01', '2026-01-01')"
        )
    connection.close()
    await Relocation(database.session).move(OLD, NEW)
    assert sql(database_file, "SELECT message, answered_in FROM messages") == [(None, None)] * 2
    assert sql(database_file, "SELECT message, verdict, asked_in, asked_at FROM feedback") == [
        (2, "disliked", None, None)
    ]


async def test_bans_quotas_and_the_list_of_guests_follow_the_group(database: Database) -> None:
    rules = Rules(admins={ADMIN}, groups={OLD}, group=Limits(day=1))
    gate = Gate(rules, SqlGuestBook(database.session), now)
    assert await gate.count(Visitor(NED, OLD), 1) is None
    await gate.ban(OLD, ADMIN)
    assert not await gate.welcomes(Visitor(NED, NEW))
    await Relocation(database.session).move(OLD, NEW)
    assert await gate.welcomes(Visitor(NED, NEW))
    assert await gate.is_banned(Visitor(NED, NEW))
    assert not await gate.is_banned(Visitor(NED, OLD))
    refusal = await gate.count(Visitor(NED, NEW), 2)
    assert refusal is not None
    assert refusal.of_group
    assert not await gate.welcomes(Visitor(NED, OTHER))


async def test_a_ban_that_both_have_is_one(database: Database, database_file: Path) -> None:
    book = SqlGuestBook(database.session)
    await book.ban(OLD, ADMIN)
    await book.ban(NEW, ADMIN)
    await Relocation(database.session).move(OLD, NEW)
    assert sql(database_file, "SELECT id FROM bans") == [(NEW,)]


async def test_a_broadcast_reaches_the_supergroup_and_it_once(database: Database, database_file: Path) -> None:
    with sqlite3.connect(database_file) as connection:
        broadcasts = [(number, 100, "Hi", stage, 0, "2026-01-01") for number, stage in ((1, "live"), (2, "draft"))]
        insert = "INSERT INTO broadcasts (id, admin, text, stage, is_stopped, created_at) VALUES (?, ?, ?, ?, ?, ?)"
        connection.executemany(insert, broadcasts)
        recipients = [(1, OLD, "waiting"), (2, OLD, "waiting"), (2, NEW, "reached")]
        connection.executemany("INSERT INTO recipients (broadcast, chat_id, state) VALUES (?, ?, ?)", recipients)
    connection.close()
    await Relocation(database.session).move(OLD, NEW)
    rows = sql(database_file, "SELECT broadcast, chat_id, state FROM recipients ORDER BY broadcast")
    assert rows == [(1, NEW, "waiting"), (2, NEW, "reached")]


async def test_it_is_all_or_nothing(database: Database, database_file: Path) -> None:
    await say(database, OLD, "Hi")
    await SqlSettingsBook(database.session).write(Conversation(OLD), ChatSettings())
    with sqlite3.connect(database_file) as connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE UPDATE ON chat_settings BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
        )
    connection.close()
    with pytest.raises(Exception, match="disk is full"):
        await Relocation(database.session).move(OLD, NEW)
    assert await context(database, OLD) == ["Hi", "Hi!"]
    assert sql(database_file, "SELECT * FROM moved_groups") == []


def test_every_column_with_the_number_of_a_chat_is_moved() -> None:
    columns = [column for table in Table.metadata.tables.values() for column in table.columns]
    assert {(column.table.name, column.name) for column in columns if column.name == "chat_id"} == COVERED
