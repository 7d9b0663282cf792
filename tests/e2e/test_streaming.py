"""Streaming: an answer that takes long is shown while it is written, and whatever happens to that, it arrives once."""

from typing import Any

import pytest

from bot.transport.delivery import PAUSES
from bot.transport.previews import Pace
from tests.bot.actors import PromptedActor, ScriptedActor
from tests.e2e.stage import Stage
from tests.e2e.test_control import AGAIN, BACK, GROUP, STOPPED, labels

NEVER = 3600.0
AT_ONCE = Pace(until_shown=0, until_place_told=NEVER, between_edits=0, between_drafts=0)
DONE = "SELECT count(*) FROM inbox WHERE state NOT IN ('done', 'failed') OR shown_in IS NOT NULL"
HOSTILE = "<b>bold</b> </i> *so* _what_ [x](http://a.io) `code` &lt; \\*."


async def ask_in_group(stage: Stage, actor: ScriptedActor, words: str = "what do you play?") -> None:
    await stage.say(f"@understudy_bot {words}", chat_id=GROUP)
    await actor.until_busy(1)


async def test_in_private_a_slow_answer_is_a_draft_that_grows_and_then_one_message(stage: Stage) -> None:
    actor = PromptedActor()
    async with stage.bot(actor, pace=AT_ONCE):
        await stage.say("What do you play?")
        await actor.say("Jazz,")
        await stage.draft_shows("Jazz, …")
        await actor.say(" mostly. ", "And you? ")
        await stage.draft_shows("Jazz, mostly. And you? …")
        assert await stage.answers(0) == []
        actor.end()
        (message,) = await stage.shows("Jazz, mostly. And you?")
        await stage.rows_become(DONE, [(0,)])
    assert labels(message) == [["👍", "👎", "🔄"]]
    (number,) = {draft["draft_id"] for draft in stage.server.world.chats[1].drafts}
    assert number


async def test_in_a_group_a_slow_answer_is_a_message_that_grows(stage: Stage) -> None:
    actor = PromptedActor()
    async with stage.bot(actor, pace=AT_ONCE):
        await ask_in_group(stage, actor)
        await actor.say("Jazz. ")
        (begun,) = await stage.shows("Jazz. …", chat=GROUP)
        await actor.say("And you? ")
        await stage.shows("Jazz. And you? …", chat=GROUP)
        actor.end()
        (message,) = await stage.shows("Jazz. And you?", chat=GROUP)
        await stage.rows_become(DONE, [(0,)])
    assert message["message_id"] == begun["message_id"]
    assert message["reply_to_message"]["text"] == "@understudy_bot what do you play?"
    assert labels(message) == [["👍", "👎", "🔄"]]
    assert stage.rows("SELECT answered_in FROM messages WHERE NOT is_character") == [(f"[{message['message_id']}]",)]


async def test_a_single_question_is_streamed_too(stage: Stage) -> None:
    actor = PromptedActor()
    async with stage.bot(actor, pace=AT_ONCE):
        await stage.say("/ask@understudy_bot Who?", chat_id=GROUP)
        await actor.say("Bart. ")
        (begun,) = await stage.shows("Bart. …", chat=GROUP)
        actor.end()
        (message,) = await stage.shows("Bart.", chat=GROUP)
        await stage.rows_become(DONE, [(0,)])
    assert message["message_id"] == begun["message_id"]


async def changes_in_group(stage: Stage, pace: Pace, **settings: Any) -> list[str]:
    """How a chat changes while an answer of three sentences is given."""
    actor = PromptedActor()
    async with stage.bot(actor, pace=pace, **settings):
        await ask_in_group(stage, actor)
        with stage.server.world.feed.reader() as events:
            await actor.say("One. ", "Two. ", "Three. ")
            actor.end()
            await stage.shows("One. Two. Three.", chat=GROUP)
            await stage.rows_become(DONE, [(0,)])
        seen = [events.get_nowait() for _ in range(events.qsize())]
    return [event["type"] for event in seen if event and event["type"] in {"message", "edited", "deleted", "draft"}]


async def test_an_answer_that_comes_in_time_is_sent_whole(stage: Stage) -> None:
    assert await changes_in_group(stage, Pace(until_shown=NEVER)) == ["message"]


async def test_who_switches_streaming_off_gets_whole_answers(stage: Stage) -> None:
    assert await changes_in_group(stage, AT_ONCE, streaming=False) == ["message"]


