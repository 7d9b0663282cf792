"""Answers on record, found again: the same in the database and in the memory of the terminal chat."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.chat_service import Conversation, Exchange, Line, Mode, UnitOfWork
from bot.errors import StorageError
from bot.origins import Answer, Answers
from bot.storage.answers import AnswerRepository
from bot.storage.database import Database
from bot.storage.memory import MemoryHistory
from bot.storage.repository import SqlUnitOfWork

HOME, OTHER, TOPIC = Conversation(1), Conversation(2), Conversation(1, 5)
Record = tuple[Answers, Callable[[], UnitOfWork]]


@pytest.fixture(params=["database", "memory"])
def record(request: pytest.FixtureRequest, database: Database) -> Record:
    if request.param == "memory":
        history = MemoryHistory()
        return history, history.unit_of_work
    return AnswerRepository(database.session), lambda: SqlUnitOfWork(database.session)


async def give(record: Record, text: str, where: Conversation = HOME, mode: Mode = Mode.DIALOGUE) -> None:
    async with record[1]() as work:
        question, answer = Line("Ned", "What about jazz?"), Line("Lisa", text, is_character=True)
        await work.remember(where, Exchange(question, answer, mode, "v1"))
        await work.commit()


async def test_the_last_answer_is_found_with_its_version_whichever_way_it_was_asked(record: Record) -> None:
    await give(record, "One.")
    await give(record, "Two.", mode=Mode.ASK)
    assert await record[0].answer(HOME) == Answer("Two.", "v1")


async def test_conversations_are_apart(record: Record) -> None:
    await give(record, "One.")
    assert await record[0].answer(OTHER) is None
    assert await record[0].answer(TOPIC, "One.") is None


async def test_an_answer_that_is_the_text_comes_before_a_newer_one_that_only_has_it(record: Record) -> None:
    for text in ("I say: yes.", "yes.", "Oh, yes. Of course."):
        await give(record, text)
    assert await record[0].answer(HOME, "yes.") == Answer("yes.", "v1")
    assert await record[0].answer(HOME, "Of course.") == Answer("Oh, yes. Of course.", "v1")
    assert await record[0].answer(HOME, "no.") is None


async def test_what_people_said_is_no_answer(record: Record) -> None:
    await give(record, "One.")
    assert await record[0].answer(HOME, "What about jazz?") is None


async def test_signs_that_mean_something_to_a_database_are_only_signs(record: Record) -> None:
    await give(record, "100 of them")
    assert await record[0].answer(HOME, "1%") is None
    assert await record[0].answer(HOME, "_00 of") is None


async def test_what_was_not_committed_was_not_said(record: Record) -> None:
    async with record[1]() as work:
        await work.remember(HOME, Exchange(Line("Ned", "Hi"), Line("Lisa", "Hi.", True), Mode.ASK, "v1"))
    assert await record[0].answer(HOME) is None


async def test_a_database_that_cannot_be_used_is_reported(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'bot.db'}")  # not opened: it has no tables
    with pytest.raises(StorageError, match="the database is not available"):
        await AnswerRepository(database.session).answer(HOME)
    await database.close()
