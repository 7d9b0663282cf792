"""A group that becomes a supergroup, over real HTTP: nothing is lost on the way."""

from typing import Any

from bot.transport.previews import Pace
from tests.bot.actors import PromptedActor, ScriptedActor
from tests.e2e.stage import Stage

GROUP, OWNER = -500, 2
AT_ONCE = Pace(until_shown=0, until_place_told=3600, between_edits=0, between_drafts=0)
UNFINISHED = "SELECT count(*) FROM inbox WHERE state NOT IN ('done', 'failed')"
WHERE = "SELECT DISTINCT chat_id FROM chats"


async def said(stage: Stage, text: str, chat: int = GROUP, **more: Any) -> None:
    """The owner calls the bot in the group."""
    await stage.say(f"@understudy_bot {text}", user=OWNER, chat_id=chat, **more)


async def test_the_dialogue_and_the_choices_of_a_group_go_on_in_the_supergroup(stage: Stage) -> None:
    actor = ScriptedActor("Hi.", "Me too.")
    async with stage.bot(actor):
        await said(stage, "Hello")
        await stage.answers(1, GROUP)
        await stage.say("/settings", user=OWNER, chat_id=GROUP)
        await stage.press((await stage.messages(2, GROUP))[1], "All messages", OWNER)
        await stage.rows_become("SELECT attention FROM chat_settings", [("all",)])
        moved = await stage.migrate(GROUP)
        await stage.rows_become(WHERE, [(moved,)])
        await stage.say("I am back", user=OWNER, chat_id=moved)
        assert await stage.answers(1, moved) == ["Me too."]
    assert actor.heard() == [["Hello"], ["Hello", "Hi.", "I am back"]]
    assert stage.rows("SELECT chat_id FROM chat_settings") == [(moved,)]
    assert stage.rows("SELECT former_id, id FROM moved_groups") == [(GROUP, moved)]


async def test_an_answer_under_way_arrives_in_the_supergroup_and_is_on_record_there(stage: Stage) -> None:
    actor = ScriptedActor("Hi.")
    actor.gate.clear()
    async with stage.bot(actor):
        await said(stage, "Hello")
        await actor.until_busy(1)
        moved = await stage.migrate(GROUP)
        actor.gate.set()
        (answer,) = await stage.messages(1, moved)
        await stage.rows_become(UNFINISHED, [(0,)])
        await stage.rows_become(WHERE, [(moved,)])
        assert answer["text"] == "Hi."
        assert "reply_to_message" not in answer
        await said(stage, "And you?", chat=moved)
        await stage.answers(2, moved)
    assert actor.heard()[1] == ["Hello", "Hi.", "And you?"]
    assert len(await stage.messages(0, GROUP)) == 0


async def test_an_answer_that_is_half_written_is_written_anew_in_the_supergroup(stage: Stage) -> None:
    actor = PromptedActor()
    async with stage.bot(actor, pace=AT_ONCE):
        await said(stage, "Hello")
        await actor.until_busy(1)
        await actor.say("Once ")
        await stage.shows("Once …", chat=GROUP)
        moved = await stage.migrate(GROUP)
        other = await stage.say("Hi all", user=OWNER, chat_id=moved)
        await actor.say("upon a time")
        actor.end()
        assert await stage.answers(1, moved) == ["Once upon a time"]
        await stage.rows_become(UNFINISHED, [(0,)])
        world = stage.server.world
        assert world.chats[moved].messages[other["message_id"]]["text"] == "Hi all"


async def test_what_is_begun_in_the_supergroup_is_completed_in_place(stage: Stage) -> None:
    actor = PromptedActor()
    async with stage.bot(actor, pace=AT_ONCE):
        await said(stage, "Hello")
        await actor.until_busy(1)
        moved = await stage.migrate(GROUP)
        await actor.say("Once ")
        await stage.shows("Once …", chat=moved)
        await actor.say("upon a time")
        actor.end()
        await stage.shows("Once upon a time", chat=moved)
        await stage.rows_become(UNFINISHED, [(0,)])
    assert await stage.answers(1, moved) == ["Once upon a time"]


async def test_an_answer_that_was_not_sent_before_a_restart_arrives_in_the_supergroup(stage: Stage) -> None:
    async with stage.bot(ScriptedActor("Hi.")):
        await said(stage, "Hello")
        await stage.answers(1, GROUP)
        await stage.rows_become(UNFINISHED, [(0,)])
    await said(stage, "Again")
    moved = await stage.migrate(GROUP)
    async with stage.bot(ScriptedActor("Hi again.")):
        assert await stage.answers(1, moved) == ["Hi again."]
        await stage.rows_become(UNFINISHED, [(0,)])
        await stage.rows_become(WHERE, [(moved,)])


async def test_retry_in_the_supergroup_writes_a_new_message_and_leaves_others_alone(stage: Stage) -> None:
    actor = ScriptedActor("Hi.", "Hello.")
    async with stage.bot(actor):
        await said(stage, "Hello")
        await stage.answers(1, GROUP)
        await stage.rows_become(UNFINISHED, [(0,)])
        moved = await stage.migrate(GROUP)
        await stage.rows_become(WHERE, [(moved,)])
        await stage.say("/retry", user=OWNER, chat_id=moved)
        (answer,) = await stage.messages(1, moved)
        await stage.rows_become(UNFINISHED, [(0,)])
    assert answer["text"] == "Hello."
    assert actor.heard() == [["Hello"], ["Hello"]]


async def test_a_group_on_the_list_of_guests_stays_welcome_as_a_supergroup(stage: Stage) -> None:
    async with stage.bot(ScriptedActor(), allowed_chat_ids={GROUP}):
        await said(stage, "Hello")
        await stage.answers(1, GROUP)
        moved = await stage.migrate(GROUP)
        await said(stage, "Still there?", chat=moved)
        assert await stage.answers(1, moved) == ["You said: Still there?"]
