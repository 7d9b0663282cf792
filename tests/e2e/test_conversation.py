"""Conversations over real HTTP: what people write, and what the bot answers."""

import re

import pytest

from bot.chat_service import Line
from tests.bot.actors import ScriptedActor
from tests.e2e.stage import Stage


async def test_plain_messages_are_a_dialogue(stage: Stage) -> None:
    actor = ScriptedActor("Hi Ned!", "I play the saxophone.")
    async with stage.bot(actor):
        await stage.say("Hello", first_name="Ned")
        assert await stage.answers(1) == ["Hi Ned!"]
        await stage.say("And you?")
        assert await stage.answers(2) == ["Hi Ned!", "I play the saxophone."]
    assert actor.histories[1] == [
        Line("Ned", "Hello"),
        Line("Lisa Simpson", "Hi Ned!", is_character=True),
        Line("Ned", "And you?"),
    ]
    assert actor.closed


async def test_a_question_apart_neither_reads_nor_changes_the_dialogue(stage: Stage) -> None:
    actor = ScriptedActor("Hi.", "Bart.", "Fine.")
    async with stage.bot(actor):
        for text in ("Hello", "/ask Who is\nyour brother?", "How are you?"):
            await stage.say(text)
        assert await stage.answers(3) == ["Hi.", "Bart.", "Fine."]
    assert actor.heard() == [["Hello"], ["Who is\nyour brother?"], ["Hello", "Hi.", "How are you?"]]


async def test_ask_alone_explains_itself(stage: Stage) -> None:
    actor = ScriptedActor()
    async with stage.bot(actor):
        await stage.say("/ask")
        (answer,) = await stage.answers(1)
    assert "/ask Who are you?" in answer
    assert actor.histories == []


async def test_reset_forgets_the_dialogue_and_says_so(stage: Stage) -> None:
    actor = ScriptedActor()
    async with stage.bot(actor):
        for text in ("Hello", "/reset", "Hello again"):
            await stage.say(text)
        answers = await stage.answers(3)
    assert "forgotten" in answers[1]
    assert actor.heard() == [["Hello"], ["Hello again"]]


async def test_the_dialogue_survives_a_restart(stage: Stage) -> None:
    async with stage.bot(ScriptedActor("Hi.")):
        await stage.say("Hello")
        await stage.answers(1)
    actor = ScriptedActor("Me too.")
    async with stage.bot(actor):
        await stage.say("And?")
        await stage.answers(2)
    assert actor.heard() == [["Hello", "Hi.", "And?"]]


async def test_start_greets_with_the_characters_own_words(stage: Stage) -> None:
    async with stage.bot(ScriptedActor()):
        await stage.say("/start")
        assert await stage.answers(1) == ["Hi, I'm Lisa!\n\nWrite me something, or see /help."]


async def test_without_a_greeting_of_its_own_the_character_is_introduced(stage: Stage) -> None:
    actor = ScriptedActor()
    actor.greeting = ""
    async with stage.bot(actor):
        await stage.say("/start")
        assert (await stage.answers(1))[0].startswith("Hi! I am Lisa Simpson.")


async def test_texts_follow_the_language_of_whoever_writes(stage: Stage) -> None:
    async with stage.bot(ScriptedActor()):
        await stage.say("/help", user=1, language_code="en")
        await stage.say("/help", user=2, language_code="ru")
        await stage.say("/help", user=3, language_code="de")
        english, russian, german = [(await stage.answers(1, chat))[0] for chat in (1, 2, 3)]
    assert "/reset: I forget" in english
    assert "/reset: забыть" in russian
    assert german == english


async def test_help_names_every_registered_command(stage: Stage) -> None:
    async with stage.bot(ScriptedActor()):
        await stage.say("/help")
        (text,) = await stage.answers(1)
        registered = (await stage.state())["commands"]
    by_language = {entry["language_code"]: entry["commands"] for entry in registered}
    assert set(by_language) == {"", "ru"}
    names = [command["command"] for command in by_language[""]]
    assert names == [command["command"] for command in by_language["ru"]]
    assert set(re.findall(r"/(\w+)", text)) == set(names) - {"start"}
    assert by_language["ru"][0]["description"] == "Задать отдельный вопрос"


async def test_an_unknown_command_gets_a_hint(stage: Stage) -> None:
    async with stage.bot(ScriptedActor()):
        await stage.say("/dance")
        assert "/help" in (await stage.answers(1))[0]


