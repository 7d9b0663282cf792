"""The chat service: what a message means, and that what it changes is all or nothing."""

import asyncio

import pytest

from bot.casting import SoleActor
from bot.chat_service import ChatService, Conversation, Line, Request
from bot.errors import EmptyAnswerError
from bot.reply_queue import ReplyQueue
from bot.storage.memory import MemoryHistory
from tests.bot.actors import ScriptedActor

HOME, OTHER, TOPIC = Conversation(1), Conversation(2), Conversation(1, 77)


def service(actor: ScriptedActor, context_messages: int = 6, limit: int = 8) -> ChatService:
    return ChatService(SoleActor(actor), MemoryHistory().unit_of_work, ReplyQueue(limit), context_messages)


def request(text: str, where: Conversation = HOME) -> Request:
    return Request(where, Line("Ned", text))


async def test_a_dialogue_answer_sees_what_was_said_before() -> None:
    actor = ScriptedActor("Hi Ned.", "I play the saxophone.")
    chat = service(actor)
    await chat.talk(request("Hello"))
    assert await chat.talk(request("And you?")) == "I play the saxophone."
    assert actor.histories[1] == [
        Line("Ned", "Hello"),
        Line("Lisa Simpson", "Hi Ned.", is_character=True),
        Line("Ned", "And you?"),
    ]


async def test_no_more_earlier_messages_go_along_than_was_set() -> None:
    actor = ScriptedActor("1", "2", "3")
    chat = service(actor, context_messages=3)
    for text in ("a", "b", "c"):
        await chat.talk(request(text))
    assert actor.heard()[2] == ["1", "b", "2", "c"]


async def test_with_no_context_allowed_every_message_stands_alone() -> None:
    actor = ScriptedActor("1", "2")
    chat = service(actor, context_messages=0)
    await chat.talk(request("a"))
    await chat.talk(request("b"))
    assert actor.heard() == [["a"], ["b"]]


async def test_a_single_question_neither_reads_nor_changes_the_dialogue() -> None:
    actor = ScriptedActor("Hi.", "Bart.", "Fine.")
    chat = service(actor)
    await chat.talk(request("Hello"))
    assert await chat.ask(request("Who is your brother?")) == "Bart."
    await chat.talk(request("How are you?"))
    assert actor.heard()[1:] == [["Who is your brother?"], ["Hello", "Hi.", "How are you?"]]


async def test_after_a_reset_the_dialogue_begins_anew_in_that_chat_only() -> None:
    actor = ScriptedActor()
    chat = service(actor)
    await chat.talk(request("a"))
    await chat.talk(request("b", OTHER))
    await chat.reset(HOME)
    await chat.talk(request("c"))
    await chat.talk(request("d", OTHER))
    assert actor.heard()[2:] == [["c"], ["b", "You said: b", "d"]]


async def test_topics_of_a_group_do_not_see_each_other() -> None:
    actor = ScriptedActor()
    chat = service(actor)
    await chat.talk(request("a"))
    await chat.talk(request("b", TOPIC))
    assert actor.heard()[1] == ["b"]


async def test_an_answer_is_stripped() -> None:
    assert await service(ScriptedActor(" \n Hi. \n")).talk(request("Hello")) == "Hi."


@pytest.mark.parametrize("nothing", ["", " \n"])
async def test_after_an_empty_answer_it_says_so_and_keeps_the_dialogue_as_it_was(nothing: str) -> None:
    actor = ScriptedActor(nothing, "Hi.")
    chat = service(actor)
    with pytest.raises(EmptyAnswerError):
        await chat.talk(request("Hello"))
    await chat.talk(request("Hello again"))
    assert actor.heard()[1] == ["Hello again"]


async def test_an_answer_that_fails_leaves_no_trace() -> None:
    actor = ScriptedActor(RuntimeError("out of memory"), "Hi.")
    chat = service(actor)
    with pytest.raises(RuntimeError):
        await chat.talk(request("Hello"))
    await chat.talk(request("Hello again"))
    assert actor.heard()[1] == ["Hello again"]


async def test_a_cancelled_answer_leaves_no_trace_and_frees_its_place() -> None:
    actor = ScriptedActor()
    actor.gate.clear()
    chat = service(actor, limit=1)
    talking = asyncio.create_task(chat.talk(request("Hello")))
    await actor.started.wait()
    talking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await talking
    assert actor.busy == 0
    actor.gate.set()
    await chat.talk(request("Hello again"))
    assert actor.heard()[1] == ["Hello again"]


async def test_a_listener_sees_the_answer_grow() -> None:
    seen: list[str] = []
    await service(ScriptedActor("My name is Lisa")).ask(request("Who?"), seen.append)
    assert seen == ["My", "My name", "My name is", "My name is Lisa"]


async def test_many_chats_are_answered_at_once_within_the_limit() -> None:
    actor = ScriptedActor()
    actor.gate.clear()
    chat = service(actor, limit=3)
    talks = [asyncio.create_task(chat.talk(request("Hello", Conversation(number)))) for number in range(10)]
    for _ in range(20):
        await asyncio.sleep(0)
    assert actor.busy == 3
    actor.gate.set()
    assert await asyncio.gather(*talks) == ["You said: Hello"] * 10
    assert actor.most_busy == 3
