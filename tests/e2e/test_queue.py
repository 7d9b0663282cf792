"""The place in the queue: whoever waits long for a turn is told it once, and the words go when the answer comes."""

import pytest

from bot.locales import Locales
from bot.transport.previews import Pace, queue_text
from tests.bot.actors import ScriptedActor
from tests.e2e.stage import Stage
from tests.e2e.test_control import AGAIN, GROUP, STOPPED
from tests.e2e.test_streaming import DONE, NEVER

IMPATIENT = Pace(until_shown=NEVER, until_place_told=0)
ONE = "There is one before you; I will be right with you."
TWO = "There are 2 before you; I will be right with you."


def busy_actor(*replies: str) -> ScriptedActor:
    actor = ScriptedActor(*replies)
    actor.gate.clear()
    return actor


@pytest.mark.parametrize("streaming", [True, False])
async def test_those_who_wait_in_private_are_told_their_place_by_a_draft(stage: Stage, streaming: bool) -> None:
    actor = busy_actor()
    async with stage.bot(actor, pace=IMPATIENT, max_concurrent_replies=1, streaming=streaming):
        await stage.say("first", user=1)
        await actor.until_busy(1)
        await stage.say("second", user=2)
        await stage.draft_shows(ONE, chat=2)
        await stage.say("third", user=3)
        await stage.draft_shows(TWO, chat=3)
        actor.gate.set()
        await stage.shows("You said: third", chat=3)
        await stage.shows("You said: second", chat=2)
        await stage.rows_become(DONE, [(0,)])
    assert [await stage.drafts(chat) for chat in (1, 2, 3)] == [[], [ONE], [TWO]]


async def test_in_a_group_the_message_that_tells_the_place_becomes_the_answer(stage: Stage) -> None:
    actor = busy_actor()
    async with stage.bot(actor, pace=IMPATIENT, max_concurrent_replies=1):
        await stage.say("first", user=1)
        await actor.until_busy(1)
        await stage.say("@understudy_bot second", user=2, chat_id=GROUP)
        (told,) = await stage.shows(ONE, chat=GROUP)
        actor.gate.set()
        (answer,) = await stage.shows("You said: second", chat=GROUP)
        await stage.rows_become(DONE, [(0,)])
    assert answer["message_id"] == told["message_id"]


async def test_who_calls_the_question_off_is_not_told_a_place_any_more(stage: Stage) -> None:
    actor = busy_actor()
    async with stage.bot(actor, pace=IMPATIENT, max_concurrent_replies=1):
        await stage.say("first", user=1)
        await actor.until_busy(1)
        await stage.say("@understudy_bot second", user=2, chat_id=GROUP)
        await stage.shows(ONE, chat=GROUP)
        await stage.say("/stop", user=2, chat_id=GROUP)
        await stage.shows(STOPPED, chat=GROUP)
        actor.gate.set()
        await stage.shows("You said: first", chat=1)
        await stage.rows_become(DONE, [(0,)])
        await stage.shows(STOPPED, chat=GROUP)


async def test_a_place_that_was_told_before_a_kill_gives_way_to_the_answer_after_it(stage: Stage) -> None:
    actor = busy_actor()
    async with stage.bot(actor, pace=IMPATIENT, max_concurrent_replies=1, shutdown_grace=0):
        await stage.say("first", user=1)
        await actor.until_busy(1)
        await stage.say("@understudy_bot second", user=2, chat_id=GROUP)
        (told,) = await stage.shows(ONE, chat=GROUP)
        await stage.rows_become("SELECT shown_in FROM inbox ORDER BY update_id", [(None,), (told["message_id"],)])
    async with stage.bot(ScriptedActor()):
        (answer,) = await stage.shows("You said: second", chat=GROUP)
    assert answer["message_id"] == told["message_id"]


async def test_who_waits_for_another_answer_is_told_in_the_place_of_the_old_one(stage: Stage) -> None:
    actor = ScriptedActor("Hi.", "first", "Hello.")
    async with stage.bot(actor, pace=IMPATIENT, max_concurrent_replies=1):
        await stage.say("hello", user=2)
        (old,) = await stage.shows("Hi.", chat=2)
        actor.gate.clear()
        await stage.say("first", user=1)
        await actor.until_busy(1)
        await stage.press(old, AGAIN, user=2)
        (told,) = await stage.shows(ONE, chat=2)
        actor.gate.set()
        (new,) = await stage.shows("Hello.", chat=2)
    assert old["message_id"] == told["message_id"] == new["message_id"]


async def test_an_answer_that_is_slow_in_its_own_turn_has_no_place_to_tell(stage: Stage) -> None:
    actor = busy_actor()
    async with stage.bot(actor, pace=IMPATIENT, max_concurrent_replies=1):
        await stage.say("first", user=1)
        await actor.until_busy(1)
        await stage.say("second", user=2)
        await stage.draft_shows(ONE, chat=2)  # By now the first one would have been told too.
        assert await stage.drafts(1) == []
        actor.gate.set()
        await stage.shows("You said: second", chat=2)


def test_the_place_is_told_as_one_says_it() -> None:
    english = Locales().speak("en")
    assert queue_text(english, 1) == "There is one before you; I will be right with you."
    assert queue_text(english, 12) == "There are 12 before you; I will be right with you."
