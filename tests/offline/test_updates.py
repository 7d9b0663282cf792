"""getUpdates: long polling, offsets, and who may poll."""

import asyncio
from typing import Any

import pytest

from bot.offline import OfflineTelegram
from bot.offline.updates import UpdateQueue
from tests.offline.caller import Caller


async def texts(caller: Caller, **arguments: Any) -> list[str]:
    return [update["message"]["text"] for update in await caller.result("getUpdates", **arguments)]


async def test_unconfirmed_updates_come_again(caller: Caller) -> None:
    await caller.say("one")
    await caller.say("two")
    assert await texts(caller) == ["one", "two"]
    assert await texts(caller) == ["one", "two"]


async def test_an_offset_forgets_everything_before_it(caller: Caller) -> None:
    await caller.say("one")
    second = await caller.say("two")
    await caller.say("three")
    assert await texts(caller, offset=second["update_id"]) == ["two", "three"]
    assert await texts(caller) == ["two", "three"]


async def test_a_negative_offset_keeps_the_last_ones(caller: Caller) -> None:
    for word in ("one", "two", "three"):
        await caller.say(word)
    assert await texts(caller, offset=-5) == ["one", "two", "three"]
    assert await texts(caller, offset=-2) == ["two", "three"]
    assert await texts(caller) == ["two", "three"]


async def test_limit_bounds_an_answer(caller: Caller) -> None:
    for word in ("one", "two", "three"):
        await caller.say(word)
    assert await texts(caller, limit=2) == ["one", "two"]
    assert await texts(caller, limit=0) == ["one"]


async def test_a_waiting_poll_answers_as_soon_as_somebody_writes(caller: Caller) -> None:
    poll = asyncio.create_task(texts(caller, timeout=50))
    await caller.until_polled()
    assert not poll.done()
    await caller.say("at last")
    assert await asyncio.wait_for(poll, 10) == ["at last"]


async def test_a_poll_that_waits_in_vain_answers_with_nothing(caller: Caller) -> None:
    assert await texts(caller, timeout=1) == []


async def test_a_second_poll_ends_the_first_with_a_conflict(caller: Caller) -> None:
    first = asyncio.create_task(caller.bot("getUpdates", timeout=50))
    await caller.until_polled()
    second = asyncio.create_task(texts(caller, timeout=50))
    ended = await asyncio.wait_for(first, 10)
    assert (ended["ok"], ended["error_code"], ended["description"]) == (
        False,
        409,
        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    )
    await caller.until_polled()
    await caller.say("for the second")
    assert await asyncio.wait_for(second, 10) == ["for the second"]


async def test_a_poll_whose_client_is_gone_takes_nothing_with_it(caller: Caller) -> None:
    poll = asyncio.create_task(caller.bot("getUpdates", timeout=50))
    await caller.until_polled()
    poll.cancel()
    await asyncio.gather(poll, return_exceptions=True)
    await caller.say("still here")
    assert await texts(caller) == ["still here"]


async def test_polling_is_refused_while_a_webhook_is_set(caller: Caller) -> None:
    await caller.result("setWebhook", url="http://127.0.0.1:9/hook")
    answer = await caller.bot("getUpdates")
    assert (answer["error_code"], answer["description"]) == (
        409,
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
    )
    await caller.result("deleteWebhook")
    assert await texts(caller) == []


async def test_setting_a_webhook_ends_a_waiting_poll(caller: Caller) -> None:
    poll = asyncio.create_task(caller.bot("getUpdates", timeout=50))
    await caller.until_polled()
    await caller.result("setWebhook", url="http://127.0.0.1:9/hook")
    assert (await asyncio.wait_for(poll, 10))["description"] == "Conflict: terminated by setWebhook request"


async def test_only_the_allowed_kinds_are_queued_and_the_choice_is_remembered(caller: Caller) -> None:
    await caller.result("getUpdates", allowed_updates=["callback_query"])
    await caller.say("unwanted")
    assert await texts(caller) == []
    await caller.result("getUpdates", allowed_updates=[])
    await caller.say("wanted")
    assert await texts(caller) == ["wanted"]


@pytest.mark.parametrize(
    ("token", "code", "description"),
    [("1:another", 401, "Unauthorized"), ("nonsense", 404, "Not Found"), ("1:", 404, "Not Found")],
)
async def test_a_wrong_token_is_refused(caller: Caller, token: str, code: int, description: str) -> None:
    async with caller.session.get(f"{caller.server.base_url}{token}/getMe") as answer:
        assert answer.status == code
        assert await answer.json() == {"ok": False, "error_code": code, "description": description}


async def test_an_unknown_method_is_refused(caller: Caller) -> None:
    answer = await caller.bot("makeCoffee")
    assert (answer["error_code"], answer["description"]) == (404, "Not Found: method not found")


async def test_methods_are_found_in_any_case_and_by_get(caller: Caller) -> None:
    async with caller.session.get(f"{caller.server.base_url}1:offline/GETME") as answer:
        me = (await answer.json())["result"]
    assert (me["id"], me["is_bot"], me["first_name"], me["username"]) == (1, True, "Lisa Simpson", "understudy_bot")


async def test_ids_go_on_where_an_earlier_server_stopped() -> None:
    confirmed: list[dict[str, Any]] = []
    queue = UpdateQueue(7, confirmed.append)
    assert [queue.push("message", {"n": n}) for n in range(3)] == [7, 8, 9]
    queue.confirm(9)
    assert [update["update_id"] for update in confirmed] == [7, 8]
    assert OfflineTelegram().world.updates.push("message", {}) > 1_000_000


async def test_stopping_ends_a_waiting_poll_and_starting_again_keeps_what_was_said(
    server: OfflineTelegram, caller: Caller
) -> None:
    poll = asyncio.create_task(caller.bot("getUpdates", timeout=50))
    await caller.until_polled()
    address = server.url
    await server.stop()
    await asyncio.gather(poll, return_exceptions=True)
    await server.start()
    assert server.url == address
    await caller.say("hello again")
    assert await texts(caller) == ["hello again"]
