"""What goes wrong on request."""

import asyncio

import aiohttp
import pytest

from tests.offline.caller import Caller


@pytest.fixture
async def chat(caller: Caller) -> Caller:
    await caller.say("Hi")
    return caller


async def test_flood_control_says_how_long_to_wait_as_often_as_asked(chat: Caller) -> None:
    await chat.fault("sendMessage", "429", count=2, retry_after=7)
    for _ in range(2):
        assert await chat.bot("sendMessage", chat_id=1, text="Hi") == {
            "ok": False,
            "error_code": 429,
            "description": "Too Many Requests: retry after 7",
            "parameters": {"retry_after": 7},
        }
    assert (await chat.result("sendMessage", chat_id=1, text="Hi"))["text"] == "Hi"


async def test_a_failure_can_be_put_off_until_some_calls_have_gone_well(chat: Caller) -> None:
    await chat.fault("sendMessage", "500", after=1)
    answers = [await chat.bot("sendMessage", chat_id=1, text=text) for text in ("one", "two", "three")]
    assert [answer["ok"] for answer in answers] == [True, False, True]


async def test_a_server_error_leaves_nothing_behind(chat: Caller) -> None:
    await chat.fault("sendmessage", "500")
    answer = await chat.bot("sendMessage", chat_id=1, text="lost")
    assert (answer["error_code"], answer["description"]) == (500, "Internal Server Error")
    assert [message["text"] for message in await chat.messages()] == ["Hi"]


async def test_a_person_can_have_blocked_the_bot(chat: Caller) -> None:
    await chat.fault("sendMessage", "403", chat_id=1)
    assert await chat.bot("sendMessage", chat_id=1, text="lost") == {
        "ok": False,
        "error_code": 403,
        "description": "Forbidden: bot was blocked by the user",
    }
    assert [message["text"] for message in await chat.messages()] == ["Hi"]


@pytest.mark.parametrize(("kind", "said"), [("drop", ["Hi"]), ("drop_after", ["Hi", "maybe"])])
async def test_a_dropped_connection_acts_or_not(chat: Caller, kind: str, said: list[str]) -> None:
    await chat.fault("sendMessage", kind)
    with pytest.raises(aiohttp.ClientError):
        await chat.bot("sendMessage", chat_id=1, text="maybe")
    assert [message["text"] for message in await chat.messages()] == said


async def test_a_slow_call_is_overtaken_by_others(chat: Caller) -> None:
    await chat.fault("sendMessage", "slow", seconds=0.4)
    slow = asyncio.create_task(chat.result("sendMessage", chat_id=1, text="slow"))
    await chat.until_faults_are_used_up()
    await chat.result("sendMessage", chat_id=1, text="quick")
    await slow
    assert [message["text"] for message in await chat.messages()] == ["Hi", "quick", "slow"]


async def test_a_fault_can_be_for_one_chat_only(chat: Caller) -> None:
    await chat.say("Hi", user_id=2)
    await chat.fault("sendMessage", "500", chat_id=2)
    assert (await chat.bot("sendMessage", chat_id=1, text="a"))["ok"]
    assert not (await chat.bot("sendMessage", chat_id=2, text="a"))["ok"]


async def test_a_star_hits_every_method_polling_included(chat: Caller) -> None:
    await chat.fault("*", "500", count=2)
    assert not (await chat.bot("getUpdates"))["ok"]
    assert not (await chat.bot("getMe"))["ok"]
    assert (await chat.bot("getMe"))["ok"]


async def test_a_dropped_poll_loses_no_update(chat: Caller) -> None:
    await chat.fault("getUpdates", "drop_after")
    with pytest.raises(aiohttp.ClientError):
        await chat.bot("getUpdates")
    assert [update["message"]["text"] for update in await chat.result("getUpdates")] == ["Hi"]


async def test_faults_can_be_called_off(chat: Caller) -> None:
    await chat.fault("*", "500", count=99)
    await chat.people("DELETE", "faults")
    assert (await chat.bot("getMe"))["ok"]


async def test_an_unknown_kind_of_fault_is_refused(chat: Caller) -> None:
    assert "kind must be one of" in (await chat.fault("*", "earthquake"))["error"]
