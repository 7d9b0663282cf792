"""/settings over real HTTP: how answers are given, and the language of the interface."""

from typing import Any

import pytest

from bot.chat_settings import Creativity, Length, Manner
from bot.locales import Locales
from tests.bot.actors import ScriptedActor
from tests.e2e.stage import Json, Stage

GROUP = -500  # Who writes there first has opened it, and so is its admin; 1 is the bot's own id on this stage.
FINISHED = "SELECT count(*) FROM inbox WHERE state NOT IN ('done', 'failed')"


class Versatile(ScriptedActor):
    """Remembers in which manner it was asked to answer."""

    def __init__(self, *replies: str | Exception) -> None:
        super().__init__(*replies)
        self.manners: list[Manner] = []

    def acting(self, manner: Manner) -> ScriptedActor:
        self.manners.append(manner)
        return self


async def menu(stage: Stage, user: int = 1, chat: int = 1, **more: Any) -> Json:
    """Send /settings; returns the bot's answer."""
    before = len(await stage.messages(0, chat))
    await stage.say("/settings", user=user, chat_id=chat, **more)
    return (await stage.messages(before + 1, chat))[-1]


async def press(stage: Stage, message: Json, label: str, user: int = 1) -> Json:
    """Press a button; returns the menu as it is when all is done."""
    await stage.press(message, label, user)
    await stage.rows_become(FINISHED, [(0,)])
    messages = await stage.messages(0, message["chat"]["id"])
    return next(one for one in messages if one["message_id"] == message["message_id"])


def marked(message: Json) -> list[str]:
    """The labels that are marked, one of each row."""
    rows = message["reply_markup"]["inline_keyboard"]
    return [button["text"][2:] for row in rows for button in row if button["text"].startswith("✓ ")]


async def test_the_menu_marks_what_holds_and_a_press_moves_the_mark(stage: Stage) -> None:
    async with stage.bot(Versatile()):
        message = await menu(stage)
        assert marked(message) == ["As trained", "Normal", "Automatic"]
        message = await press(stage, message, "Wild")
        assert marked(message) == ["Wild", "Normal", "Automatic"]
        message = await press(stage, message, "Short")
        assert marked(message) == ["Wild", "Short", "Automatic"]
        assert marked(await press(stage, message, "Short")) == ["Wild", "Short", "Automatic"]


async def test_a_choice_holds_for_the_very_next_answer_in_that_chat_only_and_after_a_restart(stage: Stage) -> None:
    actor = Versatile()
    async with stage.bot(actor):
        message = await menu(stage)
        await stage.press(message, "Calm")
        await stage.press(message, "Long")
        await stage.say("Hello")
        await stage.answers(2)
        await stage.say("Hello", user=2)
        await stage.answers(1, chat=2)
    async with stage.bot(actor):
        await stage.say("/ask Who?")
        await stage.answers(3)
    calm = Manner(Creativity.CALM, Length.LONG)
    assert actor.manners == [calm, Manner(), calm]


async def test_a_chosen_language_is_that_of_every_notice_and_automatic_is_that_of_the_person(stage: Stage) -> None:
    russian = Locales().speak("ru")
    start = "Write me something, or see /help."
    async with stage.bot(Versatile(), user_messages_per_minute=9):
        message = await press(stage, await menu(stage), "Русский")
        assert marked(message)[2] == "Русский"
        await stage.say("/start")
        assert (await stage.answers(2))[-1].endswith(russian(start))
        await stage.say("/undo")
        nothing = "There is nothing to take back: I remember no conversation."
        assert (await stage.answers(3))[-1] == russian(nothing)
        await stage.say("Hello")
        await stage.answers(4)
        await stage.say("/undo", user=2)
        assert await stage.answers(1, chat=2) == [nothing]
        await press(stage, message, "English")
        await stage.say("/start", language_code="ru")
        assert (await stage.answers(5))[-1].endswith(start)


async def test_automatic_goes_back_to_the_language_of_whoever_writes(stage: Stage) -> None:
    async with stage.bot(Versatile()):
        message = await menu(stage, language_code="ru")
        message = await press(stage, message, "English")
        message = await press(stage, message, "Automatic")
        await stage.say("/start")
        assert (await stage.answers(2))[-1].endswith(Locales().speak("ru")("Write me something, or see /help."))


async def test_in_a_group_only_its_admins_choose(stage: Stage) -> None:
    refusal = "Only the admins of this group can choose that."
    async with stage.bot(Versatile()):
        message = await menu(stage, user=2, chat=GROUP)
        assert (await menu(stage, user=3, chat=GROUP))["text"] == refusal
        assert await stage.press(message, "Wild", user=3) == refusal
        assert stage.rows("SELECT * FROM chat_settings") == []
        assert marked(await press(stage, message, "Wild", user=2))[0] == "Wild"


@pytest.mark.parametrize("data", ["set:creativity:mad", "set:language:de", "set:length:", "set:persona:bart", "who:1"])
async def test_data_that_no_button_has_is_answered_and_changes_nothing(stage: Stage, data: str) -> None:
    async with stage.bot(Versatile()):
        message = await menu(stage)
        world = stage.server.world
        query, _ = world.press(world.users[1], world.chats[1], message, data)
        await stage.toast(query)
        await stage.rows_become(FINISHED, [(0,)])
    assert stage.rows("SELECT * FROM chat_settings") == []


async def test_a_button_that_is_days_old_still_does_what_it_says(stage: Stage) -> None:
    async with stage.bot(Versatile()):
        message = await menu(stage)
        world = stage.server.world
        old = {"chat": message["chat"], "message_id": message["message_id"], "date": 0}
        world.press(world.users[1], world.chats[1], old, "set:creativity:wild")
        await stage.rows_become("SELECT chat_id, creativity FROM chat_settings", [(1, "wild")])


async def test_both_commands_are_in_the_menu_and_cost_nothing_of_a_quota(stage: Stage) -> None:
    async with stage.bot(Versatile(), user_messages_per_day=1):
        for _ in range(2):
            await menu(stage)
        await stage.say("/persona")
        await stage.answers(3)
        await stage.say("Hello")
        assert (await stage.answers(4))[-1] == "You said: Hello"
        (chat,) = [chat for chat in (await stage.state())["chats"] if chat["id"] == 1]
    assert {"persona", "settings"} <= {command["command"] for command in chat["commands"]["1"]}
