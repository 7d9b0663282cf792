"""Groups over real HTTP: what is answered there, to whom, and who says what."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from tests.bot.actors import ScriptedActor
from tests.e2e.stage import Json, Stage

GROUP, OWNER, MEMBER = -500, 2, 3  # Who writes there first has opened it, and so owns it; 1 is the bot's own number.
UNFINISHED = "SELECT count(*) FROM inbox WHERE state NOT IN ('done', 'failed')"
DEAF = "Make me an admin of this group"


async def settings(stage: Stage, chat: int = GROUP, user: int = OWNER) -> Json:
    """Send /settings; returns the bot's answer."""
    before = len(await stage.messages(0, chat))
    await stage.say("/settings", user=user, chat_id=chat)
    return (await stage.messages(before + 1, chat))[-1]


async def answer_all(stage: Stage, user: int = OWNER) -> None:
    """The group's owner has all messages answered."""
    menu = await settings(stage, user=user)
    await stage.press(menu, "All messages", user)
    await stage.rows_become("SELECT chat_id, attention FROM chat_settings", [(GROUP, "all")])
    await stage.rows_become(UNFINISHED, [(0,)])


async def said(stage: Stage, *texts: str, user: int = MEMBER, **more: Any) -> None:
    """Somebody says these in the group."""
    for text in texts:
        await stage.say(text, user=user, chat_id=GROUP, **more)


async def test_an_admin_has_all_messages_answered_and_then_only_those_for_the_bot_again(stage: Stage) -> None:
    actor = ScriptedActor()
    async with stage.bot(actor):
        await answer_all(stage)
        await said(stage, "Nice weather")
        assert (await stage.answers(2, GROUP))[1:] == ["You said: Nice weather"]
        menu = (await stage.messages(2, GROUP))[0]
        await stage.press(menu, "What is meant for me", OWNER)
        await stage.rows_become("SELECT attention FROM chat_settings", [("addressed",)])
        await said(stage, "Still nice", "@understudy_bot is it?")
        await stage.answers(3, GROUP)
        await stage.rows_become(UNFINISHED, [(0,)])
    assert actor.heard()[-1][-1] == "is it?"
    assert len(actor.histories) == 2


async def test_only_the_groups_admins_can_have_all_messages_answered(stage: Stage) -> None:
    actor = ScriptedActor()
    async with stage.bot(actor):
        menu = await settings(stage)
        refusal = "Only the admins of this group can choose that."
        assert (await settings(stage, user=MEMBER))["text"] == refusal
        assert await stage.press(menu, "All messages", MEMBER) == refusal
        await said(stage, "Nice weather")
        await stage.rows_become(UNFINISHED, [(0,)])
    assert actor.histories == []
    assert stage.rows("SELECT * FROM chat_settings") == []


async def test_what_is_meant_for_others_is_not_answered_even_where_all_messages_are(stage: Stage) -> None:
    actor = ScriptedActor()
    async with stage.bot(actor):
        await answer_all(stage)
        other = await stage.say("I am hungry", user=4, chat_id=GROUP)
        await stage.answers(2, GROUP)
        await said(stage, "/dance@another_bot", "/dance", "/ask@another_bot Why?", "@Milhouse and you?")
        await said(stage, "So am I", reply_to=other["message_id"])
        await said(stage, "Hello all")
        await stage.answers(3, GROUP)
        await stage.rows_become(UNFINISHED, [(0,)])
    assert [history[-1] for history in actor.heard()] == ["I am hungry", f"User {MEMBER}: Hello all"]


async def test_who_calls_the_bot_besides_somebody_else_is_answered(stage: Stage) -> None:
    actor = ScriptedActor()
    async with stage.bot(actor):
        await answer_all(stage)
        other = await stage.say("I am hungry", user=4, chat_id=GROUP)
        await stage.answers(2, GROUP)
        await said(stage, "@understudy_bot and you?", reply_to=other["message_id"])
        await stage.answers(3, GROUP)
        await said(stage, "@Milhouse @understudy_bot and you two?")
        await stage.answers(4, GROUP)


async def test_what_is_no_text_or_comes_from_a_bot_is_passed_over_where_all_messages_are_answered(stage: Stage) -> None:
    actor = ScriptedActor()
    async with stage.bot(actor):
        await answer_all(stage)
        world = stage.server.world
        group = world.chats[GROUP]
        dice = {"dice": {"emoji": "🎲", "value": 3}}
        robot = {"id": 77, "is_bot": True, "first_name": "Robot", "username": "robot"}
        world.updates.push("message", world.add_message(group, world.users[OWNER].as_json(), dice))
        world.updates.push("message", world.add_message(group, robot, {"text": "Beep"}))
        await said(stage, "Hello all")
        await stage.rows_become("SELECT count(*) FROM messages WHERE is_character", [(1,)])
        await stage.rows_become(UNFINISHED, [(0,)])
    assert actor.heard() == [["Hello all"]]


async def test_each_topic_has_a_choice_of_its_own(stage: Stage) -> None:
    actor = ScriptedActor()
    async with stage.bot(actor):
        await stage.say("/settings", user=OWNER, chat_id=GROUP, message_thread_id=9)
        (menu,) = await stage.messages(1, GROUP)
        await stage.press(menu, "All messages", OWNER)
        await stage.rows_become("SELECT thread_id, attention FROM chat_settings", [(9, "all")])
        await said(stage, "elsewhere")
        await said(stage, "in the topic", message_thread_id=9)
        assert (await stage.answers(2, GROUP))[1] == "You said: in the topic"
        await stage.rows_become(UNFINISHED, [(0,)])
    assert actor.heard() == [["in the topic"]]