async def test_between_two_edits_the_message_rests(stage: Stage) -> None:
    resting = Pace(until_shown=0, until_place_told=NEVER, between_edits=NEVER)
    actor = PromptedActor()
    async with stage.bot(actor, pace=resting):
        await ask_in_group(stage, actor)
        await actor.say("One. ")
        await stage.shows("One. …", chat=GROUP)
        with stage.server.world.feed.reader() as events:
            await actor.say("Two. ", "Three. ")
            actor.end()
            await stage.shows("One. Two. Three.", chat=GROUP)
        seen = [events.get_nowait() for _ in range(events.qsize())]
    assert [event["type"] for event in seen if event].count("edited") == 1


@pytest.mark.parametrize("kind", ["400", "403", "404", "429", "500", "drop", "drop_after"])
async def test_a_draft_that_fails_is_left_out_and_the_answer_arrives_once(stage: Stage, kind: str) -> None:
    actor = PromptedActor()
    await stage.fault(kind, method="sendMessageDraft", retry_after=600)
    async with stage.bot(actor, pace=AT_ONCE):
        await stage.say("Count")
        await actor.say("One. ")
        await stage.faults_are_over()
        await actor.say("Two. ")
        actor.end()
        await stage.shows("One. Two.")
        await stage.rows_become(DONE, [(0,)])
        await stage.shows("One. Two.")


@pytest.mark.parametrize("kind", ["400", "404"])
async def test_where_drafts_are_refused_a_message_grows_in_their_place(stage: Stage, kind: str) -> None:
    actor = PromptedActor()
    await stage.fault(kind, method="sendMessageDraft", count=100)
    async with stage.bot(actor, pace=AT_ONCE):
        await stage.say("Count")
        await actor.say("One. ")
        (begun,) = await stage.shows("One. …")
        await actor.say("Two. ")
        await stage.shows("One. Two. …")
        actor.end()
        (message,) = await stage.shows("One. Two.")
    assert message["message_id"] == begun["message_id"]
    assert len(stage.server.faults.as_json()) == 1


@pytest.mark.parametrize("kind", ["400", "403", "429", "500", "drop", "drop_after"])
async def test_an_edit_that_fails_is_left_out_and_the_answer_ends_up_in_the_message(stage: Stage, kind: str) -> None:
    actor = PromptedActor()
    async with stage.bot(actor, pace=AT_ONCE):
        await ask_in_group(stage, actor)
        await actor.say("One. ")
        (begun,) = await stage.shows("One. …", chat=GROUP)
        await stage.fault(kind, method="editMessageText", retry_after=600)
        await actor.say("Two. ")
        await stage.faults_are_over()
        actor.end()
        (message,) = await stage.shows("One. Two.", chat=GROUP)
        await stage.rows_become(DONE, [(0,)])
    assert message["message_id"] == begun["message_id"]


@pytest.mark.parametrize("kind", ["400", "429", "500", "drop"])
async def test_a_message_that_cannot_be_begun_is_left_out_and_the_answer_arrives_once(stage: Stage, kind: str) -> None:
    actor = PromptedActor()
    await stage.fault(kind, retry_after=600)
    async with stage.bot(actor, pace=AT_ONCE):
        await ask_in_group(stage, actor)
        await actor.say("One. ")
        await stage.faults_are_over()
        actor.end()
        await stage.shows("One.", chat=GROUP)
        await stage.rows_become(DONE, [(0,)])
        await stage.shows("One.", chat=GROUP)


async def test_a_message_that_was_perhaps_begun_is_not_begun_again(stage: Stage) -> None:
    actor = PromptedActor()
    await stage.fault("drop_after")
    async with stage.bot(actor, pace=AT_ONCE):
        await ask_in_group(stage, actor)
        await actor.say("One. ")
        await stage.shows("One. …", chat=GROUP)
        await actor.say("Two. ")
        actor.end()
        await stage.shows("One. …", "One. Two.", chat=GROUP)
        await stage.rows_become(DONE, [(0,)])


async def test_a_message_that_somebody_deletes_while_it_is_written_is_replaced_by_a_new_one(stage: Stage) -> None:
    actor = PromptedActor()
    async with stage.bot(actor, pace=AT_ONCE):
        await ask_in_group(stage, actor)
        await actor.say("One. ")
        (begun,) = await stage.shows("One. …", chat=GROUP)
        del stage.server.world.chats[GROUP].messages[begun["message_id"]]
        await actor.say("Two. ")
        actor.end()
        await stage.shows("One. Two.", chat=GROUP)


