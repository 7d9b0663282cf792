"""The bot's commands and texts, and who is in a chat."""

from typing import Any

import pytest

from tests.offline.caller import Caller

START = {"command": "start", "description": "Begin"}
ASK = {"command": "ask", "description": "Ask"}
RUSSIAN = {"command": "start", "description": "Начать"}


async def test_commands_are_kept_per_scope_and_language(caller: Caller) -> None:
    await caller.result("setMyCommands", commands=[START, ASK])
    await caller.result("setMyCommands", commands=[RUSSIAN], language_code="ru")
    groups = {"type": "all_group_chats"}
    await caller.result("setMyCommands", commands=[ASK], scope=groups)
    assert await caller.result("getMyCommands") == [START, ASK]
    assert await caller.result("getMyCommands", language_code="ru") == [RUSSIAN]
    assert await caller.result("getMyCommands", scope=groups) == [ASK]
    await caller.result("deleteMyCommands", language_code="ru")
    assert await caller.result("getMyCommands", language_code="ru") == []


async def test_everybody_sees_the_commands_of_their_language_and_chat(caller: Caller) -> None:
    await caller.result("setMyCommands", commands=[START, ASK])
    await caller.result("setMyCommands", commands=[RUSSIAN], language_code="ru")
    await caller.result("setMyCommands", commands=[ASK], scope={"type": "all_group_chats"})
    await caller.result("setMyCommands", commands=[START], scope={"type": "chat", "chat_id": 1003})
    chats = {chat["id"]: chat for chat in (await caller.people("GET", "state"))["chats"]}
    assert chats[1001]["commands"] == {"1001": [START, ASK]}
    assert chats[1002]["commands"] == {"1002": [RUSSIAN]}
    assert chats[1003]["commands"] == {"1003": [START]}
    assert chats[-1001]["commands"]["1002"] == [ASK]


@pytest.mark.parametrize(
    ("command", "refusal"),
    [
        ({"command": "Ask!", "description": "Ask"}, "BOT_COMMAND_INVALID"),
        ({"command": "a" * 33, "description": "Ask"}, "BOT_COMMAND_INVALID"),
        ({"command": "ask", "description": "a" * 257}, "BOT_COMMAND_DESCRIPTION_INVALID"),
        ({"command": "ask", "description": " "}, "command description is empty"),
        ("ask", "can't parse BotCommand: expected an Object"),
    ],
)
async def test_a_bad_command_is_refused(caller: Caller, command: Any, refusal: str) -> None:
    assert await caller.refusal("setMyCommands", commands=[command]) == f"Bad Request: {refusal}"


async def test_too_many_commands_and_unknown_scopes_are_refused(caller: Caller) -> None:
    assert await caller.refusal("setMyCommands", commands=[START] * 101) == "Bad Request: BOT_COMMANDS_TOO_MUCH"
    refusal = await caller.refusal("setMyCommands", commands=[START], scope={"type": "moon"})
    assert refusal == "Bad Request: can't parse BotCommandScope: unsupported type specified"


@pytest.mark.parametrize(("kind", "limit"), [("name", 64), ("description", 512), ("short_description", 120)])
async def test_texts_are_kept_per_language_with_a_limit(caller: Caller, kind: str, limit: int) -> None:
    method = "".join(word.title() for word in kind.split("_"))
    await caller.result(f"setMy{method}", **{kind: "For all"})
    await caller.result(f"setMy{method}", **{kind: "Для всех"}, language_code="ru")
    assert await caller.result(f"getMy{method}", language_code="ru") == {kind: "Для всех"}
    assert await caller.result(f"getMy{method}", language_code="de") == {kind: "For all"}
    assert "too long" in await caller.refusal(f"setMy{method}", **{kind: "a" * (limit + 1)})


async def test_the_first_of_a_group_owns_it(caller: Caller) -> None:
    await caller.say("Hi all", user_id=5, chat_id=-7, title="Readers")
    await caller.say("Hi", user_id=6, chat_id=-7)
    group = await caller.result("getChat", chat_id=-7)
    assert (group["type"], group["title"]) == ("group", "Readers")
    owners = await caller.result("getChatAdministrators", chat_id=-7)
    assert [(owner["user"]["id"], owner["status"]) for owner in owners] == [(5, "creator")]
    assert (await caller.result("getChatMember", chat_id=-7, user_id=6))["status"] == "member"
    assert (await caller.result("getChatMember", chat_id=-7, user_id=1))["user"]["is_bot"]
    assert await caller.result("getChatMemberCount", chat_id=-7) == 3
    assert await caller.refusal("getChatMember", chat_id=-7, user_id=1001) == "Bad Request: PARTICIPANT_ID_INVALID"
    assert await caller.refusal("getChatMember", chat_id=-7, user_id=99) == "Bad Request: member not found"


async def test_a_private_chat_has_no_administrators(caller: Caller) -> None:
    await caller.say("Hi", user_id=5)
    assert (await caller.result("getChat", chat_id=5))["type"] == "private"
    refusal = await caller.refusal("getChatAdministrators", chat_id=5)
    assert refusal == "Bad Request: there are no administrators in the private chat"