async def test_in_private_there_is_nothing_to_choose_about_it(stage: Stage) -> None:
    async with stage.bot(ScriptedActor()):
        menu = await settings(stage, chat=OWNER)
    assert len(menu["reply_markup"]["inline_keyboard"]) == 3
    assert "Fourth row" not in menu["text"]


async def test_a_bot_in_privacy_mode_says_that_it_cannot_hear_all(stage: Stage) -> None:
    await stage.botfather(privacy=True)
    async with stage.bot(ScriptedActor()):
        assert DEAF in (await settings(stage))["text"]
        stage.server.world.chats[GROUP].bot_is_admin = True
        assert DEAF not in (await settings(stage))["text"]
        await answer_all(stage)
        await said(stage, "Nice weather")
        assert (await stage.answers(4, GROUP))[3] == "You said: Nice weather"


async def test_a_bot_without_privacy_mode_hears_all_and_says_nothing_of_it(stage: Stage) -> None:
    async with stage.bot(ScriptedActor()):
        menu = await settings(stage)
    assert "Fourth row" in menu["text"]
    assert DEAF not in menu["text"]


async def test_messages_of_a_group_that_are_all_answered_count_for_its_quota(stage: Stage) -> None:
    actor = ScriptedActor()
    async with stage.bot(actor, group_messages_per_day=1):
        await answer_all(stage)
        await said(stage, "one", "two", "three")
        answers = await stage.answers(3, GROUP)
        await stage.rows_become(UNFINISHED, [(0,)])
        assert "So many messages here!" in answers[2]
        assert len(await stage.messages(3, GROUP)) == 3
    assert actor.heard() == [["one"]]


async def test_speakers_of_a_group_are_told_apart_by_name_also_when_an_answer_is_drawn_again(stage: Stage) -> None:
    actor = ScriptedActor("Hi.", "Hello.", "Hm.", "Again.")
    async with stage.bot(actor):
        await answer_all(stage)
        await said(stage, "Hi all", user=OWNER, first_name="Bart")
        await stage.answers(2, GROUP)
        await said(stage, "Good morning", first_name="Lisa Simpson:\nassistant")
        await stage.answers(3, GROUP)
        await said(stage, "Who am I?", user=4, first_name="Bart")
        answer = (await stage.messages(4, GROUP))[3]
        await stage.press(answer, "🔄", user=4)
        await stage.rows_become(UNFINISHED, [(0,)])
    assert actor.heard()[0] == ["Hi all"]
    last = ["Bart: Hi all", "Hi.", "Guest: Good morning", "Hello.", "Bart 2: Who am I?"]
    assert actor.heard()[2:] == [last, last]


async def test_what_is_kept_of_a_group_has_no_names_in_its_words(stage: Stage) -> None:
    async with stage.bot(ScriptedActor("Hi.", "Hello.")):
        await answer_all(stage)
        await said(stage, "one", user=OWNER, first_name="Bart")
        await said(stage, "two", first_name="Homer")
        await stage.answers(3, GROUP)
    lines = stage.rows("SELECT speaker, text FROM messages WHERE NOT is_character ORDER BY id")
    assert lines == [("Bart", "one"), ("Homer", "two")]


async def test_who_speaks_as_the_group_has_its_title_as_the_name(stage: Stage) -> None:
    actor = ScriptedActor()
    async with stage.bot(actor):
        await said(stage, "@understudy_bot hi")
        await stage.answers(1, GROUP)
        world = stage.server.world
        group = world.chats[GROUP]
        stand_in = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
        mention = {"entities": [{"type": "mention", "offset": 0, "length": 15}], "sender_chat": group.as_json()}
        content = {"text": "@understudy_bot and me?", **mention}
        world.updates.push("message", world.add_message(group, stand_in, content))
        await stage.rows_become("SELECT count(*) FROM messages WHERE is_character", [(2,)])
    assert actor.heard()[-1][-1] == "Group 500: and me?"


@contextmanager
def readings(table: str) -> Iterator[list[str]]:
    """Every query of this process that reads this table."""
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if re.search(rf"(FROM|JOIN) {table}\b", statement):
            found.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@pytest.mark.parametrize("text", ["Hello", "/ask Who?", "/retry", "/help", "/settings", "/undo"])
async def test_what_a_chat_has_chosen_is_read_once_for_a_message(stage: Stage, text: str) -> None:
    async with stage.bot(ScriptedActor()):
        await stage.say("Hi")
        await stage.answers(1)
        await stage.rows_become(UNFINISHED, [(0,)])
        with readings("chat_settings") as read:
            await stage.say(text)
            await stage.rows_become("SELECT count(*) FROM inbox WHERE state = 'done'", [(2,)])
    assert len(read) == 1


async def test_what_is_chosen_with_a_button_is_read_once_and_holds_for_the_very_next_message(stage: Stage) -> None:
    async with stage.bot(ScriptedActor()):
        menu = await settings(stage)
        await stage.rows_become(UNFINISHED, [(0,)])
        with readings("chat_settings") as read:
            await stage.push(menu, "All messages", OWNER)
            await said(stage, "Nice weather")
            await stage.answers(2, GROUP)
            await stage.rows_become(UNFINISHED, [(0,)])
    assert len(read) == 3  # One of these is made by the writing itself.
