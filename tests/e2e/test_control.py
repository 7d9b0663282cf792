"""Control over the dialogue: another answer, taking back, stopping, and edited questions."""

from typing import Any

import pytest

from bot.chat_service import Line
from bot.transport.delivery import PAUSES
from tests.bot.actors import ScriptedActor
from tests.e2e.stage import Stage

AGAIN, BACK, NEXT = "🔄", "◀", "▶"
GROUP = -500
STOPPED = "All right, I have stopped."
NOTHING_RUNS = "There is nothing to stop: I am not thinking about an answer to you."
UNFINISHED = "SELECT count(*) FROM inbox WHERE state NOT IN ('done', 'failed')"


def labels(message: dict[str, Any]) -> list[list[str]]:
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return [[button["text"] for button in row] for row in rows]


async def test_retry_draws_another_answer_in_the_same_context_and_puts_it_into_the_same_message(stage: Stage) -> None:
    actor = ScriptedActor("Hi.", "Jazz.", "Blues!", "Always.")
    async with stage.bot(actor):
        await stage.say("Hello")
        await stage.say("What do you play?")
        before = await stage.shows("Hi.", "Jazz.")
        await stage.say("/retry")
        after = await stage.shows("Hi.", "Blues!")
        await stage.say("Really?")
        await stage.shows("Hi.", "Blues!", "Always.")
    assert after[1]["message_id"] == before[1]["message_id"]
    assert actor.heard()[2] == actor.heard()[1] == ["Hello", "Hi.", "What do you play?"]
    assert actor.heard()[3] == ["Hello", "Hi.", "What do you play?", "Blues!", "Really?"]
    assert actor.histories[2][-1] == Line("User 1", "What do you play?")


async def test_the_button_draws_another_answer_and_the_arrows_page_through_all_of_them(stage: Stage) -> None:
    actor = ScriptedActor("one", "two", "three", "And?")
    async with stage.bot(actor):
        await stage.say("Count")
        (message,) = await stage.shows("one")
        assert labels(message) == [["👍", "👎", "🔄"]]
        assert await stage.press(message, AGAIN) == "Let me think again…"
        (message,) = await stage.shows("two")
        assert labels(message) == [["◀", "2/2", "▶"], ["👍", "👎", "🔄"]]
        await stage.press(message, AGAIN)
        (message,) = await stage.shows("three")
        assert await stage.press(message, BACK) == ""
        (message,) = await stage.shows("two")
        assert labels(message)[0] == ["◀", "2/3", "▶"]
        await stage.press(message, BACK)
        (message,) = await stage.shows("one")
        await stage.press(message, BACK)
        (message,) = await stage.shows("three")
        await stage.press(message, NEXT)
        (message,) = await stage.shows("one")
        await stage.press(message, "1/3")
        await stage.say("Go on")
        await stage.shows("one", "And?")
        await stage.rows_become(UNFINISHED, [(0,)])
    assert actor.heard()[-1] == ["Count", "one", "Go on"]


async def test_buttons_work_only_for_the_person_whom_the_answer_was_for(stage: Stage) -> None:
    actor = ScriptedActor("Hi Ned.", "Hello Ned.")
    async with stage.bot(actor):
        await stage.say("@understudy_bot hello", user=1, chat_id=GROUP)
        (message,) = await stage.shows("Hi Ned.", chat=GROUP)
        await stage.say("me too", user=2, chat_id=GROUP)
        assert await stage.press(message, AGAIN, user=2) == "That answer was for somebody else."
        await stage.say("/retry", user=2, chat_id=GROUP)
        await stage.shows("Hi Ned.", "That answer was for somebody else.", chat=GROUP)
        assert len(actor.histories) == 1
        await stage.press(message, AGAIN, user=1)
        await stage.shows("Hello Ned.", "That answer was for somebody else.", chat=GROUP)


async def test_buttons_of_an_answer_that_is_not_the_last_one_any_more_say_so_and_go(stage: Stage) -> None:
    actor = ScriptedActor("one", "two")
    async with stage.bot(actor):
        await stage.say("first")
        await stage.say("second")
        old, _ = await stage.shows("one", "two")
        assert await stage.press(old, AGAIN) == "I can only change my last answer."
        await stage.rows_become(UNFINISHED, [(0,)])
        assert labels((await stage.shows("one", "two"))[0]) == []
        world = stage.server.world
        data = old["reply_markup"]["inline_keyboard"][-1][-1]["callback_data"]
        query, _ = world.press(world.users[1], world.chats[1], old, data)  # The button as another device still has it.
        assert await stage.toast(query) == "I can only change my last answer."
        await stage.rows_become(UNFINISHED, [(0,)])
    assert len(actor.histories) == 2


