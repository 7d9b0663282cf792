"""What is held about a person, straight on a database file."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Text

from bot.chat_service import Conversation, Exchange, Line, Mode
from bot.chat_settings import ChatSettings
from bot.errors import StorageError
from bot.feedback import Feedback, Gesture, Judgement
from bot.personal_data import Claim
from bot.storage.database import Database
from bot.storage.opinions import SqlOpinions
from bot.storage.personal_records import PersonalRecords
from bot.storage.repository import InboxRepository, SqlUnitOfWork
from bot.storage.settings_book import SqlSettingsBook
from bot.storage.tables import Table, now

NED, MOE = 1, 2
GROUP, OTHER_GROUP = -5, -6
# What /export gives and /forget deletes. A name in this list is a promise that both are true.
COVERED = {("messages", "speaker"), ("messages", "text"), ("inbox", "payload"), ("inbox", "reply")}
COVERED |= {("feedback", "correction"), ("broadcasts", "text")}


def sql(file: Path, query: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(file) as connection:
        rows = connection.execute(query).fetchall()
    connection.close()
    return rows


def files(database_file: Path) -> dict[str, bytes]:
    """The bytes of the database, its log and its index, by the ends of their names."""
    named = {end: database_file.with_name(database_file.name + end) for end in ("", "-wal", "-shm")}
    return {end: file.read_bytes() for end, file in named.items() if file.exists()}


async def store(database: Database, question: str, person: int | None, chat_id: int, thread_id: int = 0) -> None:
    lines = Line("Ned", question), Line("Lisa", f"{question}?", is_character=True)
    async with SqlUnitOfWork(database.session) as work:
        await work.remember(Conversation(chat_id, thread_id), Exchange(*lines, Mode.DIALOGUE, "v1", person))
        await work.commit()


@pytest.fixture
async def records(database: Database) -> PersonalRecords:
    """Ned in private, before and after people were written down, and in two groups; Moe beside him."""
    await store(database, "old private", None, NED)
    await store(database, "private", NED, NED)
    await store(database, "topic", NED, GROUP, thread_id=7)
    await store(database, "elsewhere", NED, OTHER_GROUP)
    await store(database, "old in a group", None, GROUP)
    await store(database, "moe", MOE, GROUP)
    await store(database, "moe in private", MOE, MOE)
    return PersonalRecords(database.session)


async def questions(records: PersonalRecords, claim: Claim) -> list[str]:
    return [line.text for line in await records.said(claim) if not line.is_character]


async def test_everywhere_is_the_private_chat_and_ones_own_lines_in_groups(records: PersonalRecords) -> None:
    assert await questions(records, Claim(NED)) == ["old private", "private", "topic", "elsewhere"]


async def test_in_a_chat_it_is_ones_own_lines_there_in_all_topics(records: PersonalRecords) -> None:
    assert await questions(records, Claim(NED, GROUP)) == ["topic"]
    assert [line.topic for line in await records.said(Claim(NED, GROUP))] == [7, 7]


async def test_forgetting_deletes_what_would_be_exported_and_nothing_else(
    records: PersonalRecords, database_file: Path
) -> None:
    await records.forget(Claim(NED), request=0)
    assert await questions(records, Claim(NED)) == []
    left = sql(database_file, "SELECT text FROM messages WHERE NOT is_character")
    assert left == [("old in a group",), ("moe",), ("moe in private",)]
    assert sql(database_file, "PRAGMA freelist_count") == [(0,)]
    await records.forget(Claim(NED), request=0)


async def test_what_was_chosen_in_the_private_chat_is_given_out_and_forgotten_and_a_groups_choice_stays(
    records: PersonalRecords, database: Database, database_file: Path
) -> None:
    book = SqlSettingsBook(database.session)
    for chat in (NED, MOE, GROUP):
        await book.write(Conversation(chat), ChatSettings(persona="bart"))
    assert [(choices.chat, choices.persona) for choices in await records.chosen(Claim(NED))] == [(NED, "bart")]
    assert await records.chosen(Claim(NED, GROUP)) == []
    await records.forget(Claim(NED, GROUP), request=0)
    await records.forget(Claim(NED), request=0)
    assert sql(database_file, "SELECT chat_id FROM chat_settings ORDER BY 1") == [(GROUP,), (MOE,)]


async def judge(database: Database, chat_id: int, person: int, words: str) -> None:
    """A person corrects the last answer of a chat."""
    feedback = Feedback(lambda: SqlOpinions(database.session), now)
    async with SqlOpinions(database.session) as work:
        piece = await work.last_piece(Conversation(chat_id))
    assert piece is not None
    judgement = Judgement(Gesture.CORRECT, piece.id, 1)
    await InboxRepository(database.session).add({person: "{}"})
    await feedback.ask(chat_id, person, judgement, person, question=99)
    assert await feedback.correct(chat_id, person, words, person, now(), 99, confirm="Thanks")


async def test_what_a_person_thinks_of_answers_to_others_is_exported_and_forgotten_with_the_rest(
    records: PersonalRecords, database: Database, database_file: Path
) -> None:
    await judge(database, GROUP, NED, "a walrus")
    await judge(database, GROUP, MOE, "a penguin")
    await judge(database, MOE, 3, "a seal")
    (judged,) = await records.judged(Claim(NED, GROUP))
    assert (judged.chat, judged.verdict, judged.correction, judged.review) == (GROUP, "disliked", "a walrus", "new")
    assert await records.judged(Claim(NED)) == [judged]
    assert await records.judged(Claim(NED, OTHER_GROUP)) == []
    await records.forget(Claim(NED, GROUP), request=0)
    assert sql(database_file, "SELECT correction FROM feedback ORDER BY id") == [("a penguin",), ("a seal",)]
    assert b"walrus" not in b"".join(files(database_file).values())
    await records.forget(Claim(MOE), request=0)  # With the answers goes what others think of them.
    assert sql(database_file, "SELECT correction FROM feedback") == []


@pytest.mark.parametrize(
    ("update", "meant"),
    [
        ('{"update_id": 7, "message": {"from": {"id": 1}, "chat": {"id": 1}}}', True),
        ('{"update_id": 7, "message": {"from": {"id": 1}, "chat": {"id": -6}}}', False),
        ('{"update_id": 7, "message": {"from": {"id": 2}, "chat": {"id": 1}}}', False),
        ('{"update_id": 7, "callback_query": {"from": {"id": 1}, "message": {"chat": {"id": 1}}}}', True),
        ('{"update_id": 7, "message_reaction": {"user": {"id": 1}, "chat": {"id": 1}}}', True),
        ('{"update_id": 7, "inline_query": {"from": {"id": 1}, "query": "hi"}}', False),
        ('{"message": ', False),
    ],
)
async def test_of_what_waits_the_updates_of_the_person_in_the_chat_are_meant(
    update: str, meant: bool, database: Database, database_file: Path
) -> None:
    records = PersonalRecords(database.session)
    await InboxRepository(database.session).add({7: update})
    assert len(await records.waiting(Claim(NED, 1))) == meant
    await records.forget(Claim(NED, 1), request=0)
    assert sql(database_file, "SELECT payload IS NULL FROM inbox") == [(meant,)]


async def test_what_came_in_after_the_request_to_forget_is_left_to_be_answered(
    database: Database, database_file: Path
) -> None:
    for number in (5, 6, 7):
        message = f'{{"message": {{"from": {{"id": {NED}}}, "chat": {{"id": {NED}}}}}}}'
        await InboxRepository(database.session).add({number: message})
    await PersonalRecords(database.session).forget(Claim(NED), request=6)
    states = sql(database_file, "SELECT update_id, state FROM inbox ORDER BY update_id")
    assert states == [(5, "done"), (6, "received"), (7, "received")]


async def test_a_database_that_is_locked_is_reported_and_the_work_can_be_done_again(
    records: PersonalRecords, database: Database, database_file: Path
) -> None:
    async with database.session() as session:  # The one connection of the pool now waits for nobody.
        await (await session.connection()).exec_driver_sql("PRAGMA busy_timeout=0")
    other = sqlite3.connect(database_file, isolation_level=None)
    other.execute("BEGIN")
    other.execute("SELECT * FROM messages").fetchone()
    with pytest.raises(StorageError, match="not available"):
        await records.forget(Claim(NED), request=0)  # Whoever still reads keeps the log from being cut.
    other.close()
    await records.forget(Claim(NED), request=0)
    assert b"private" not in database_file.with_name(database_file.name + "-wal").read_bytes()


async def test_what_is_deleted_in_passing_is_overwritten_too(database: Database) -> None:
    async with database.session() as session:
        connection = await session.connection()
        assert (await connection.exec_driver_sql("PRAGMA secure_delete")).scalar() == 1


async def test_what_a_killed_bot_had_deleted_is_gone_from_the_log_after_the_next_start(
    database: Database, database_file: Path
) -> None:
    await store(database, "a walrus", NED, NED)
    async with database.session() as session, session.begin():
        await (await session.connection()).exec_driver_sql("DELETE FROM messages")
    left = files(database_file)
    assert b"walrus" in left["-wal"]
    await database.close()
    for end, content in left.items():
        database_file.with_name(database_file.name + end).write_bytes(content)
    again = Database(f"sqlite+aiosqlite:///{database_file}")
    await again.open()
    assert b"walrus" not in b"".join(files(database_file).values())
    await again.close()


def test_every_column_that_can_hold_peoples_words_is_exported_and_forgotten() -> None:
    columns = [column for table in Table.metadata.tables.values() for column in table.columns]
    assert {(column.table.name, column.name) for column in columns if isinstance(column.type, Text)} == COVERED
