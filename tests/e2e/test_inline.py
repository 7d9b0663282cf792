"""Inline mode over real HTTP: a question in any chat, answered once the typing has stopped, and kept nowhere."""

from typing import Any

import pytest

from bot.transport.previews import Pace
from tests.bot.actors import ScriptedActor
from tests.e2e.stage import Json, Stage

NEVER = 3600.0
AT_ONCE, NOT_YET = Pace(until_typed=0), Pace(until_typed=NEVER)
FRIENDS = -500


async def offered(stage: Stage, query: str, user: int = 1) -> Json:
    """What somebody is offered who types this."""
    return await stage.offered(await stage.type(query, user))


async def test_a_question_is_offered_with_its_answer_and_chosen_it_stands_in_the_chat(stage: Stage) -> None:
    actor = ScriptedActor("The saxophone.")
    await stage.add_group(FRIENDS)
    async with stage.bot(actor, pace=AT_ONCE):
        query = await stage.type(" What do you play? ")
        answer = await stage.offered(query)
        (result,) = answer["results"]
        assert (result["title"], result["description"]) == ("Lisa Simpson", "The saxophone.")
        assert (answer["cache_time"], answer["is_personal"], answer["button"]) == (0, True, None)
        number = await stage.choose(query, result["id"], FRIENDS)
    message = stage.server.world.chats[FRIENDS].messages[number]
    assert message["text"] == "“What do you play?”\n\nLisa Simpson: The saxophone."
    assert message["via_bot"]["username"] == "understudy_bot"
    assert actor.heard() == [["What do you play?"]]


async def test_what_was_sent_by_inline_mode_is_no_message_to_the_bot(stage: Stage) -> None:
    actor = ScriptedActor()
    async with stage.bot(actor, pace=AT_ONCE):
        await stage.say("Hello")
        await stage.answers(1)
        query = await stage.type("Who are you?")
        (result,) = (await stage.offered(query))["results"]
        await stage.choose(query, result["id"], 1)
        await stage.say("Go on")
        assert await stage.answers(2) == ["You said: Hello", "You said: Go on"]
    assert actor.heard()[-1] == ["Hello", "You said: Hello", "Go on"]


async def test_nothing_of_an_inline_question_is_kept(stage: Stage) -> None:
    actor = ScriptedActor("xylophone")
    async with stage.bot(actor, pace=AT_ONCE, user_messages_per_day=9):
        await offered(stage, "glockenspiel?")
        assert stage.rows("SELECT count(*) FROM messages") == [(0,)]
        assert stage.rows("SELECT count(*) FROM inbox") == [(0,)]
        assert stage.rows("SELECT sender_id, chat_id FROM admissions") == [(1, 1)]
        assert b"glockenspiel" not in stage.raw()
        assert b"xylophone" not in stage.raw()
        await stage.say("/privacy")
        assert "in other chats I answer, and do not keep" in (await stage.answers(1))[0]


async def test_an_inline_question_neither_reads_nor_changes_the_dialogue(stage: Stage) -> None:
    actor = ScriptedActor("Hi.", "Jazz.", "Fine.")
    async with stage.bot(actor, pace=AT_ONCE):
        await stage.say("Hello")
        await stage.answers(1)
        await offered(stage, "What do you play?")
        await stage.say("How are you?")
        await stage.answers(2)
    assert actor.heard() == [["Hello"], ["What do you play?"], ["Hello", "Hi.", "How are you?"]]


async def test_who_types_on_has_only_the_last_words_answered(stage: Stage) -> None:
    actor = ScriptedActor()
    async with stage.bot(actor, pace=NOT_YET):
        for beginning in ("W", "Wh", "Who"):
            await stage.type(beginning)
        empty = await offered(stage, "")
        assert empty["results"] == []
    assert actor.histories == []


async def test_typing_on_calls_off_the_answer_that_is_being_made(stage: Stage) -> None:
    actor = ScriptedActor()
    actor.gate.clear()
    async with stage.bot(actor, pace=AT_ONCE, user_messages_per_day=9):
        first = await stage.type("Who")
        await actor.until_busy(1)
        second = await stage.type("Who are you?")
        await stage.eventually(lambda: len(actor.histories) == 2)
        assert actor.busy == 1
        actor.gate.set()
        (result,) = (await stage.offered(second))["results"]
        assert result["description"] == "You said: Who are you?"
        assert stage.server.world.inline_queries[first].answer is None


