"""The inbox: on disk before it is confirmed, back after a crash, closed when it is done."""

import asyncio
import json
import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from telegram import Bot, Update

from bot.chat_order import ChatOrder
from bot.chat_service import Conversation
from bot.errors import StorageError
from bot.inbox import Inbox
from bot.storage.database import Database
from bot.storage.repository import InboxRepository, SqlUnitOfWork

BOT = Bot("1:offline")


def update(number: int, text: str = "Hello", chat_id: int = 1) -> Update:
    chat = {"id": chat_id, "type": "private", "first_name": "Ned"}
    user = {"id": chat_id, "is_bot": False, "first_name": "Ned", "language_code": "ru"}
    message = {"message_id": number, "date": 1700000000, "chat": chat, "from": user, "text": text}
    return Update.de_json({"update_id": number, "message": message}, BOT)


def rows(file: Path, columns: str = "update_id, state") -> list[tuple[Any, ...]]:
    with sqlite3.connect(file) as connection:
        found = connection.execute(f"SELECT {columns} FROM inbox ORDER BY received_at").fetchall()  # noqa: S608
    connection.close()
    return found


@pytest.fixture
def inbox(database: Database) -> Inbox:
    return Inbox(InboxRepository(database.session))


def next_life(database: Database) -> Inbox:
    """The inbox of a process that was started after the last one was killed."""
    return Inbox(InboxRepository(database.session))


async def crash_while_handling(inbox: Inbox, number: int) -> None:
    """Begin to handle an update, and never come to an end."""

    async def handle() -> None:
        async with inbox.handling(update(number)):
            started.set()
            await asyncio.Event().wait()

    started = asyncio.Event()
    task = asyncio.create_task(handle())
    await started.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_when_put_returns_the_update_is_on_disk(inbox: Inbox, database_file: Path) -> None:
    await inbox.put(update(7, "Привет \N{SAXOPHONE}"))
    ((state, payload),) = rows(database_file, "state, payload")
    assert state == "received"
    assert json.loads(payload)["message"]["text"] == "Привет \N{SAXOPHONE}"
    assert inbox.qsize() == 1


async def test_an_update_that_telegram_sends_again_is_queued_once(inbox: Inbox, database_file: Path) -> None:
    await inbox.put(update(7))
    await inbox.put(update(7))
    assert inbox.qsize() == 1
    await inbox.close(7)
    await inbox.put(update(7))
    assert inbox.qsize() == 1
    assert rows(database_file) == [(7, "done")]


async def test_what_is_not_an_update_is_queued_and_not_stored(inbox: Inbox, database_file: Path) -> None:
    await inbox.put("the library's signal to stop")
    assert inbox.get_nowait() == "the library's signal to stop"
    assert rows(database_file) == []


async def test_after_a_crash_unfinished_updates_come_back_in_order_and_unchanged(
    inbox: Inbox, database: Database
) -> None:
    for number in (9, 3, 5):  # Telegram may start its numbers anew
        await inbox.put(update(number))
    await inbox.close(3)
    later = next_life(database)
    assert await later.restore(BOT) == 2
    assert [later.get_nowait(), later.get_nowait()] == [update(9), update(5)]


async def test_an_answer_that_was_made_comes_back_with_what_is_left_to_send(inbox: Inbox, database: Database) -> None:
    await inbox.put(update(7))
    async with SqlUnitOfWork(database.session) as work:
        await work.answered(7, "two parts")
        await work.commit()
    await inbox.part_sent(7, 1)
    later = next_life(database)
    await later.restore(BOT)
    row = later.left_over(7)
    assert row is not None
    assert (row.reply, row.parts_sent) == ("two parts", 1)


async def test_the_message_in_which_an_answer_is_written_is_known_after_a_crash_and_until_the_end(
    inbox: Inbox, database: Database, database_file: Path
) -> None:
    await inbox.put(update(7))
    await inbox.show_in(7, 99)
    later = next_life(database)
    await later.restore(BOT)
    assert (later.shown_in(7), later.shown_in(8)) == (99, None)
    await later.close(7)
    assert later.shown_in(7) is None
    assert rows(database_file, "state, shown_in") == [("done", None)]


