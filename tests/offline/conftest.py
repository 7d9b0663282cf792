"""A running offline Telegram, and a person to drive it over HTTP as the page does."""

from collections.abc import AsyncIterator
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
        """The description of a call that is to be refused."""
        body = await self.bot(method, **arguments)
        assert not body["ok"], body
        return str(body["description"])

    async def people(self, verb: str, what: str, **arguments: Any) -> Json:
        """A call of the people's side: arguments in the query for GET, else as JSON."""
        where = {"params": arguments} if verb == "GET" else {"json": arguments}
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


@pytest.fixture
async def server() -> AsyncIterator[OfflineTelegram]:
    telegram = OfflineTelegram()
    await telegram.start()
    yield telegram
    await telegram.stop()


@pytest.fixture
async def caller(server: OfflineTelegram) -> AsyncIterator[Caller]:
    async with aiohttp.ClientSession() as session:
        yield Caller(server, session)
