"""Broadcasts on record: who gets one, and what stays when it is over."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from bot.gate import Rules
from bot.personal_data import Claim
from bot.storage.broadcast_book import SqlBroadcastBook
from bot.storage.database import Database
from bot.storage.guest_book import SqlGuestBook
from bot.storage.personal_records import PersonalRecords
from bot.upkeep.broadcast import Broadcast, Outcome, Start, Tally

ADMIN, OTHER = 99, 98
CHATS = [(1, 0), (2, 0), (3, 0), (-5, 0), (-5, 7), (-6, 0)]


def sql(file: Path, query: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(file) as connection:
        rows = connection.execute(query).fetchall()
    connection.close()
    return rows


def words(file: Path) -> str:
    """Everything in the file that can be read."""
    return file.read_bytes().decode("ascii", "ignore")


@pytest.fixture
def book(database: Database, database_file: Path) -> SqlBroadcastBook:
    """Three people and two groups, one of them with topics."""
    statement = "INSERT INTO chats (chat_id, thread_id, reset_after, created_at) VALUES (?, ?, 0, '2026-01-01')"
    with sqlite3.connect(database_file) as connection:
        connection.executemany(statement, CHATS)
    connection.close()
    return SqlBroadcastBook(database.session)


async def begin(book: SqlBroadcastBook, admin: int = ADMIN) -> int:
    """Draft a broadcast and begin to send it."""
    draft = await book.draft(admin, "Hello all")
    assert await book.start(draft.id, admin, 44, "ru") is Start.BEGUN
    return draft.id


async def recipients(book: SqlBroadcastBook, number: int) -> list[int]:
    """Send to everybody who is left."""
    found = []
    while (chat := await book.next(number)) is not None:
        found.append(chat)
        await book.mark(number, chat, Outcome.REACHED)
    return found


async def test_every_chat_gets_it_once_however_many_topics_it_has(book: SqlBroadcastBook) -> None:
    draft = await book.draft(ADMIN, "Hello all")
    assert draft.chats == 5
    assert await book.current() is None
    assert await book.start(draft.id, ADMIN, 44, "ru") is Start.BEGUN
    assert await book.current() == Broadcast(draft.id, ADMIN, "Hello all", 44, "ru", is_stopped=False)
    assert await recipients(book, draft.id) == [-6, -5, 1, 2, 3]
    assert await book.tally(draft.id) == Tally(reached=5)


async def test_the_banned_and_those_who_do_not_let_the_bot_write_get_none_until_that_is_over(
    book: SqlBroadcastBook, database: Database
) -> None:
    guests = SqlGuestBook(database.session)
    await guests.ban(1, ADMIN)
    await guests.ban(-6, ADMIN)
    first = await begin(book)
    await book.mark(first, 2, Outcome.BLOCKED)
    assert await recipients(book, first) == [-5, 3]
    assert await book.tally(first) == Tally(reached=2, blocked=1)
    await book.end(first)
    assert (await book.draft(ADMIN, "Again")).chats == 2
    await book.heard_from(2)
    await book.heard_from(12345)
    await guests.unban(1)
    assert (await book.draft(ADMIN, "Again")).chats == 4


async def test_who_is_banned_while_it_is_on_its_way_is_left_out(book: SqlBroadcastBook, database: Database) -> None:
    number = await begin(book)
    await SqlGuestBook(database.session).ban(3, ADMIN)
    assert await recipients(book, number) == [-6, -5, 1, 2]
    assert await book.tally(number) == Tally(waiting=1, reached=4)


async def test_of_a_bot_with_a_guest_list_only_the_guests_get_it(database: Database, book: SqlBroadcastBook) -> None:
    rules = Rules(admins={ADMIN}, guests={1}, groups={-6})
    assert (await SqlBroadcastBook(database.session, rules.audience).draft(ADMIN, "Hello")).chats == 2
    assert Rules(admins={ADMIN}).audience is None


async def test_only_one_is_on_its_way_and_each_is_begun_once(book: SqlBroadcastBook) -> None:
    mine, theirs = await book.draft(ADMIN, "mine"), await book.draft(OTHER, "theirs")
    assert await book.start(mine.id, OTHER, 1, None) is Start.OVER
    begun = await asyncio.gather(book.start(mine.id, ADMIN, 1, None), book.start(theirs.id, OTHER, 2, None))
    assert sorted(outcome.value for outcome in begun) == ["begun", "busy"]
    live = await book.current()
    assert live is not None
    assert await book.start(live.id, live.admin, 1, None) is Start.OVER
    await book.end(live.id)
    left = theirs.id if live.id == mine.id else mine.id
    assert await book.start(left, OTHER if live.id == mine.id else ADMIN, 2, None) is Start.BEGUN


async def test_a_new_draft_takes_the_place_of_the_last_one_of_the_same_admin(book: SqlBroadcastBook) -> None:
    first, second = await book.draft(ADMIN, "one"), await book.draft(ADMIN, "two")
    other = await book.draft(OTHER, "three")
    assert await book.start(first.id, ADMIN, 1, None) is Start.OVER
    assert not await book.discard(second.id, OTHER)
    assert await book.discard(second.id, ADMIN)
    assert not await book.discard(second.id, ADMIN)
    assert await book.start(other.id, OTHER, 1, None) is Start.BEGUN


async def test_what_is_stopped_goes_to_nobody_more_and_only_its_admin_can_stop_it(book: SqlBroadcastBook) -> None:
    number = await begin(book)
    await book.mark(number, -6, Outcome.REACHED)
    assert not await book.stop(number, OTHER)
    assert await book.stop(number, ADMIN)
    assert not await book.stop(number, ADMIN)
    assert await book.next(number) is None
    stopped = await book.current()
    assert stopped is not None
    assert stopped.is_stopped
    assert await book.tally(number) == Tally(waiting=4, reached=1)


async def test_when_it_is_over_nothing_of_it_is_left_and_its_number_is_not_used_again(
    book: SqlBroadcastBook, database_file: Path
) -> None:
    number = await begin(book)
    await book.end(number)
    assert sql(database_file, "SELECT * FROM broadcasts") == sql(database_file, "SELECT * FROM recipients") == []
    assert (await book.draft(ADMIN, "Again")).id > number


async def test_who_is_forgotten_gets_none_and_is_not_on_the_list_any_more(
    book: SqlBroadcastBook, database: Database, database_file: Path
) -> None:
    number = await begin(book)
    records = PersonalRecords(database.session)
    (announced,) = await records.announced(Claim(2))
    assert (announced.text, announced.state) == (None, "waiting")
    await records.forget(Claim(2), request=0)
    assert await records.announced(Claim(2)) == []
    assert await recipients(book, number) == [-6, -5, 1, 3]
    await book.end(number)
    assert (await book.draft(ADMIN, "Again")).chats == 4


async def test_the_words_of_an_admin_are_exported_and_forgotten(
    book: SqlBroadcastBook, database: Database, database_file: Path
) -> None:
    number = await begin(book)
    await book.draft(ADMIN, "A walrus is coming")
    records = PersonalRecords(database.session)
    found = sorted((each.state, each.text) for each in await records.announced(Claim(ADMIN)))
    assert found == [("draft", "A walrus is coming"), ("live", "Hello all")]
    assert await records.announced(Claim(ADMIN, -5)) == []
    await records.forget(Claim(ADMIN), request=0)
    assert await book.current() is None
    assert await book.next(number) is None
    assert "walrus" not in words(database_file)
