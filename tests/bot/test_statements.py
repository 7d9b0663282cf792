"""The statements that a message costs: each finds its rows by an index, however many there are."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from bot.arrivals import Arrival
from bot.casting import SoleActor
from bot.chat_service import ChatService, Conversation, Line, Request
from bot.chat_settings import Attention, ChatSettings
from bot.gate import Visitor
from bot.reply_queue import ReplyQueue
from bot.second_thoughts import SecondThoughts
from bot.storage.broadcast_book import SqlBroadcastBook
from bot.storage.database import Database
from bot.storage.guest_book import SqlGuestBook
from bot.storage.register import SqlRegister
from bot.storage.repository import InboxRepository, SqlUnitOfWork, Standing
from bot.storage.revision import SqlRevision
from bot.storage.settings_book import SqlSettingsBook
from bot.storage.tables import State
from bot.upkeep.broadcast import Outcome
from tests.bot.actors import ScriptedActor

NED, HOME, TOPIC = 7, Conversation(7), Conversation(-5, 3)


@contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    """Everything that is executed meanwhile, with its parameters."""
    found: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        found.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    yield found
    event.remove(Engine, "before_cursor_execute", note)


async def handle(database: Database, receipt: int) -> None:
    """All that a message costs on its way, from its receipt to its end."""
    rows, sessions = InboxRepository(database.session), database.session
    service = ChatService(SoleActor(ScriptedActor("Hi.")), lambda: SqlUnitOfWork(sessions), ReplyQueue(1), 6)
    await rows.add({receipt: "{}"})
    await SqlRegister(sessions).look_up(HOME, Visitor(NED, NED))
    await service.talk(Request(HOME, Line("Ned", "Hello"), receipt, NED, 1))
    piece = await SecondThoughts(service, lambda: SqlRevision(sessions)).answered_by(receipt)
    assert piece is not None
    await rows.finish(receipt, State.DONE, standing=Standing(piece.id, [2]))


async def test_no_statement_that_a_message_costs_reads_a_whole_table(database: Database, database_file: Path) -> None:
    await handle(database, 1)
    with statements() as found:
        await handle(database, 2)
    assert len(found) == 11  # One of them reads what the bot has at hand.
    with closing(sqlite3.connect(database_file)) as connection:
        for statement, parameters in found:
            plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
            steps = [step for *_, step in plan if not step.startswith("SCAN CONSTANT ROW")]
            assert not [step for step in steps if step.startswith("SCAN") and "anon_" not in step], (statement, steps)


async def test_one_look_tells_all_that_is_on_record_of_an_arrival(database: Database) -> None:
    register, book = SqlRegister(database.session), SqlSettingsBook(database.session)
    assert await register.look_up(HOME, Visitor(NED, NED)) == Arrival()
    await book.write(TOPIC, ChatSettings(attention=Attention.ALL, language="ru"))
    await SqlGuestBook(database.session).ban(-5, admin=1)
    found = await register.look_up(TOPIC, Visitor(NED, -5))
    assert found == Arrival(ChatSettings(attention=Attention.ALL, language="ru"), is_banned=True)
    assert await register.look_up(HOME, Visitor(NED, NED)) == Arrival()


async def test_a_chat_that_was_lost_is_seen_as_such_until_something_comes_from_it(database: Database) -> None:
    await handle(database, 1)
    register, book = SqlRegister(database.session), SqlBroadcastBook(database.session)
    await book.mark(1, NED, Outcome.BLOCKED)
    assert (await register.look_up(HOME, Visitor(NED, NED))).was_lost
    await book.heard_from(NED)
    assert not (await register.look_up(HOME, Visitor(NED, NED))).was_lost


@pytest.mark.parametrize("batch", [1, 100])
async def test_updates_that_come_together_are_put_on_record_by_one_statement(database: Database, batch: int) -> None:
    rows = InboxRepository(database.session)
    await rows.add({1: "known before"})
    with statements() as found:
        assert await rows.add(dict.fromkeys(range(1, batch + 1), "{}")) == set(range(2, batch + 1))
    assert len(found) == 1