async def test_a_message_that_cannot_be_put_on_record_is_still_known_in_this_life(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def locked(*_: object) -> None:
        raise StorageError("the database is not available: locked")

    monkeypatch.setattr(InboxRepository, "show_in", locked)
    await inbox.put(update(7))
    await inbox.show_in(7, 99)
    assert inbox.shown_in(7) == 99


async def test_an_update_that_was_handled_is_done(inbox: Inbox, database_file: Path) -> None:
    await inbox.put(update(7))
    async with inbox.handling(update(7)):
        pass
    assert rows(database_file) == [(7, "done")]


async def test_an_update_that_was_closed_as_failed_stays_so(inbox: Inbox, database_file: Path) -> None:
    await inbox.put(update(7))
    async with inbox.handling(update(7)):
        await inbox.close(7, failed=True)
    assert rows(database_file) == [(7, "failed")]


async def test_an_update_whose_handling_is_cancelled_stays_on_record(inbox: Inbox, database_file: Path) -> None:
    await inbox.put(update(7))
    await crash_while_handling(inbox, 7)
    assert rows(database_file, "state, attempts") == [("received", 0)]


async def test_each_crash_after_the_first_is_counted(inbox: Inbox, database: Database, database_file: Path) -> None:
    await inbox.put(update(7))
    await crash_while_handling(inbox, 7)
    for attempts in (1, 2):
        later = next_life(database)
        await later.restore(BOT)
        await crash_while_handling(later, 7)
        assert rows(database_file, "attempts") == [(attempts,)]


async def test_a_bystander_is_not_counted_for_the_crash_of_another(
    inbox: Inbox, database: Database, database_file: Path
) -> None:
    for number in (1, 2):
        await inbox.put(update(number, chat_id=number))
    second, third = next_life(database), next_life(database)
    await second.restore(BOT)
    await crash_while_handling(second, 1)
    await crash_while_handling(second, 2)
    await third.restore(BOT)
    culprit = asyncio.create_task(crash_while_handling(third, 1))
    bystander = asyncio.create_task(third.handling(update(2)).__aenter__())
    await asyncio.sleep(0.05)
    bystander.cancel()
    await culprit
    assert rows(database_file, "update_id, attempts")[0] == (1, 2)


async def test_a_stop_in_good_order_clears_the_count(inbox: Inbox, database: Database, database_file: Path) -> None:
    await inbox.put(update(7))
    later = next_life(database)
    await later.restore(BOT)
    await crash_while_handling(later, 7)
    await later.leave()
    assert rows(database_file, "state, attempts") == [("received", 0)]


async def test_a_postponed_update_is_handled_again_before_later_ones_of_its_chat(
    inbox: Inbox, database_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.inbox.POSTPONE_SECONDS", 0.2)
    order, handled, first_times = ChatOrder(inbox), list[str](), list[bool]()

    async def handle(text: str, failures: int = 0) -> None:
        handled.append(text)
        if failures:
            first_times.append(inbox.postpone(update(1), lambda: handle(text, failures - 1)))

    works = {1: handle("first", failures=2), 2: handle("second"), 3: handle("elsewhere")}
    for number in works:
        await inbox.put(update(number, chat_id=1 + number // 3))
    await asyncio.gather(
        *(order.process_update(update(number, chat_id=1 + number // 3), work) for number, work in works.items())
    )
    assert handled == ["first", "elsewhere", "first", "first", "second"]
    assert first_times == [True, False]
    assert rows(database_file) == [(1, "done"), (2, "done"), (3, "done")]


async def test_a_postponed_update_stays_in_the_inbox_when_the_bot_stops(inbox: Inbox, database_file: Path) -> None:
    async def postpone() -> None:
        inbox.postpone(update(1), postpone)

    order = ChatOrder(inbox)
    await inbox.put(update(1))
    task = asyncio.create_task(order.process_update(update(1), postpone()))
    await asyncio.sleep(0.05)
    assert await order.abandon() == 1
    assert task.cancelled()
    assert rows(database_file) == [(1, "received")]


async def test_a_record_that_cannot_be_read_is_closed_and_the_others_come_back(
    inbox: Inbox, database: Database, database_file: Path
) -> None:
    await InboxRepository(database.session).add({1: '{"message": '})
    await inbox.put(update(2))
    later = next_life(database)
    await later.restore(BOT)
    assert later.qsize() == 1
    assert rows(database_file) == [(1, "failed"), (2, "received")]


class FlakyRows(InboxRepository):
    """A database that is not available at first."""

    failures = 2

    async def add(self, payloads: Mapping[int, str]) -> set[int]:
        if self.failures:
            self.failures -= 1
            raise StorageError("the database is not available: locked")
        return await super().add(payloads)


async def test_put_waits_for_a_database_that_is_not_available(
    database: Database, database_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.inbox.STORE_RETRY_SECONDS", 0)
    inbox = Inbox(FlakyRows(database.session))
    await inbox.put(update(7))
    assert rows(database_file) == [(7, "received")]


async def test_old_rows_are_pruned_while_it_runs(
    inbox: Inbox, database_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.inbox.PRUNE_EVERY", 3)
    monkeypatch.setattr("bot.inbox.KEPT", timedelta(seconds=-1))
    for number in (1, 2):
        await inbox.put(update(number))
        await inbox.close(number)
    await inbox.put(update(3))
    assert rows(database_file) == [(3, "received")]


async def test_chats_run_in_parallel_and_each_in_its_order(inbox: Inbox) -> None:
    order, finished, gate = ChatOrder(inbox), list[int](), asyncio.Event()

    async def handle(number: int, wait: bool) -> None:
        if wait:
            await gate.wait()
        finished.append(number)

    tasks = []
    for number, chat_id, wait in ((1, 1, True), (2, 1, False), (3, 2, False), (4, 1, False)):
        incoming = update(number, chat_id=chat_id)
        tasks.append(asyncio.create_task(order.process_update(incoming, handle(number, wait))))
    await tasks[2]
    assert finished == [3]
    gate.set()
    await asyncio.gather(*tasks)
    assert finished == [3, 1, 2, 4]


async def test_abandoned_updates_stay_in_the_inbox(inbox: Inbox, database_file: Path) -> None:
    order = ChatOrder(inbox)
    await inbox.put(update(1))
    task = asyncio.create_task(order.process_update(update(1), asyncio.Event().wait()))
    await asyncio.sleep(0.05)
    assert await order.abandon() == 1
    assert task.cancelled()
    assert rows(database_file) == [(1, "received")]


def test_a_conversation_is_a_chat_or_a_topic() -> None:
    assert Conversation(5) == Conversation(5, 0) != Conversation(5, 6)
