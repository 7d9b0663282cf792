"""Feedback: people tell the character how it did, by button, by reaction and in better words."""

import json
from typing import Any

import pytest

from bot.transport.delivery import PAUSES
from tests.bot.actors import ScriptedActor
from tests.e2e.stage import Json, Stage

GROUP = -500
AGAIN, BETTER = "🔄", "What should I have said?"
QUESTION = "What should I have said? Write me my words, or /cancel."
THANKS = "Thank you! I have written that down, so that I can learn from it."
TAKEN_BACK = "All right, taken back."
OPINIONS = "SELECT user_id, verdict FROM feedback ORDER BY user_id"
JUDGED = "SELECT text, verdict FROM feedback JOIN messages ON messages.id = feedback.message ORDER BY feedback.id"
CORRECTIONS = "SELECT user_id, correction FROM feedback ORDER BY user_id"
UNFINISHED = "SELECT count(*) FROM inbox WHERE state NOT IN ('done')"


def labels(message: Json) -> list[list[str]]:
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return [[button["text"] for button in row] for row in rows]


async def message_with(stage: Stage, label: str, chat: int = 1) -> Json:
    """The bot's message that has a button of this label, as soon as there is one."""
    found: list[Json] = []

    def there() -> bool:
        messages = stage.server.world.chats[chat].messages.values()
        found[:] = [message for message in messages if any(label in each for row in labels(message) for each in row)]
        return bool(found)

    await stage.eventually(there)
    return found[-1]


async def asked(stage: Stage, actor: ScriptedActor) -> Json:
    """One exchange, disliked, and the bot's question for better words; returns that question."""
    await stage.say("Hello")
    (answer,) = await stage.messages(1)
    await stage.press(answer, "👎")
    await stage.press(await message_with(stage, BETTER), BETTER)
    question = (await stage.messages(2))[1]
    assert question["text"] == QUESTION
    await stage.rows_become(UNFINISHED, [(0,)])
    return question


async def test_a_like_is_thanked_for_taken_back_by_a_second_press_and_given_again(stage: Stage) -> None:
    async with stage.bot(ScriptedActor("Jazz.")):
        await stage.say("Hello")
        (answer,) = await stage.shows("Jazz.")
        assert await stage.press(answer, "👍") == "Thank you! 👍"
        assert stage.rows(OPINIONS) == [(1, "liked")]
        assert await stage.press(answer, "👍") == TAKEN_BACK
        assert stage.rows(OPINIONS) == [(1, "withdrawn")]
        await stage.press(answer, "👍")
        await stage.press(answer, "👎")
        assert stage.rows(OPINIONS) == [(1, "disliked")]
        await stage.rows_become(UNFINISHED, [(0,)])


async def test_a_dislike_brings_the_button_for_better_words_and_takes_it_away_with_it(stage: Stage) -> None:
    async with stage.bot(ScriptedActor("Jazz.")):
        await stage.say("Hello")
        (answer,) = await stage.shows("Jazz.")
        assert "What should I have said?" in await stage.press(answer, "👎")
        answer = await message_with(stage, BETTER)
        assert labels(answer) == [["👍", "👎", "🔄"], [BETTER]]
        await stage.press(answer, "👎")
        await stage.rows_become(UNFINISHED, [(0,)])
        assert labels((await stage.shows("Jazz."))[0]) == [["👍", "👎", "🔄"]]


async def test_in_a_group_everybody_judges_once_whoever_the_answer_was_for(stage: Stage) -> None:
    async with stage.bot(ScriptedActor("Jazz.")):
        await stage.say("@understudy_bot hello", user=1, chat_id=GROUP)
        (answer,) = await stage.shows("Jazz.", chat=GROUP)
        for user, sign in ((1, "👍"), (2, "👍"), (3, "👎"), (2, "👎")):
            await stage.press(answer, sign, user=user)
        assert stage.rows(OPINIONS) == [(1, "liked"), (2, "disliked"), (3, "disliked")]
        await stage.press(answer, "👎", user=3)
        await stage.rows_become(UNFINISHED, [(0,)])
        assert labels((await stage.shows("Jazz.", chat=GROUP))[0])[-1] == [BETTER]


