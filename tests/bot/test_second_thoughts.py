"""Second thoughts on a real database: what the dialogue holds afterwards, and what is kept."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from bot.casting import SoleActor
from bot.chat_service import AlreadyAnsweredError, ChatService, Conversation, Line, Request
from bot.reply_queue import ReplyQueue
from bot.second_thoughts import Piece, SecondThoughts
from bot.stopping import StoppedError, Stopping
from bot.storage.database import Database
from bot.storage.repository import InboxRepository, SqlUnitOfWork
from bot.storage.revision import SqlRevision
from tests.bot.actors import ScriptedActor

HOME, TOPIC = Conversation(-1, 0), Conversation(-1, 5)


class Scene:
    """A service, the second thoughts about it, and who speaks there."""

    def __init__(self, database: Database, *replies: str | Exception, context_messages: int = 6) -> None:
        self.actor = ScriptedActor(*replies)
        self.stopping = Stopping()
        sessions = database.session
        self.service = ChatService(
            SoleActor(self.actor), lambda: SqlUnitOfWork(sessions), ReplyQueue(2), context_messages, self.stopping
        )
        self.thoughts = SecondThoughts(self.service, lambda: SqlRevision(sessions))

    async def talk(self, *texts: str, where: Conversation = HOME) -> None:
        for text in texts:
            await self.service.talk(request(text, where))

    async def last(self) -> Piece:
        piece = await self.thoughts.last(HOME)
        assert piece is not None
        return piece


@pytest.fixture
def rows(database: Database) -> InboxRepository:
    return InboxRepository(database.session)


def request(text: str, where: Conversation = HOME, receipt: int | None = None, message: int = 7) -> Request:
    return Request(where, Line("Ned", text), receipt, person=1, message=message)


def sql(file: Path, query: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(file) as connection:
        found = connection.execute(query).fetchall()
    connection.close()
    return found


async def test_another_answer_is_drawn_without_the_old_one_in_mind_and_takes_its_place(database: Database) -> None:
    scene = Scene(database, "Hi.", "Jazz.", "Blues.", "Yes.")
    await scene.talk("Hello", "What do you play?")
    assert await scene.thoughts.retry(request(""), await scene.last()) == "Blues."
    await scene.talk("Really?")
    assert scene.actor.histories[2] == scene.actor.histories[1]
    assert scene.actor.heard()[3] == ["Hello", "Hi.", "What do you play?", "Blues.", "Really?"]


async def test_all_answers_are_kept_in_order_and_the_one_that_is_shown_counts(database: Database) -> None:
    scene = Scene(database, "one", "two", "three", "Yes.")
    await scene.talk("Count")
    for _ in range(2):
        await scene.thoughts.retry(request(""), await scene.last())
    piece = await scene.last()
    assert (piece.answers, piece.shown) == (("one", "two", "three"), 3)
    assert (await scene.thoughts.show(piece, 2)).shown == 2
    assert await scene.last() == await scene.thoughts.show(piece, 2)
    await scene.talk("Go on")
    assert scene.actor.heard()[-1] == ["Count", "two", "Go on"]


async def test_another_answer_sees_no_more_of_the_dialogue_than_was_set(database: Database) -> None:
    scene = Scene(database, "1", "2", "3", "4", context_messages=1)
    await scene.talk("a", "b", "c")
    await scene.thoughts.retry(request(""), await scene.last())
    assert scene.actor.heard()[-1] == ["2", "c"]


@pytest.mark.parametrize("nothing", ["", RuntimeError("out of memory")])
async def test_another_answer_that_fails_leaves_the_old_one(database: Database, nothing: str | Exception) -> None:
    scene = Scene(database, "one", nothing)
    await scene.talk("Count")
    before = await scene.last()
    with pytest.raises(Exception, match=r"empty|memory"):
        await scene.thoughts.retry(request(""), before)
    assert await scene.last() == before


async def test_an_update_that_is_handled_twice_draws_one_answer(
    database: Database, rows: InboxRepository, database_file: Path
) -> None:
    scene = Scene(database, "one", "two", "three")
    await scene.talk("Count")
    await rows.add({9: "{}"})
    before = await scene.last()
    await scene.thoughts.retry(request("", receipt=9), before)
    with pytest.raises(AlreadyAnsweredError):
        await scene.thoughts.retry(request("", receipt=9), before)
    assert (await scene.last()).answers == ("one", "two")
    assert await scene.thoughts.answered_by(9) == await scene.last()
    assert sql(database_file, "SELECT state, reply FROM inbox") == [("answered", "two")]


async def test_undo_goes_back_one_exchange_at_a_time(database: Database, rows: InboxRepository) -> None:
    scene = Scene(database, "1", "2", "2 again", "3")
    await scene.talk("one", "two")
    await scene.thoughts.retry(request(""), await scene.last())
    undone = []
    for receipt in (1, 2, 3):
        await rows.add({receipt: "{}"})
        undone.append(await scene.thoughts.undo(HOME, receipt, lambda question: f"not {question.text}"))
    assert undone == ["not two", "not one", None]
    await scene.talk("three")
    assert scene.actor.heard()[-1] == ["three"]


async def test_an_undo_that_is_handled_twice_takes_one_exchange_back(database: Database, rows: InboxRepository) -> None:
    scene = Scene(database, "1", "2")
    await scene.talk("one", "two")
    await rows.add({9: "{}"})
    await scene.thoughts.undo(HOME, 9, lambda _: "done")
    with pytest.raises(AlreadyAnsweredError):
        await scene.thoughts.undo(HOME, 9, lambda _: "done")
    assert (await scene.last()).question.text == "one"


async def test_after_a_reset_there_is_no_last_exchange(database: Database) -> None:
    scene = Scene(database)
    await scene.talk("one")
    await scene.service.reset(HOME)
    assert await scene.thoughts.last(HOME) is None


async def test_single_questions_and_other_topics_are_not_part_of_it(database: Database) -> None:
    scene = Scene(database)
    await scene.talk("one")
    await scene.service.ask(request("two"))
    await scene.talk("three", where=TOPIC)
    piece = await scene.last()
    assert piece.question.text == "one"
    assert await scene.thoughts.find(HOME, piece.id) == piece
    assert await scene.thoughts.find(TOPIC, piece.id) is None


async def test_an_edited_question_replaces_the_exchange_and_stays_in_its_messages(
    database: Database, rows: InboxRepository
) -> None:
    scene = Scene(database, "Hi.", "Fine.", "Fine, thanks.", "Good.")
    await scene.talk("Hello", "How are yu?")
    old = await scene.last()
    edit = request("How are you?", receipt=9)
    await rows.add({9: "{}"})
    assert old.is_changed_by(edit)
    await scene.thoughts.revise(edit, old)
    new = await scene.last()
    assert (new.question.text, new.answers, new.message) == ("How are you?", ("Fine, thanks.",), 7)
    assert await scene.thoughts.answered_by(9) == new
    await scene.talk("Well")
    assert scene.actor.heard()[-1] == ["Hello", "Hi.", "How are you?", "Fine, thanks.", "Well"]


async def test_only_new_words_of_the_same_message_change_a_question(database: Database) -> None:
    scene = Scene(database)
    await scene.talk("Hello")
    piece = await scene.last()
    assert not piece.is_changed_by(request("Hello"))
    assert not piece.is_changed_by(request("Hello!", message=8))
    assert not piece.is_changed_by(Request(HOME, Line("Ned", "Hello!")))


async def test_an_answer_is_for_whoever_asked(database: Database) -> None:
    scene = Scene(database)
    await scene.talk("Hello")
    piece = await scene.last()
    assert piece.is_for(1)
    assert not piece.is_for(2)
    assert not piece.is_for(None)


async def test_a_stopped_answer_leaves_no_trace(database: Database, rows: InboxRepository, database_file: Path) -> None:
    scene = Scene(database)
    scene.actor.gate.clear()
    await rows.add({1: "{}"})
    with scene.stopping.in_hand(1, "Ned"), scene.stopping.in_hand(2, "Ned"):
        talking = asyncio.create_task(scene.service.talk(request("Hello", receipt=1)))
        await scene.actor.until_busy(1)
        assert scene.stopping.stop("Ned", before=2)
        with pytest.raises(StoppedError):
            await talking
    assert scene.actor.busy == 0
    assert sql(database_file, "SELECT * FROM messages") == []
    assert sql(database_file, "SELECT state, reply FROM inbox") == [("received", None)]