async def test_typing_is_shown_while_an_answer_is_on_its_way(stage: Stage) -> None:
    actor = ScriptedActor()
    actor.gate.clear()
    async with stage.bot(actor):
        await stage.say("Hello")
        await stage.typing_is_shown()
        actor.gate.set()
        await stage.answers(1)


async def test_a_long_answer_comes_in_several_messages(stage: Stage) -> None:
    text = " ".join(f"This is sentence {number}." for number in range(400))
    async with stage.bot(ScriptedActor(text)):
        await stage.say("Tell me a story")
        parts = await stage.answers(3)
    assert all(part.endswith(".") and len(part) <= 4096 for part in parts)
    assert " ".join(parts) == text


async def test_markup_in_an_answer_stays_text(stage: Stage) -> None:
    async with stage.bot(ScriptedActor("<b>2 < 3</b> *and* _so on_")):
        await stage.say("Hello")
        (message,) = await stage.messages(1)
    assert message["text"] == "<b>2 < 3</b> *and* _so on_"
    assert "entities" not in message


async def test_many_chats_are_answered_at_once_each_in_its_order(stage: Stage) -> None:
    actor = ScriptedActor()
    actor.gate.clear()
    async with stage.bot(actor, max_concurrent_replies=4):
        for number in range(3):
            for user in range(1, 7):
                await stage.say(f"message {number}", user=user)
        await actor.until_busy(4)
        actor.gate.set()
        for user in range(1, 7):
            assert await stage.answers(3, user) == [f"You said: message {number}" for number in range(3)]
    assert actor.most_busy == 4


async def test_an_error_reaches_the_log_and_a_friendly_line_the_user(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    async with stage.bot(ScriptedActor(RuntimeError("tensor trouble"), "Fine.")):
        await stage.say("my private words")
        assert await stage.answers(1) == ["Sorry, something went wrong on my side. Please try again in a moment."]
        await stage.say("How are you?", language_code="en")
        assert (await stage.answers(2))[1] == "Fine."
        await stage.rows_become("SELECT state FROM inbox ORDER BY update_id", [("failed",), ("done",)])
    assert "tensor trouble" in caplog.text
    assert "Traceback" in caplog.text
    assert "private words" not in caplog.text


async def test_a_character_at_a_loss_for_words_says_so_in_the_users_language(stage: Stage) -> None:
    async with stage.bot(ScriptedActor("")):
        await stage.say("Hello", language_code="ru")
        assert await stage.answers(1) == ["Не нахожу слов. Может, спросите иначе?"]


async def test_in_a_group_it_answers_mentions_replies_and_commands_only(stage: Stage) -> None:
    actor = ScriptedActor()
    group = -500
    async with stage.bot(actor):
        await stage.say("Nice weather", chat_id=group)
        await stage.say("@understudy_bot who are you?", chat_id=group)
        (first,) = await stage.messages(1, group)
        await stage.say("@somebody_else and you?", chat_id=group)
        await stage.say("And your brother?", chat_id=group, reply_to=first["message_id"])
        await stage.say("/ask@understudy_bot Who?", chat_id=group)
        await stage.say("/ask@another_bot Who?", chat_id=group)
        await stage.say("/dance", chat_id=group)
        await stage.say("/reset", chat_id=group)
        answers = await stage.answers(4, group)
    assert answers[:3] == ["You said: who are you?", "You said: And your brother?", "You said: Who?"]
    assert "forgotten" in answers[3]
    assert len(answers) == 4
    assert "reply_to_message" in first


async def test_a_group_and_its_topics_have_dialogues_apart_from_everyones_private_one(stage: Stage) -> None:
    actor = ScriptedActor()
    async with stage.bot(actor):
        await stage.say("private")
        await stage.answers(1)
        await stage.say("@understudy_bot group", chat_id=-500)
        await stage.answers(1, -500)
        await stage.say("@understudy_bot topic", chat_id=-500, message_thread_id=9)
        answer = (await stage.messages(2, -500))[1]
    assert actor.heard() == [["private"], ["group"], ["topic"]]
    assert answer["message_thread_id"] == 9


async def test_no_text_is_left_in_the_inbox_once_it_is_answered(stage: Stage) -> None:
    async with stage.bot(ScriptedActor()):
        await stage.say("Hello")
        await stage.answers(1)
        await stage.rows_become("SELECT state, payload, reply FROM inbox", [("done", None, None)])
