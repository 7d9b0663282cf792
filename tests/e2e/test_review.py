"""The review: admins decide what may be learned from, and the accepted is written for the training."""

import asyncio
import json
import stat
from pathlib import Path
from typing import Any

from tests.bot.actors import ScriptedActor
from tests.e2e.stage import Json, Stage

ADMIN, OTHER_ADMIN, GROUP = 99, 98, -500
ADMINS = "99,98"
NOTHING = "There is nothing left to review."
SKIPPED = "That was the last one. /review shows again what you have skipped."
DECIDED = "That one is decided already, or it has changed."
STATES = "SELECT user_id, state FROM feedback ORDER BY id"
ANSWERS = ("Hi.", "Jazz.", "Blues.", "Always.")


async def conversation(stage: Stage) -> None:
    """Four exchanges of Ned's; the second answer is liked, the last one disliked and corrected."""
    for number, question in enumerate(("Hello", "What do you play?", "Only that?", "Really?"), 1):
        await stage.say(question, first_name="Ned")
        await stage.messages(number)
    _, second, _, last = await stage.shows(*ANSWERS)
    await stage.press(second, "👍")
    await stage.press(last, "👎")
    await stage.rows_become("SELECT count(*) FROM inbox WHERE state != 'done'", [(0,)])
    last = stage.server.world.chats[1].messages[last["message_id"]]
    await stage.press(last, "What should I have said?")
    await stage.messages(5)
    await stage.say("Every day.")
    await stage.messages(6)


async def review(stage: Stage, admin: int = ADMIN) -> Json:
    """An admin sends /review; returns the bot's message."""
    before = len(await stage.messages(0, admin))
    await stage.say("/review", user=admin)
    return (await stage.messages(before + 1, admin))[-1]


async def page(stage: Stage, message: Json, words: str) -> Json:
    """The page of the review in this message, as soon as these words are on it."""
    messages = stage.server.world.chats[message["chat"]["id"]].messages
    await stage.eventually(lambda: words in messages[message["message_id"]]["text"])
    return messages[message["message_id"]]


async def decide(stage: Stage, message: Json, label: str, after: str, admin: int = ADMIN) -> Json:
    """An admin presses a button; returns the page that comes after it."""
    await stage.press(message, label, user=admin)
    return await page(stage, message, after)


async def command(stage: Stage, *arguments: str) -> tuple[int, str, str]:
    """Run one of the bot's commands; returns the exit status and both streams."""
    async with stage.process("-m", "bot", *arguments) as program:
        return await program.ended(), program.output, program.log