async def test_a_button_that_is_pressed_twice_at_once_draws_one_answer(stage: Stage) -> None:
    actor = ScriptedActor("one", "two", "three")
    async with stage.bot(actor):
        await stage.say("Count")
        (message,) = await stage.shows("one")
        actor.gate.clear()
        await stage.press(message, AGAIN)
        await actor.until_busy(1)
        world = stage.server.world
        data = message["reply_markup"]["inline_keyboard"][-1][-1]["callback_data"]
        second, _ = world.press(world.users[1], world.chats[1], message, data)
        actor.gate.set()
        assert await stage.toast(second) == ""
        await stage.rows_become(UNFINISHED, [(0,)])
        await stage.shows("two")
    assert len(actor.histories) == 2


@pytest.mark.parametrize("data", ["again:1:999999999", "show:1:7", "show:1:0", "again:999:1", "nonsense", "show:x:1"])
async def test_data_that_no_button_has_is_answered_and_changes_nothing(stage: Stage, data: str) -> None:
    actor = ScriptedActor("one")
    async with stage.bot(actor):
        await stage.say("Hello")
        (message,) = await stage.shows("one")
        world = stage.server.world
        query, _ = world.press(world.users[1], world.chats[1], message, data)
        await stage.toast(query)
        await stage.rows_become(UNFINISHED, [(0,)])
        await stage.shows("one")
    assert stage.rows("SELECT state FROM inbox") == [("done",), ("done",)]
    assert len(actor.histories) == 1


async def test_an_answer_in_several_messages_is_replaced_by_a_short_one_and_back(stage: Stage) -> None:
    long = " ".join(f"This is sentence {number}." for number in range(300))
    async with stage.bot(ScriptedActor(long, "Short.")):
        await stage.say("Tell me a story")
        first, second = await stage.messages(2)
        assert labels(first) == []
        await stage.press(second, AGAIN)
        (message,) = await stage.shows("Short.")
        assert message["message_id"] == first["message_id"]
        assert labels(message)[0] == ["◀", "2/2", "▶"]
        await stage.press(message, BACK)
        one, two = await stage.shows(first["text"], second["text"])
    assert labels(one) == []
    assert labels(two)[0] == ["◀", "1/2", "▶"]


async def test_an_answer_whose_message_is_gone_is_replaced_by_a_new_message(stage: Stage) -> None:
    async with stage.bot(ScriptedActor("one", "two", "three")):
        await stage.say("Hello")
        (message,) = await stage.shows("one")
        del stage.server.world.chats[1].messages[message["message_id"]]
        await stage.say("/retry")
        (message,) = await stage.shows("two")
        await stage.press(message, AGAIN)
        (last,) = await stage.shows("three")
    assert last["message_id"] == message["message_id"]