async def test_stop_ends_a_draft_and_nothing_is_shown_after_it(stage: Stage) -> None:
    actor = PromptedActor()
    async with stage.bot(actor, pace=AT_ONCE):
        await stage.say("Hello")
        await actor.say("One. ")
        await stage.draft_shows("One. …")
        await stage.fault("slow", method="sendMessageDraft", seconds=0.5)
        with stage.server.world.feed.reader() as events:
            await actor.say("Two. ")
            await stage.faults_are_over()
            await stage.say("/stop")
            await stage.shows(STOPPED)
            await stage.rows_become(DONE, [(0,)])
        seen = [events.get_nowait() for _ in range(events.qsize())]
    shown = [event["type"] for event in seen if event and event["type"] in {"draft", "message"}]
    assert shown == ["message", "draft", "message"]  # /stop itself, what was on its way, and the words about it.


async def test_stop_removes_the_message_that_is_half_written(stage: Stage) -> None:
    actor = PromptedActor()
    async with stage.bot(actor, pace=AT_ONCE):
        await ask_in_group(stage, actor)
        await actor.say("One. ")
        await stage.shows("One. …", chat=GROUP)
        await stage.say("/stop", chat_id=GROUP)
        await stage.shows(STOPPED, chat=GROUP)
        await stage.rows_become(DONE, [(0,)])
    assert stage.rows("SELECT count(*) FROM messages") == [(0,)]


async def test_an_answer_that_fails_half_way_is_removed_and_apologized_for(stage: Stage) -> None:
    actor = PromptedActor()
    async with stage.bot(actor, pace=AT_ONCE):
        await ask_in_group(stage, actor)
        await actor.say("One. ")
        await stage.shows("One. …", chat=GROUP)
        actor.end(RuntimeError("tensor trouble"))
        await stage.shows("Sorry, something went wrong on my side. Please try again in a moment.", chat=GROUP)
        await stage.rows_become(DONE, [(0,)])


async def test_another_answer_is_written_in_the_place_of_the_old_one(stage: Stage) -> None:
    actor = PromptedActor()
    async with stage.bot(actor, pace=AT_ONCE):
        await stage.say("Hello")
        await actor.say("Hi. ")
        actor.end()
        (old,) = await stage.shows("Hi.")
        await stage.press(old, AGAIN)
        await actor.say("Good morning, ")
        (half,) = await stage.shows("Good morning, …")
        await actor.say("Ned. ")
        actor.end()
        (new,) = await stage.shows("Good morning, Ned.")
        await stage.rows_become(DONE, [(0,)])
    assert old["message_id"] == half["message_id"] == new["message_id"]
    assert labels(half) == []
    assert labels(new)[0] == [BACK, "2/2", "▶"]


async def test_another_answer_that_is_stopped_half_way_gives_the_old_one_back_with_its_buttons(stage: Stage) -> None:
    actor = PromptedActor()
    async with stage.bot(actor, pace=AT_ONCE):
        await stage.say("Hello")
        await actor.say("Hi. ")
        actor.end()
        (old,) = await stage.shows("Hi.")
        await stage.say("/retry")
        await actor.say("Good morning. ")
        await stage.shows("Good morning. …")
        await stage.say("/stop")
        (again, _) = await stage.shows("Hi.", STOPPED)
        await stage.rows_become(DONE, [(0,)])
    assert again["reply_markup"] == old["reply_markup"]


async def test_an_edited_question_is_answered_in_the_place_of_the_old_answer(stage: Stage) -> None:
    actor = PromptedActor()
    async with stage.bot(actor, pace=AT_ONCE):
        asked = await stage.say("How are yu?")
        await actor.say("What? ")
        actor.end()
        (old,) = await stage.shows("What?")
        await stage.edit(asked["message_id"], "How are you?")
        await actor.say("Fine. ")
        (half,) = await stage.shows("Fine. …")
        actor.end()
        await stage.shows("Fine.")
    assert half["message_id"] == old["message_id"]


async def test_an_answer_in_several_messages_begins_in_the_one_that_was_shown(stage: Stage) -> None:
    text = " ".join(f"This is sentence {number}." for number in range(300))
    actor = PromptedActor()
    async with stage.bot(actor, pace=AT_ONCE):
        await ask_in_group(stage, actor)
        await actor.say(text)
        (begun,) = await stage.messages(1, GROUP)
        actor.end()
        first, second = await stage.messages(2, GROUP)
        await stage.rows_become(DONE, [(0,)])
        first, second = await stage.messages(2, GROUP)
    assert first["message_id"] == begun["message_id"]
    assert begun["text"].endswith(" …")
    assert f"{first['text']} {second['text']}" == text