async def test_the_answer_that_is_judged_is_the_one_that_was_shown(stage: Stage) -> None:
    async with stage.bot(ScriptedActor("one", "two")):
        await stage.say("Count")
        (first,) = await stage.shows("one")
        await stage.press(first, "👎")
        await stage.press(await message_with(stage, AGAIN), AGAIN)
        (second,) = await stage.shows("two")
        assert labels(second) == [["◀", "2/2", "▶"], ["👍", "👎", "🔄"]]
        await stage.react(second, "👍")
        await stage.rows_become(JUDGED, [("one", "disliked"), ("two", "liked")])
        await stage.press(second, "◀")
        (back,) = await stage.shows("one")
        assert labels(back)[-1] == [BETTER]
        await stage.press(back, "👍")
        await stage.rows_become(JUDGED, [("one", "liked"), ("two", "liked")])


async def test_an_answer_that_is_long_past_is_judged_too_and_cannot_be_changed_by_it(stage: Stage) -> None:
    async with stage.bot(ScriptedActor("one", "two")):
        await stage.say("first")
        await stage.say("second")
        old, _ = await stage.shows("one", "two")
        await stage.press(old, "👎")
        assert labels(await message_with(stage, BETTER)) == [["👍", "👎"], [BETTER]]
        await stage.rows_become(JUDGED, [("one", "disliked")])
        await stage.rows_become(UNFINISHED, [(0,)])


@pytest.mark.parametrize(
    ("emoji", "verdict"), [("👍", "liked"), ("❤", "liked"), ("🔥", "liked"), ("👎", "disliked"), ("🤮", "disliked")]
)
async def test_a_reaction_is_a_verdict_and_its_end_takes_it_back(stage: Stage, emoji: str, verdict: str) -> None:
    async with stage.bot(ScriptedActor("Jazz.")):
        await stage.say("Hello")
        (answer,) = await stage.shows("Jazz.")
        await stage.react(answer, emoji)
        await stage.rows_become(OPINIONS, [(1, verdict)])
        await stage.react(answer, emoji)
        await stage.rows_become(OPINIONS, [(1, "withdrawn")])
        await stage.rows_become(UNFINISHED, [(0,)])


async def test_reactions_reach_every_part_of_an_answer_old_ones_and_those_to_single_questions(stage: Stage) -> None:
    long = " ".join(f"This is sentence {number}." for number in range(300))
    async with stage.bot(ScriptedActor(long, "Alone.", "Last.")):
        await stage.say("Tell me a story")
        await stage.messages(2)
        await stage.say("/ask Who?")
        await stage.say("Bye")
        first, _second, alone, last = await stage.messages(4)
        assert labels(alone) == []
        for message, emoji in ((first, "👍"), (alone, "👎"), (last, "👍")):
            await stage.react(message, emoji)
        await stage.rows_become(JUDGED, [(long, "liked"), ("Alone.", "disliked"), ("Last.", "liked")])
        assert labels(await message_with(stage, BETTER)) == [["👍", "👎"], [BETTER]]
        await stage.rows_become(UNFINISHED, [(0,)])


async def test_reactions_to_what_is_no_answer_or_without_a_clear_meaning_change_nothing(stage: Stage) -> None:
    async with stage.bot(ScriptedActor("Jazz.")):
        said = await stage.say("Hello")
        (answer,) = await stage.shows("Jazz.")
        await stage.react({**answer, "message_id": said["message_id"]}, "👍")
        await stage.react(answer, "🗿")
        await stage.rows_become("SELECT state FROM inbox", [("done",)] * 3)
    assert stage.rows(OPINIONS) == []


async def test_in_a_group_whose_admin_the_bot_is_reactions_of_everybody_count(stage: Stage) -> None:
    await stage.add_group(GROUP, bot_is_admin=True)
    async with stage.bot(ScriptedActor("Jazz.")):
        await stage.say("@understudy_bot hello", user=1, chat_id=GROUP)
        (answer,) = await stage.shows("Jazz.", chat=GROUP)
        await stage.react(answer, "🔥", user=2)
        await stage.react(answer, "💩", user=3)
        await stage.rows_become(OPINIONS, [(2, "liked"), (3, "disliked")])
        await message_with(stage, BETTER, GROUP)


@pytest.mark.parametrize("as_reply", [True, False])
async def test_the_words_that_were_asked_for_are_kept_and_are_no_line_of_the_dialogue(
    stage: Stage, as_reply: bool
) -> None:
    actor = ScriptedActor("Jazz.", "Always.")
    async with stage.bot(actor):
        question = await asked(stage, actor)
        await stage.say("I play the saxophone.", reply_to=question["message_id"] if as_reply else None)
        assert await stage.answers(3) == ["Jazz.", QUESTION, THANKS]
        await stage.say("Really?")
        assert (await stage.answers(4))[3] == "Always."
    assert actor.heard() == [["Hello"], ["Hello", "Jazz.", "Really?"]]
    assert stage.rows(CORRECTIONS) == [(1, "I play the saxophone.")]