@pytest.mark.parametrize("kind", ["429", "500", "drop", "drop_after"])
async def test_an_edit_that_fails_is_tried_again(stage: Stage, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.transport.delivery.PAUSES", tuple(0.0 for _ in PAUSES))
    actor = ScriptedActor("one", "two")
    async with stage.bot(actor):
        await stage.say("Hello")
        await stage.shows("one")
        await stage.fault(kind, method="editMessageText", retry_after=1)
        await stage.say("/retry")
        await stage.shows("two")
        await stage.rows_become(UNFINISHED, [(0,)])
        await stage.shows("two")
    assert len(actor.histories) == 2


async def test_an_answer_that_was_drawn_before_a_kill_is_shown_after_it_and_not_drawn_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.transport.delivery.PAUSES", ())
    async with stage.bot(ScriptedActor("one", "two"), shutdown_grace=0.2):
        await stage.say("Hello")
        (message,) = await stage.shows("one")
        await stage.fault("500", method="editMessageText", count=1)
        await stage.press(message, AGAIN)
        await stage.rows_become("SELECT state, reply FROM inbox WHERE state = 'answered'", [("answered", "two")])
        await stage.faults_are_over()
    actor = ScriptedActor("three")
    async with stage.bot(actor):
        (message,) = await stage.shows("two")
        assert labels(message)[0] == ["◀", "2/2", "▶"]
        await stage.rows_become(UNFINISHED, [(0,)])
    assert actor.histories == []


async def test_undo_takes_the_last_exchanges_back_one_by_one(stage: Stage) -> None:
    actor = ScriptedActor("1", "2", "3", "4")
    async with stage.bot(actor):
        for text in ("one", "two", "three", "/undo", "/undo", "four"):
            await stage.say(text)
        answers = await stage.answers(6)
        assert "three" in answers[3]
        assert "two" in answers[4]
        await stage.say("/undo")
        await stage.say("/undo")
        await stage.say("/undo")
        answers = await stage.answers(9)
    assert actor.heard()[-1] == ["one", "1", "four"]
    assert answers[8] == "There is nothing to take back: I remember no conversation."


async def test_after_a_reset_there_is_nothing_to_take_back_or_to_answer_again(stage: Stage) -> None:
    async with stage.bot(ScriptedActor()):
        for text in ("Hello", "/reset", "/undo", "/retry"):
            await stage.say(text)
        answers = await stage.answers(4)
    assert answers[2] == "There is nothing to take back: I remember no conversation."
    assert answers[3] == "There is nothing to answer again: I remember no conversation."


async def test_what_was_undone_is_not_undone_again_when_the_words_are_sent_after_a_kill(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.transport.delivery.PAUSES", ())
    async with stage.bot(ScriptedActor("1", "2"), shutdown_grace=0.2):
        await stage.say("one")
        await stage.say("two")
        await stage.shows("1", "2")
        await stage.rows_become("SELECT state FROM inbox", [("done",)] * 2)  # Shown is not yet marked.
        await stage.fault("500", count=1)
        await stage.say("/undo")
        await stage.faults_are_over()
    actor = ScriptedActor()
    async with stage.bot(actor):
        assert "two" in (await stage.answers(3))[2]
        await stage.say("three")
        await stage.answers(4)
    assert actor.heard() == [["one", "1", "three"]]


async def test_after_an_undo_the_answer_before_it_can_be_changed_again(stage: Stage) -> None:
    async with stage.bot(ScriptedActor("1", "2", "1 again")):
        await stage.say("one")
        await stage.say("two")
        first, _ = await stage.shows("1", "2")
        await stage.say("/undo")
        await stage.answers(3)
        await stage.press(first, AGAIN)
        await stage.eventually(lambda: stage.server.world.chats[1].messages[first["message_id"]]["text"] == "1 again")


async def test_stop_cancels_the_answer_that_is_made_and_nothing_of_it_is_remembered(stage: Stage) -> None:
    actor = ScriptedActor()
    actor.gate.clear()
    async with stage.bot(actor):
        await stage.say("Hello")
        await actor.until_busy(1)
        await stage.say("/stop")
        await stage.shows(STOPPED)
        await stage.rows_become("SELECT state FROM inbox ORDER BY update_id", [("done",), ("done",)])
        assert actor.busy == 0
        actor.gate.set()
        await stage.say("Hello again")
        await stage.shows(STOPPED, "You said: Hello again")
    assert actor.heard() == [["Hello"], ["Hello again"]]
    assert stage.rows("SELECT text FROM messages WHERE NOT is_character") == [("Hello again",)]


async def test_stop_is_also_for_what_waits_behind_the_answer_that_is_made(stage: Stage) -> None:
    actor = ScriptedActor()
    actor.gate.clear()
    async with stage.bot(actor):
        for text in ("one", "two"):
            await stage.say(text)
        await actor.until_busy(1)
        await stage.say("/stop")
        await stage.shows(STOPPED)
        await stage.rows_become("SELECT state FROM inbox", [("done",)] * 3)
        actor.gate.set()
        await stage.say("three")
        await stage.shows(STOPPED, "You said: three")
    assert ["two"] not in actor.heard()


async def test_when_nothing_is_running_stop_says_so(stage: Stage) -> None:
    async with stage.bot(ScriptedActor()):
        await stage.say("Hello")
        await stage.shows("You said: Hello")
        await stage.rows_become(UNFINISHED, [(0,)])
        await stage.say("/stop")
        await stage.shows("You said: Hello", NOTHING_RUNS)


async def test_in_a_group_nobody_stops_the_answer_to_somebody_else(stage: Stage) -> None:
    actor = ScriptedActor()
    actor.gate.clear()
    async with stage.bot(actor):
        await stage.say("@understudy_bot hello", user=1, chat_id=GROUP)
        await actor.until_busy(1)
        await stage.say("/stop", user=2, chat_id=GROUP)
        await stage.shows(NOTHING_RUNS, chat=GROUP)
        actor.gate.set()
        await stage.shows(NOTHING_RUNS, "You said: hello", chat=GROUP)


async def test_another_answer_that_is_stopped_leaves_the_old_one(stage: Stage) -> None:
    actor = ScriptedActor("one", "two", "three")
    async with stage.bot(actor):
        await stage.say("Hello")
        await stage.shows("one")
        actor.gate.clear()
        await stage.say("/retry")
        await actor.until_busy(1)
        await stage.say("/stop")
        await stage.shows("one", STOPPED)
        actor.gate.set()
        await stage.say("Go on")
        await stage.shows("one", STOPPED, "two")
    assert actor.heard()[-1] == ["Hello", "one", "Go on"]


async def test_a_stop_that_a_kill_came_before_still_stops(stage: Stage) -> None:
    async with stage.process(PACE="60") as bot:
        await stage.say("Hello")
        await stage.typing_is_shown()
        await bot.kill()
    await stage.say("/stop")
    async with stage.process(PACE="60"):
        await stage.shows(STOPPED)
        await stage.rows_become("SELECT state FROM inbox", [("done",), ("done",)])
    assert stage.rows("SELECT count(*) FROM messages") == [(0,)]


async def test_an_edited_last_question_is_answered_anew_in_the_same_message(stage: Stage) -> None:
    actor = ScriptedActor("Hi.", "Fine.", "Fine, and you?", "Great.")
    async with stage.bot(actor):
        await stage.say("Hello")
        asked = await stage.say("How are yu?")
        before = await stage.shows("Hi.", "Fine.")
        await stage.edit(asked["message_id"], "How are you?")
        after = await stage.shows("Hi.", "Fine, and you?")
        assert labels(after[1]) == [["👍", "👎", "🔄"]]
        await stage.say("Well")
        await stage.shows("Hi.", "Fine, and you?", "Great.")
    assert after[1]["message_id"] == before[1]["message_id"]
    assert actor.heard()[2:] == [
        ["Hello", "Hi.", "How are you?"],
        ["Hello", "Hi.", "How are you?", "Fine, and you?", "Well"],
    ]


async def test_an_edit_of_an_earlier_message_or_without_new_words_is_ignored_in_silence(stage: Stage) -> None:
    actor = ScriptedActor("1", "2", "3")
    async with stage.bot(actor):
        first = await stage.say("one")
        second = await stage.say("two")
        apart = await stage.say("/ask three")
        await stage.shows("1", "2", "3")
        await stage.edit(first["message_id"], "ONE")
        await stage.edit(second["message_id"], "two")
        await stage.edit(apart["message_id"], "/ask THREE")
        await stage.rows_become("SELECT count(*) FROM inbox WHERE state = 'done'", [(6,)])
        await stage.shows("1", "2", "3")
    assert len(actor.histories) == 3


async def test_an_edited_question_of_a_group_keeps_the_mention_out(stage: Stage) -> None:
    actor = ScriptedActor()
    async with stage.bot(actor):
        asked = await stage.say("@understudy_bot who are yu?", chat_id=GROUP)
        await stage.shows("You said: who are yu?", chat=GROUP)
        await stage.edit(asked["message_id"], "@understudy_bot who are you?", chat_id=GROUP)
        await stage.shows("You said: who are you?", chat=GROUP)


async def test_a_dialogue_of_an_older_version_can_be_answered_again(stage: Stage) -> None:
    async with stage.bot(ScriptedActor("one")):
        await stage.say("Hello")
        await stage.shows("one")
        await stage.rows_become(UNFINISHED, [(0,)])
    assert stage.rows("SELECT user_id, answered_in IS NULL FROM messages WHERE NOT is_character") == [(1, 0)]
    stage.change("UPDATE messages SET user_id = NULL, message = NULL, answered_in = NULL")
    actor = ScriptedActor("two")
    async with stage.bot(actor):
        await stage.say("/retry")
        await stage.shows("one", "two")
    assert actor.heard() == [["Hello"]]
