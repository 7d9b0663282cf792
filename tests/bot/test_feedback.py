"""Feedback on a real database: what stands there after each verdict, and what its end leaves behind."""

import random
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.chat_service import Conversation, Exchange, Line, Mode
from bot.feedback import PATIENCE, Feedback, Gesture, Judgement, Verdict, read_judgement, verdict_of
from bot.review import Case
from bot.storage.database import Database
from bot.storage.desk import SqlDesk
from bot.storage.opinions import SqlOpinions
from bot.storage.repository import InboxRepository, SqlUnitOfWork, Standing
from bot.storage.retention import Retention
from bot.storage.tables import State
from tests.bot.waiting import until

NED, MOE, GROUP = 1, 2, -5
NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
VERDICTS = "SELECT verdict, state FROM feedback ORDER BY id"


def sql(file: Path, query: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(file) as connection:
        rows = connection.execute(query).fetchall()
    connection.close()
    return rows


async def say(database: Database, text: str, chat_id: int = NED, mode: Mode = Mode.DIALOGUE) -> int:
    """An exchange; returns its number."""
    lines = Line("Ned", text), Line("Lisa", f"{text}?", is_character=True)
    async with SqlOpinions(database.session) as work:
        await work.remember(Conversation(chat_id), Exchange(*lines, mode, "v1", NED))
        await work.commit()
    async with SqlOpinions(database.session) as work:
        pieces = [piece for number in range(1, 99) if (piece := await work.exchange(chat_id, number))]
    return pieces[-1].id


@pytest.fixture
def feedback(database: Database) -> Feedback:
    return Feedback(lambda: SqlOpinions(database.session), lambda: NOON)


def like(piece: int) -> Judgement:
    return Judgement(Gesture.LIKE, piece, 1)


def correct(piece: int) -> Judgement:
    return Judgement(Gesture.CORRECT, piece, 1)


async def test_the_same_update_handled_again_changes_nothing_and_a_new_one_takes_it_back(
    database: Database, database_file: Path, feedback: Feedback
) -> None:
    piece = await say(database, "Hello")
    for receipt, verdict in ((7, Verdict.LIKED), (7, Verdict.LIKED), (8, Verdict.WITHDRAWN), (8, Verdict.WITHDRAWN)):
        outcome = await feedback.press(NED, NED, like(piece), receipt)
        assert outcome is not None
        assert outcome.verdict is verdict
        assert sql(database_file, VERDICTS) == [(verdict, "new")]


async def test_a_verdict_that_changes_is_to_be_reviewed_anew_and_takes_its_correction_along(
    database: Database, database_file: Path, feedback: Feedback
) -> None:
    piece = await say(database, "Hello")
    await feedback.ask(NED, NED, correct(piece), receipt=7, question=50)
    await InboxRepository(database.session).add({8: "{}"})
    assert await feedback.correct(NED, NED, "Hi!", 8, NOON, None, "Thanks")
    case = await SqlDesk(database.session).next()
    assert case is not None
    assert await SqlDesk(database.session).decide(case.number, case.receipt, accept=True)
    assert [lesson.answer for lesson in await SqlDesk(database.session).lessons()] == ["Hi!"]
    await feedback.press(NED, NED, like(piece), receipt=9)
    assert sql(database_file, "SELECT verdict, state, correction FROM feedback") == [("liked", "new", None)]
    assert await SqlDesk(database.session).lessons() == []


@pytest.mark.parametrize(
    ("chat", "late", "reply_to", "taken"),
    [
        (NED, timedelta(), None, True),
        (NED, PATIENCE, None, True),
        (NED, PATIENCE + timedelta(seconds=1), None, False),
        (NED, PATIENCE + timedelta(days=1), 50, True),
        (NED, timedelta(), 51, False),
        (GROUP, timedelta(), None, False),
        (GROUP, timedelta(days=1), 50, True),
    ],
)
async def test_the_next_message_within_ten_minutes_or_a_reply_whenever_it_comes_is_the_correction(
    chat: int, late: timedelta, reply_to: int | None, taken: bool, database: Database, feedback: Feedback
) -> None:
    piece = await say(database, "Hello", chat)
    await feedback.ask(chat, NED, correct(piece), receipt=7, question=50)
    await InboxRepository(database.session).add({8: "{}"})
    assert not await feedback.correct(chat, MOE, "Boo", 8, NOON, reply_to, "Thanks")
    assert await feedback.correct(chat, NED, "Hi!", 8, NOON + late, reply_to, "Thanks") is taken
    assert not await feedback.correct(chat, NED, "And?", 9, NOON + late, None, "Thanks")


async def test_only_the_last_question_waits_for_the_next_message(
    database: Database, database_file: Path, feedback: Feedback
) -> None:
    for number, text in enumerate(("one", "two")):
        await feedback.ask(NED, NED, correct(await say(database, text)), receipt=number, question=50 + number)
    await InboxRepository(database.session).add({8: "{}"})
    assert await feedback.correct(NED, NED, "Hi!", 8, NOON, None, "Thanks")
    assert not await feedback.correct(NED, NED, "A line", 9, NOON, None, "Thanks")
    assert sql(database_file, "SELECT correction FROM feedback ORDER BY id") == [(None,), ("Hi!",)]
    assert sql(database_file, "SELECT state, reply FROM inbox") == [("answered", "Thanks")]


async def test_a_message_is_found_by_its_whole_number(database: Database, feedback: Feedback) -> None:
    rows = InboxRepository(database.session)
    for number, messages in enumerate(([41, 412], [12])):
        piece = await say(database, "Hello")
        await rows.add({number: "{}"})
        await rows.finish(number, State.DONE, standing=Standing(piece, messages))
    for message, found in ((412, 1), (41, 1), (12, 3), (1, None), (2, None)):
        outcome = await feedback.react(NED, message, NED, Verdict.LIKED, 7)
        assert (outcome.piece.id if outcome else None) == found
    assert await feedback.react(MOE, 12, MOE, Verdict.LIKED, 8) is None


async def test_with_an_old_answer_goes_what_people_think_of_it(
    database: Database, database_file: Path, feedback: Feedback
) -> None:
    await feedback.press(NED, NED, like(await say(database, "old")), 7)
    sql(database_file, "UPDATE messages SET created_at = '2020-01-01 00:00:00'")
    await feedback.press(NED, NED, like(await say(database, "young")), 8)
    async with Retention(database.session, 7).watched():
        await until(lambda: sql(database_file, "SELECT receipt FROM feedback") == [(8,)])


async def next_case(database: Database) -> Case:
    case = await SqlDesk(database.session).next()
    assert case is not None
    return case


async def test_the_context_of_a_case_begins_where_the_dialogue_was_reset_and_is_empty_for_a_single_question(
    database: Database, feedback: Feedback
) -> None:
    await say(database, "before")
    async with SqlUnitOfWork(database.session) as work:
        await work.forget_context(Conversation(NED))
        await work.commit()
    await say(database, "apart", mode=Mode.ASK)
    piece = await say(database, "after")
    await feedback.press(NED, NED, like(piece), 7)
    assert [line.text for line in (await next_case(database)).context] == ["after"]
    await feedback.press(NED, NED, like(piece), 8)
    await feedback.press(NED, NED, like(await say(database, "alone", mode=Mode.ASK)), 9)
    assert [line.text for line in (await next_case(database)).context] == ["alone"]


async def test_a_dislike_alone_is_nothing_to_decide_about(database: Database, feedback: Feedback) -> None:
    await feedback.press(NED, NED, Judgement(Gesture.DISLIKE, await say(database, "Hello"), 1), 7)
    assert await SqlDesk(database.session).next() is None


@pytest.mark.parametrize(
    ("emojis", "verdict"),
    [
        (["👍"], Verdict.LIKED),
        (["❤️"], Verdict.LIKED),
        (["\u2764\ufe0f\u200d🔥"], Verdict.LIKED),
        (["👏", "🗿"], Verdict.LIKED),
        (["💩"], Verdict.DISLIKED),
        (["👍", "👎"], Verdict.WITHDRAWN),
        (["🗿"], Verdict.WITHDRAWN),
        ([], Verdict.WITHDRAWN),
    ],
)
def test_reactions_with_a_clear_meaning_are_verdicts(emojis: list[str], verdict: Verdict) -> None:
    assert verdict_of(emojis) is verdict


def test_what_a_button_says_is_what_it_was_given_and_nothing_else_is_read() -> None:
    assert read_judgement(str(like(12))) == like(12)
    draw = random.Random(20260314)
    pieces = ["judge", ":", "like", "correct", "1", "9" * 18, "9" * 19, "-", " ", "\n", "١", "²", "\x00", "like:1:1"]
    for _ in range(3000):
        judgement = read_judgement("".join(draw.choices(pieces, k=draw.randint(0, 7))))
        assert judgement is None or judgement.piece < 2**63
