"""Delivery to a webhook."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from tests.offline.caller import Caller


class Receiver:
    """A bot's webhook: keeps what it gets, and answers with the statuses given (200 when they are used up)."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.received: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        update = await request.json()
        secret = request.headers.get("X-Telegram-Bot-Api-Secret-Token", "")
        self.received.put_nowait((update["message"]["text"], secret))
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)

    async def next(self) -> tuple[str, str]:
        return await asyncio.wait_for(self.received.get(), 20)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiving = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiving.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiving.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield receiving
    await runner.cleanup()


async def until_delivered(caller: Caller) -> Any:
    return await caller.webhook_info(lambda info: info["pending_update_count"] == 0)


async def test_updates_are_delivered_with_the_secret(caller: Caller, receiver: Receiver) -> None:
    await caller.say("before")
    await caller.result("setWebhook", url=receiver.url, secret_token="s3cret_-")
    await caller.say("after")
    assert [await receiver.next(), await receiver.next()] == [("before", "s3cret_-"), ("after", "s3cret_-")]
    info = await until_delivered(caller)
    assert (info["url"], info["has_custom_certificate"]) == (receiver.url, False)
    assert "last_error_message" not in info


async def test_without_a_secret_there_is_no_header(caller: Caller, receiver: Receiver) -> None:
    await caller.result("setWebhook", url=receiver.url)
    await caller.say("hello")
    assert await receiver.next() == ("hello", "")


async def test_what_is_not_accepted_comes_again_in_order(caller: Caller, receiver: Receiver) -> None:
    receiver.statuses = [500, 200]
    await caller.result("setWebhook", url=receiver.url)
    await caller.say("one")
    await caller.say("two")
    assert [(await receiver.next())[0] for _ in range(3)] == ["one", "one", "two"]
    info = await until_delivered(caller)
    assert info["last_error_message"] == "Wrong response from the webhook: 500 Internal Server Error"
    assert info["last_error_date"] > 0


async def test_a_webhook_that_nobody_listens_to_keeps_updates_waiting(caller: Caller, receiver: Receiver) -> None:
    await caller.result("setWebhook", url="http://127.0.0.1:9/hook")
    await caller.say("patience")
    info = await caller.webhook_info(lambda info: "last_error_message" in info)
    assert (info["last_error_message"], info["pending_update_count"]) == ("Connection refused", 1)
    await caller.result("setWebhook", url=receiver.url)
    assert (await receiver.next())[0] == "patience"


async def test_pending_updates_can_be_dropped(caller: Caller) -> None:
    await caller.say("forget me")
    await caller.result("deleteWebhook", drop_pending_updates=True)
    assert await caller.result("getUpdates") == []


async def test_an_empty_address_removes_the_webhook(caller: Caller, receiver: Receiver) -> None:
    await caller.result("setWebhook", url=receiver.url, max_connections=3, allowed_updates=["message"])
    info = await caller.result("getWebhookInfo")
    assert (info["max_connections"], info["allowed_updates"]) == (3, ["message"])
    await caller.result("setWebhook", url="")
    assert (await caller.result("getWebhookInfo"))["url"] == ""


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        ({"url": "ftp://127.0.0.1/"}, "bad webhook: An HTTPS URL must be provided for webhook"),
        ({"url": "https://example.org/"}, "bad webhook: the offline Telegram delivers to this machine only"),
        ({"url": "http://127.0.0.1/", "secret_token": "no spaces"}, "secret token contains unallowed characters"),
        ({"url": "http://127.0.0.1/", "secret_token": "a" * 257}, "secret token is too long"),
    ],
)
async def test_a_bad_webhook_is_refused(caller: Caller, arguments: dict[str, str], refusal: str) -> None:
    assert await caller.refusal("setWebhook", **arguments) == f"Bad Request: {refusal}"