@pytest.mark.parametrize("way", ["late", "cancelled", "reply"])
async def test_what_is_said_late_or_after_cancel_or_to_something_else_is_a_line_of_the_dialogue(
    stage: Stage, way: str
) -> None:
    actor = ScriptedActor("Jazz.", "Yes.", "Yes!")
    async with stage.bot(actor):
        await asked(stage, actor)
        answer = (await stage.messages(1))[0]
        if way == "late":
            stage.change("UPDATE feedback SET asked_at = '2026-01-01 00:00:00'")
        elif way == "cancelled":
            await stage.say("/cancel")
            assert (await stage.answers(3))[2] == "All right, never mind."
        else:
            await stage.say("Say more", reply_to=answer["message_id"])
            await stage.shows("Jazz.", QUESTION, "Yes.")
        before = len(await stage.messages(2))
        await stage.say("Really?")
        assert (await stage.answers(before + 1))[-1].startswith("Yes")
    assert actor.heard()[-1][-1] == "Really?"
    assert stage.rows(CORRECTIONS) == [(1, None)]


async def test_commands_are_no_correction_and_do_not_end_the_waiting_for_one(stage: Stage) -> None:
    actor = ScriptedActor("Jazz.")
    async with stage.bot(actor):
        await asked(stage, actor)
        await stage.say("/privacy")
        await stage.say("Blues.")
        assert (await stage.answers(4))[3] == THANKS
        await stage.say("/cancel")
        assert (await stage.answers(5))[4].startswith("There is nothing to cancel")
    assert stage.rows(CORRECTIONS) == [(1, "Blues.")]


async def test_in_a_group_only_a_reply_of_the_one_who_was_asked_is_the_correction(stage: Stage) -> None:
    actor = ScriptedActor("Jazz.", "Hm.")
    async with stage.bot(actor):
        await stage.say("@understudy_bot hello", user=1, chat_id=GROUP)
        (answer,) = await stage.shows("Jazz.", chat=GROUP)
        await stage.press(answer, "👎", user=2)
        await stage.press(await message_with(stage, BETTER, GROUP), BETTER, user=2)
        question = (await stage.messages(2, GROUP))[1]
        assert question["text"].startswith("User 2, what should I have said? Reply to this message")
        (mention,) = [entity for entity in question["entities"] if entity["type"] == "text_mention"]
        assert (mention["offset"], mention["length"], mention["user"]["id"]) == (0, 6, 2)
        await stage.say("Nice weather", user=2, chat_id=GROUP)
        await stage.say("What?", user=3, chat_id=GROUP, reply_to=question["message_id"])
        assert (await stage.answers(3, GROUP))[2] == "Hm."
        await stage.say("Blues.", user=2, chat_id=GROUP, reply_to=question["message_id"])
        assert (await stage.answers(4, GROUP))[3] == THANKS
        await stage.say("/cancel", user=2, chat_id=GROUP)
        await stage.rows_become(UNFINISHED, [(0,)])
        assert len(await stage.answers(4, GROUP)) == 4
    assert stage.rows(CORRECTIONS) == [(2, "Blues.")]
    assert len(actor.histories) == 2


async def test_a_second_press_on_the_question_for_better_words_asks_no_second_time(stage: Stage) -> None:
    actor = ScriptedActor("Jazz.")
    async with stage.bot(actor):
        await asked(stage, actor)
        toast = await stage.press(await message_with(stage, BETTER), BETTER)
        assert toast == "I am all ears: tell me what I should have said."
        await stage.rows_become(UNFINISHED, [(0,)])
        assert len(await stage.messages(2)) == 2


async def test_feedback_is_free_and_a_flood_can_still_be_judged(stage: Stage) -> None:
    actor = ScriptedActor("Jazz.")
    async with stage.bot(actor, user_messages_per_day=1):
        await asked(stage, actor)
        await stage.say("Blues.")
        assert (await stage.answers(3))[2] == THANKS
        await stage.react((await stage.messages(1))[0], "👍")
        await stage.rows_become(OPINIONS, [(1, "liked")])
        await stage.say("Hello?")
        assert (await stage.answers(4))[3].startswith("So many messages!")
    assert len(actor.histories) == 1