@pytest.mark.parametrize("chat", [1, GROUP])
async def test_markup_arrives_as_it_was_said_while_it_is_written_and_after(stage: Stage, chat: int) -> None:
    actor = PromptedActor()
    async with stage.bot(actor, pace=AT_ONCE):
        await stage.say("@understudy_bot hello", chat_id=chat)
        await actor.say(f"{HOSTILE} ")
        if chat == GROUP:
            await stage.shows(f"{HOSTILE} …", chat=chat)
        else:
            await stage.draft_shows(f"{HOSTILE} …")
        await actor.say("</b")
        actor.end()
        (message,) = await stage.shows(f"{HOSTILE} </b", chat=chat)
    assert {entity["type"] for entity in message["entities"]} == {"url"}


async def test_a_half_written_message_is_completed_after_a_kill(stage: Stage) -> None:
    async with stage.process(BEGINNING="Well.", PACE="60", UNTIL_SHOWN="0") as bot:
        await stage.say("@understudy_bot hello", chat_id=GROUP)
        (begun,) = await stage.shows("Well. …", chat=GROUP)
        await stage.rows_become("SELECT shown_in FROM inbox", [(begun["message_id"],)])
        await bot.kill()
    async with stage.process():
        (message,) = await stage.shows("You said: hello", chat=GROUP)
        await stage.rows_become(DONE, [(0,)])
        await stage.shows("You said: hello", chat=GROUP)
    assert message["message_id"] == begun["message_id"]
    assert labels(message) == [["👍", "👎", "🔄"]]


async def test_after_a_kill_in_the_middle_of_a_draft_there_is_one_answer(stage: Stage) -> None:
    async with stage.process(BEGINNING="Well.", PACE="60", UNTIL_SHOWN="0") as bot:
        await stage.say("hello")
        await stage.draft_shows("Well. …")
        await bot.kill()
    async with stage.process():
        await stage.shows("You said: hello")
        await stage.rows_become(DONE, [(0,)])
        await stage.shows("You said: hello")


async def test_a_half_written_message_that_is_stopped_after_a_kill_is_removed(stage: Stage) -> None:
    async with stage.process(BEGINNING="Well.", PACE="60", UNTIL_SHOWN="0") as bot:
        await stage.say("@understudy_bot hello", chat_id=GROUP)
        (begun,) = await stage.shows("Well. …", chat=GROUP)
        await stage.rows_become("SELECT shown_in FROM inbox", [(begun["message_id"],)])
        await bot.kill()
    await stage.say("/stop", chat_id=GROUP)
    async with stage.process(PACE="60"):
        await stage.shows(STOPPED, chat=GROUP)
        await stage.rows_become(DONE, [(0,)])


async def test_an_old_answer_that_a_kill_left_overwritten_comes_back_when_the_new_one_is_stopped(stage: Stage) -> None:
    async with stage.process() as bot:
        await stage.say("hello")
        (old,) = await stage.shows("You said: hello")
        await stage.rows_become(DONE, [(0,)])
        await bot.kill()
    async with stage.process(BEGINNING="Well.", PACE="60", UNTIL_SHOWN="0") as bot:
        await stage.say("/retry")
        await stage.shows("Well. …")
        await bot.kill()
    await stage.say("/stop")
    async with stage.process(PACE="60"):
        (again, _) = await stage.shows("You said: hello", STOPPED)
        await stage.rows_become(DONE, [(0,)])
    assert again["reply_markup"] == old["reply_markup"]


async def test_an_answer_that_was_made_before_a_kill_completes_the_message(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.transport.delivery.PAUSES", PAUSES[:0])
    actor = PromptedActor()
    async with stage.bot(actor, pace=AT_ONCE, shutdown_grace=0.2):
        await ask_in_group(stage, actor)
        await actor.say("One. ")
        (begun,) = await stage.shows("One. …", chat=GROUP)
        await stage.fault("500", method="editMessageText")
        actor.end()
        await stage.rows_become("SELECT state FROM inbox", [("answered",)])
        await stage.faults_are_over()
    async with stage.bot(ScriptedActor()):
        (message,) = await stage.shows("One.", chat=GROUP)
        await stage.rows_become(DONE, [(0,)])
    assert message["message_id"] == begun["message_id"]


async def test_told_to_stop_the_bot_leaves_a_half_written_message_for_the_next_start(stage: Stage) -> None:
    actor = PromptedActor()
    async with stage.bot(actor, pace=AT_ONCE, shutdown_grace=0):
        await ask_in_group(stage, actor)
        await actor.say("One. ")
        (begun,) = await stage.shows("One. …", chat=GROUP)
        await stage.rows_become("SELECT shown_in FROM inbox", [(begun["message_id"],)])
    async with stage.bot(ScriptedActor("All.")):
        (message,) = await stage.shows("All.", chat=GROUP)
    assert message["message_id"] == begun["message_id"]