async def test_one_persons_typing_does_not_call_off_anothers_question(stage: Stage) -> None:
    actor = ScriptedActor()
    actor.gate.clear()
    async with stage.bot(actor, pace=AT_ONCE):
        first, second = await stage.type("one", user=1), await stage.type("two", user=2)
        await actor.until_busy(2)
        actor.gate.set()
        found = [(await stage.offered(query))["results"][0]["description"] for query in (first, second)]
    assert found == ["You said: one", "You said: two"]


@pytest.mark.parametrize("query", ["", "  \n "])
async def test_without_a_question_there_is_a_hint(stage: Stage, query: str) -> None:
    async with stage.bot(ScriptedActor(), pace=AT_ONCE):
        answer = await offered(stage, query)
    assert answer["results"] == []
    assert answer["button"] == {"text": "Ask me something, and I answer here.", "start_parameter": "inline"}


async def test_who_may_not_talk_with_the_bot_is_told_so_and_who_is_banned_gets_nothing(stage: Stage) -> None:
    actor = ScriptedActor()
    settings: dict[str, Any] = {"allowed_user_ids": {1, 9}, "admin_ids": {9}}
    async with stage.bot(actor, pace=AT_ONCE, **settings):
        stranger = await offered(stage, "Who?", user=2)
        assert (stranger["results"], stranger["button"]["text"]) == ([], "Sorry, I may not talk with you yet.")
        await stage.say("/ban 1", user=9)
        await stage.answers(1, 9)
        banned = await stage.type("Who?", user=1)
        assert (await offered(stage, "Who?", user=9))["results"] != []
        assert stage.server.world.inline_queries[banned].answer is None
    assert actor.heard() == [["Who?"]]


async def test_inline_questions_count_for_the_quota_once_they_are_asked(stage: Stage) -> None:
    async with stage.bot(ScriptedActor(), pace=AT_ONCE, user_messages_per_day=1):
        assert len((await offered(stage, "one"))["results"]) == 1
        refused = await offered(stage, "two")
    assert refused["results"] == []
    assert refused["button"]["text"].startswith("So many messages!")


async def test_a_character_at_a_loss_for_words_offers_a_hint(stage: Stage) -> None:
    async with stage.bot(ScriptedActor("", "Fine."), pace=AT_ONCE):
        answer = await offered(stage, "one")
        assert (answer["results"], "Ask me again" in answer["button"]["text"]) == ([], True)
        assert (await offered(stage, "two"))["results"][0]["description"] == "Fine."


async def test_a_question_in_a_language_that_the_character_does_not_speak_is_met_with_a_hint(stage: Stage) -> None:
    actor = ScriptedActor()
    async with stage.bot(actor, pace=AT_ONCE):
        foreign = await offered(stage, "Was ist deine Lieblingsfarbe, und warum gefällt sie dir so gut?")
        assert (foreign["results"], foreign["button"]["text"]) == ([], "In English, please 🙂")
        assert len((await offered(stage, "And what is your favourite colour?"))["results"]) == 1
    assert actor.heard() == [["And what is your favourite colour?"]]


async def test_an_offer_that_comes_too_late_is_no_trouble(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    async with stage.bot(ScriptedActor(), pace=AT_ONCE):
        await stage.fault("400", method="answerInlineQuery")
        await stage.type("one")
        await stage.faults_are_over()
        assert len((await offered(stage, "two"))["results"]) == 1
    assert not [record for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")]


async def test_a_long_answer_and_hostile_words_are_offered_as_one_message_of_plain_text(stage: Stage) -> None:
    async with stage.bot(ScriptedActor("word " * 2000), pace=AT_ONCE):
        query = await stage.type("<b>2 < 3</b> & *so* " * 20)
        (result,) = (await stage.offered(query))["results"]
        number = await stage.choose(query, result["id"], 1)
    message = stage.server.world.chats[1].messages[number]
    assert message["text"].startswith("“<b>2 < 3</b> & *so*")
    assert len(message["text"]) <= 4096
    assert "entities" not in message


async def test_help_tells_of_inline_mode_where_the_bot_has_it(stage: Stage) -> None:
    async with stage.bot(ScriptedActor()):
        await stage.say("/help")
        assert "@understudy_bot QUESTION" in (await stage.answers(1))[0]
    await stage.botfather(inline=False)
    async with stage.bot(ScriptedActor()):
        await stage.say("/help")
        assert "QUESTION, in any other chat" not in (await stage.answers(2))[1]