async def test_a_press_and_a_correction_that_are_handled_again_after_a_kill_count_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.transport.delivery.PAUSES", ())
    actor = ScriptedActor("Jazz.")
    async with stage.bot(actor, shutdown_grace=0.2):
        await stage.say("Hello")
        (answer,) = await stage.shows("Jazz.")
        await stage.fault("500", method="editMessageReplyMarkup", count=1)
        await stage.press(answer, "👎")
        await stage.rows_become(OPINIONS, [(1, "disliked")])
        await stage.faults_are_over()
    async with stage.bot(actor, shutdown_grace=0.2):
        await stage.press(await message_with(stage, BETTER), BETTER)
        await stage.messages(2)
        await stage.rows_become(UNFINISHED, [(0,)])
        assert stage.rows(OPINIONS) == [(1, "disliked")]
        await stage.fault("500", count=1)
        await stage.say("Blues.")
        await stage.rows_become("SELECT count(*) FROM inbox WHERE state = 'answered'", [(1,)])
        await stage.faults_are_over()
    async with stage.bot(actor):
        assert (await stage.answers(3))[2] == THANKS
    assert stage.rows(CORRECTIONS) == [(1, "Blues.")]
    assert len(actor.histories) == 1


@pytest.mark.parametrize(
    ("data", "toast"),
    [
        ("judge:like:999999999999999999:1", "I do not remember that answer any more."),
        ("judge:like:1:2", "I do not remember that answer any more."),
        ("judge:dislike:1:0", "I do not remember that answer any more."),
        ("judge:correct:2:1", "I do not remember that answer any more."),
        ("judge:adore:1:1", ""),
        ("judge:like:1:1\n", ""),
        ("review:accept:1:1", ""),
    ],
)
async def test_data_that_no_button_has_is_answered_and_changes_nothing(stage: Stage, data: str, toast: str) -> None:
    async with stage.bot(ScriptedActor("Jazz.")):
        await stage.say("Hello")
        (answer,) = await stage.shows("Jazz.")
        world = stage.server.world
        query, _ = world.press(world.users[1], world.chats[1], answer, data)
        assert await stage.toast(query) == toast
        await stage.rows_become("SELECT state FROM inbox", [("done",)] * 2)
    assert stage.rows(OPINIONS) == []


async def test_an_answer_is_judged_from_its_own_chat_only(stage: Stage) -> None:
    async with stage.bot(ScriptedActor("Jazz.", "Blues.")):
        await stage.say("Hello", user=1)
        (answer,) = await stage.shows("Jazz.")
        await stage.say("Hello", user=2)
        (other,) = await stage.shows("Blues.", chat=2)
        data = answer["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
        world = stage.server.world
        query, _ = world.press(world.users[2], world.chats[2], other, data)
        assert await stage.toast(query, chat=2) == "I do not remember that answer any more."
    assert stage.rows(OPINIONS) == []


async def test_likes_and_corrections_are_in_the_export_and_go_with_the_rest(stage: Stage) -> None:
    actor = ScriptedActor("Jazz.")
    async with stage.bot(actor):
        await asked(stage, actor)
        await stage.say("A walrus plays.")
        await stage.answers(3)
        await stage.say("/export")
        file = (await stage.messages(4))[3]["document"]["file_id"]
        content: dict[str, Any] = json.loads(stage.server.world.files.get(file).upload.data)
        (opinion,) = content["feedback"]
        assert (opinion["verdict"], opinion["correction"], opinion["chat"]) == ("disliked", "A walrus plays.", 1)
        await stage.say("/forget")
        await stage.press((await stage.messages(5))[4], "Yes, forget it")
        await stage.rows_become("SELECT count(*) FROM feedback", [(0,)])
        await stage.eventually(lambda: b"walrus" not in stage.raw())


async def test_buttons_that_cannot_be_changed_at_once_are_changed_later(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.transport.delivery.PAUSES", tuple(0.0 for _ in PAUSES))
    async with stage.bot(ScriptedActor("Jazz.")):
        await stage.say("Hello")
        (answer,) = await stage.shows("Jazz.")
        await stage.fault("429", method="editMessageReplyMarkup", retry_after=1)
        await stage.react(answer, "👎")
        await message_with(stage, BETTER)
        await stage.rows_become(UNFINISHED, [(0,)])
