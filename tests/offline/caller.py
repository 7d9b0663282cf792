"""Drives an offline Telegram over plain HTTP: a bot's calls, and people as the page has them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from bot.offline import OfflineTelegram

Json = dict[str, Any]


class Caller:
    """Calls the server with plain HTTP: as a bot, and as people."""

    def __init__(self, server: OfflineTelegram, session: aiohttp.ClientSession) -> None:
        self.server = server
        self.session = session

    async def bot(self, method: str, **arguments: Any) -> Json:
        """A Bot API call with a JSON body; the whole answer."""
        address = f"{self.server.base_url}1:offline/{method}"
        async with self.session.post(address, json=arguments) as answer:
            body: Json = await answer.json()
            assert body["ok"] == (answer.status == 200)
            assert body["ok"] or body["error_code"] == answer.status
            return body

    async def result(self, method: str, **arguments: Any) -> Any:
        """The result of a call that is to succeed."""
        body = await self.bot(method, **arguments)
        assert body["ok"], body
        return body["result"]

    async def refusal(self, method: str, **arguments: Any) -> str:
        """The description of a call that is to be refused as a bad request."""
        body = await self.bot(method, **arguments)
        assert body.get("error_code") == 400, body
        return str(body["description"])

    async def people(self, verb: str, what: str, **arguments: Any) -> Json:
        """A call of the people's side: arguments in the query for GET, else as JSON."""
        where: Json = {"params": arguments} if verb == "GET" else {"json": arguments}
        async with self.session.request(verb, f"{self.server.url}/people/{what}", **where) as answer:
            body: Json = await answer.json()
            return body

    async def say(self, text: str, user_id: int = 1, **more: Any) -> Json:
        """A person writes, in private unless `chat_id` says otherwise."""
        return await self.people("POST", "send", **{"user_id": user_id, "chat_id": user_id, "text": text, **more})

    async def fault(self, method: str, kind: str, **more: Any) -> Json:
        return await self.people("POST", "faults", method=method, kind=kind, **more)

    async def messages(self, chat_id: int = 1, **more: Any) -> list[Json]:
        shown: list[Json] = (await self.people("GET", "messages", chat_id=chat_id, **more))["messages"]
        return shown

    async def until_polled(self) -> None:
        """Returns once a long poll waits on the server."""

        async def polled() -> bool:
            return bool((await self.people("GET", "state"))["polled"])

        await eventually(polled)

    async def until_faults_are_used_up(self) -> None:
        """Returns once every fault has hit a call."""

        async def used_up() -> bool:
            return not (await self.people("GET", "faults"))["faults"]

        await eventually(used_up)

    async def webhook_info(self, is_there: Callable[[Json], bool]) -> Json:
        """The webhook's state, once it is such."""

        async def reached() -> bool:
            return is_there(await self.result("getWebhookInfo"))

        await eventually(reached)
        info: Json = await self.result("getWebhookInfo")
        return info


async def eventually(probe: Callable[[], Awaitable[bool]]) -> None:
    """Returns as soon as the probe says yes; fails if it does not for ten seconds."""
    for _ in range(1000):
        if await probe():
            return
        await asyncio.sleep(0.01)
    pytest.fail("what was waited for did not happen")


@asynccontextmanager
async def running() -> AsyncIterator[OfflineTelegram]:
    """A server of its own, stopped at the end."""
    telegram = OfflineTelegram()
    await telegram.start()
    yield telegram
    await telegram.stop()


@asynccontextmanager
async def calling(server: OfflineTelegram) -> AsyncIterator[Caller]:
    """A caller of that server."""
    async with aiohttp.ClientSession() as session:
        yield Caller(server, session)
