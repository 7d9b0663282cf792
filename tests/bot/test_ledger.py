"""The figures, counted by the database itself."""

import sqlite3
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Select
from sqlalchemy.engine import make_url

from bot.chat_service import Conversation, Exchange, Line, Mode
from bot.storage.database import Database
from bot.storage.ledger import SqlLedger, opinions_query, traffic_query, waits_query
from bot.storage.repository import InboxRepository, SqlUnitOfWork
from bot.upkeep.figures import Figures, Opinions, Traffic, Waits

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 3)
SPAN = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 4, tzinfo=UTC)
CHAT = "INSERT INTO chats (id, chat_id, thread_id, reset_after, created_at) VALUES (?, ?, ?, 0, '2026-01-01')"
MESSAGE = (
    "INSERT INTO messages (id, chat, mode, is_character, speaker, text, version, is_shown, waited, created_at)"
    " VALUES (?, ?, 'dialogue', ?, 'Ned', 'walrus', '', 1, ?, ?)"
)
OPINION = (
    "INSERT INTO feedback (message, user_id, verdict, state, receipt, created_at, changed_at)"
    " VALUES (?, ?, ?, 'new', 1, ?, '2026-03-09')"
)


def fill(file: Path, statement: str, rows: list[tuple[Any, ...]]) -> None:
    with sqlite3.connect(file) as connection:
        connection.executemany(statement, rows)
    connection.close()


def conversation(file: Path) -> None:
    """A private chat and two topics of one group; one message before the days that are asked for, and one after."""
    fill(file, CHAT, [(1, 7, 0), (2, -5, 1), (3, -5, 2)])
    questions = [
        (1, 1, 0, None, "2026-02-28 23:59:59.999999"),
        (2, 1, 0, None, "2026-03-01 00:00:00.000000"),
        (3, 2, 0, None, "2026-03-01 12:00:00.000000"),
        (4, 3, 0, None, "2026-03-01 23:59:59.999999"),
        (5, 2, 0, None, "2026-03-03 08:00:00.000000"),
        (6, 2, 0, None, "2026-03-04 00:00:00.000000"),
    ]
    answers = [(number + 10, chat, 1, 1.0, moment) for number, chat, _, _, moment in questions]
    fill(file, MESSAGE, questions + answers)


async def figures(database: Database) -> Figures:
    return await SqlLedger(database.session).figures(FIRST, LAST)


async def test_an_empty_database_has_empty_figures(database: Database) -> None:
    found = await figures(database)
    assert found.is_empty
    assert (found.traffic, found.waits, found.opinions) == (Traffic(), None, Opinions())
    assert found.days == [FIRST, date(2026, 3, 2), LAST]


async def test_what_people_say_is_counted_by_day_and_a_group_with_topics_is_one_chat(
    database: Database, database_file: Path
) -> None:
    conversation(database_file)
    found = await figures(database)
    assert found.traffic_of == {FIRST: Traffic(3, 2), LAST: Traffic(1, 1)}
    assert found.traffic == Traffic(4, 2)
    assert not found.is_empty


async def test_waits_are_told_by_what_half_and_95_of_100_people_got(database: Database, database_file: Path) -> None:
    fill(database_file, CHAT, [(1, 7, 0)])
    hundred = [(number, 1, 1, float(number), "2026-03-01 12:00:00.000000") for number in range(1, 101)]
    few = [(200 + number, 1, 1, wait, "2026-03-03 12:00:00.000000") for number, wait in enumerate((3.0, 1.0, 2.0))]
    unknown = [(300, 1, 1, None, "2026-03-02 12:00:00.000000")]
    fill(database_file, MESSAGE, hundred[::-1] + few + unknown)
    found = await figures(database)
    assert found.waits_of == {FIRST: Waits(50.0, 95.0), LAST: Waits(2.0, 3.0)}
    assert found.waits == Waits(49.0, 95.0)


async def test_likes_and_dislikes_count_on_the_day_they_were_given(database: Database, database_file: Path) -> None:
    conversation(database_file)
    given = [(12, 1, "liked"), (12, 2, "disliked"), (13, 1, "liked"), (14, 1, "withdrawn")]
    fill(database_file, OPINION, [(*opinion, "2026-03-03 09:00:00.000000") for opinion in given])
    fill(database_file, OPINION, [(15, 1, "liked", "2026-03-04 00:00:00.000000")])
    found = await figures(database)
    assert found.opinions_of == {LAST: Opinions(2, 1)}
    assert found.opinions == Opinions(2, 1)


async def test_how_long_an_answer_took_is_stored_with_it_and_nothing_is_known_of_what_was_never_received(
    database: Database, database_file: Path
) -> None:
    inbox = InboxRepository(database.session)
    await inbox.add({5: "{}"})
    past = datetime.now(UTC) - timedelta(seconds=90)
    fill(database_file, "UPDATE inbox SET received_at = ?", [(past.strftime("%Y-%m-%d %H:%M:%S.%f"),)])
    for receipt in (5, None):
        async with SqlUnitOfWork(database.session) as work:
            lines = Line("Ned", "Hi"), Line("Lisa", "Hello", is_character=True)
            await work.remember(Conversation(1), Exchange(*lines, Mode.DIALOGUE, "v1"))
            if receipt:
                await work.answered(receipt, "Hello")
            await work.commit()
    with sqlite3.connect(database_file) as connection:
        rows = connection.execute("SELECT is_character, waited FROM messages ORDER BY id").fetchall()
    connection.close()
    assert [is_character for is_character, _ in rows] == [0, 1, 0, 1]
    assert rows[1][1] >= 90
    assert [waited for _, waited in rows][0::2] == [None, None]
    assert rows[3][1] is None


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (traffic_query(*SPAN), "ix_messages_created_at"),
        (traffic_query(*SPAN, by_day=False), "ix_messages_created_at"),
        (waits_query(*SPAN, by_day=True), "ix_messages_created_at"),
        (waits_query(*SPAN, by_day=False), "ix_messages_created_at"),
        (opinions_query(*SPAN), "ix_feedback_created_at"),
    ],
)
async def test_old_rows_are_not_looked_at(
    database: Database, database_file: Path, query: Select[*tuple[Any, ...]], index: str
) -> None:
    compiled = query.compile(database.session.kw["bind"].sync_engine, compile_kwargs={"literal_binds": True})
    with sqlite3.connect(database_file) as connection:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {compiled}")]
    connection.close()
    assert any(index in step and "created_at>? AND created_at<?" in step for step in plan), plan
    assert not any(step.startswith(("SCAN messages", "SCAN feedback")) for step in plan), plan


def test_on_postgresql_days_are_those_of_utc_too() -> None:
    dialect = make_url("postgresql+asyncpg://").get_dialect()()
    for query in (traffic_query(*SPAN), waits_query(*SPAN, by_day=True), opinions_query(*SPAN)):
        assert "created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')" in str(query.compile(dialect=dialect))