def lessons(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


async def test_what_is_accepted_is_written_for_the_training_with_three_lines_before_it(stage: Stage) -> None:
    target = stage.folder / "lessons.jsonl"
    async with stage.bot(ScriptedActor(*ANSWERS), admin_ids=ADMINS):
        await conversation(stage)
        message = await review(stage)
        assert message["text"] == (
            "Ned: Hello\nLisa Simpson: Hi.\nNed: What do you play?\n\nMy answer:\nJazz.\n\n👍 1   👎 0"
        )
        message = await decide(stage, message, "Accept", after="Every day.")
        assert message["text"].endswith(
            "Ned: Really?\n\nMy answer:\nAlways.\n\n👍 0   👎 1\n\nWhat I should have said:\nEvery day."
        )
        assert "reply_markup" not in await decide(stage, message, "Accept", after=NOTHING)
        assert (await review(stage))["text"] == NOTHING
    status, out, _err = await command(stage, "feedback", str(target))
    assert (status, out) == (0, f"{target}: 1 liked answers, 1 corrected ones\n")
    liked, corrected = lessons(target)
    assert liked == {
        "context": [
            {"speaker": "Ned", "text": "Hello", "is_character": False},
            {"speaker": "Lisa Simpson", "text": "Hi.", "is_character": True},
            {"speaker": "Ned", "text": "What do you play?", "is_character": False},
        ],
        "speaker": "Lisa Simpson",
        "answer": "Jazz.",
        "version": "test-1",
        "source": "liked",
    }
    assert [line["text"] for line in corrected["context"]] == ["Only that?", "Blues.", "Really?"]
    assert (corrected["answer"], corrected["source"]) == ("Every day.", "corrected")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


async def test_what_is_rejected_is_not_learned_and_what_is_skipped_comes_again(stage: Stage) -> None:
    target = stage.folder / "lessons.jsonl"
    async with stage.bot(ScriptedActor(*ANSWERS), admin_ids=ADMINS):
        await conversation(stage)
        message = await decide(stage, await review(stage), "Skip", after="Every day.")
        await decide(stage, message, "Reject", after=SKIPPED)
        again = await review(stage)
        assert "Jazz." in again["text"]
        await decide(stage, again, "Skip", after=SKIPPED)
    assert stage.rows(STATES) == [(1, "new"), (1, "rejected")]
    status, out, _err = await command(stage, "feedback", str(target))
    assert (status, out) == (0, f"{target}: 0 liked answers, 0 corrected ones; accept some with /review first\n")
    assert target.read_bytes() == b""


async def test_a_double_press_decides_about_what_was_shown_and_nothing_else(stage: Stage) -> None:
    async with stage.bot(ScriptedActor(*ANSWERS), admin_ids=ADMINS):
        await conversation(stage)
        first = await review(stage)
        data = first["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
        world = stage.server.world
        queries = [world.press(world.users[ADMIN], world.chats[ADMIN], first, data)[0] for _ in range(2)]
        assert await asyncio.gather(*(stage.toast(query, ADMIN) for query in queries)) == ["", DECIDED]
        await page(stage, first, "Every day.")
    assert stage.rows(STATES) == [(1, "accepted"), (1, "new")]


async def test_of_two_admins_at_once_the_first_decides(stage: Stage) -> None:
    async with stage.bot(ScriptedActor(*ANSWERS), admin_ids=ADMINS):
        await conversation(stage)
        mine, theirs = await review(stage), await review(stage, OTHER_ADMIN)
        assert mine["text"] == theirs["text"]
        await decide(stage, mine, "Reject", after="Every day.")
        assert await stage.press(theirs, "Accept", user=OTHER_ADMIN) == DECIDED
        await page(stage, theirs, "Every day.")
    assert stage.rows(STATES) == [(1, "rejected"), (1, "new")]


async def test_what_changed_after_it_was_shown_is_not_accepted_unseen(stage: Stage) -> None:
    async with stage.bot(ScriptedActor(*ANSWERS), admin_ids=ADMINS):
        await conversation(stage)
        message = await decide(stage, await review(stage), "Accept", after="Every day.")
        last = stage.server.world.chats[1].messages[(await stage.messages(6))[3]["message_id"]]
        await stage.press(last, "What should I have said?")
        await stage.messages(7)
        await stage.say("Never.")
        await stage.messages(8)
        assert await stage.press(message, "Accept", user=ADMIN) == DECIDED
        again = await review(stage)
        assert again["text"].endswith("What I should have said:\nNever.")
        await decide(stage, again, "Accept", after=NOTHING)
    assert stage.rows("SELECT correction, state FROM feedback WHERE correction IS NOT NULL") == [("Never.", "accepted")]


async def test_the_likes_of_many_for_one_answer_are_one_decision_and_one_lesson(stage: Stage) -> None:
    target = stage.folder / "lessons.jsonl"
    async with stage.bot(ScriptedActor("Jazz."), admin_ids=ADMINS):
        await stage.say("@understudy_bot hello", user=1, chat_id=GROUP)
        (answer,) = await stage.shows("Jazz.", chat=GROUP)
        for user, sign in ((1, "👍"), (2, "👍"), (3, "👎")):
            await stage.press(answer, sign, user=user)
        message = await review(stage)
        assert message["text"].endswith("👍 2   👎 1")
        await decide(stage, message, "Accept", after=NOTHING)
        await stage.press(answer, "👍", user=4)
        assert (await review(stage))["text"] == NOTHING
    assert (await command(stage, "feedback", str(target)))[0] == 0
    assert [line["answer"] for line in lessons(target)] == ["Jazz."]


async def test_a_like_that_is_taken_back_after_it_was_accepted_is_not_learned(stage: Stage) -> None:
    target = stage.folder / "lessons.jsonl"
    async with stage.bot(ScriptedActor("Jazz."), admin_ids=ADMINS):
        await stage.say("Hello")
        (answer,) = await stage.shows("Jazz.")
        await stage.press(answer, "👍")
        await decide(stage, await review(stage), "Accept", after=NOTHING)
        await stage.press(answer, "👍")
    await command(stage, "feedback", str(target))
    assert lessons(target) == []


async def test_the_review_is_for_admins_in_their_private_chats_and_costs_nothing(stage: Stage) -> None:
    async with stage.bot(ScriptedActor("Jazz."), admin_ids=ADMINS, user_messages_per_day=1):
        await stage.say("Hello")
        (answer,) = await stage.shows("Jazz.")
        await stage.press(answer, "👍")
        for user in (1, 2):
            await stage.say("/review", user=user)
            await stage.say("/review", user=user, chat_id=GROUP)
        await stage.say("/review", user=ADMIN, chat_id=GROUP)
        assert await stage.answers(1, GROUP) == ["Please send me /review in our private chat."]
        message = await review(stage)
        stage.server.world.person(2)
        world = stage.server.world
        data = message["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
        query, _ = world.press(world.users[2], world.chats[ADMIN], message, data)
        assert await stage.toast(query, ADMIN) == ""
        assert await stage.answers(0, chat=2) == []
        assert len(await stage.answers(1)) == 1
    assert stage.rows(STATES) == [(1, "new")]
