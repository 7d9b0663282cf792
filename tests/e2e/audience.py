"""What people in the offline Telegram hear from the bot, as it happens, and which of them writes what."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

from bot.offline.world import World
from tests.e2e.stage import Stage

WORDS = "You said: {}"  # How the actor of `bot_process` answers.


class Audience:
    """Everything that the bot has said in each chat, in order. Edits are not heard."""

    def __init__(self) -> None:
        self.heard: defaultdict[int, list[str]] = defaultdict(list)
        self._news: defaultdict[int, asyncio.Event] = defaultdict(asyncio.Event)

    @property
    def count(self) -> int:
        """How much has been said, in all chats."""
        return sum(map(len, self.heard.values()))

    async def hears(self, chat: int, texts: set[str]) -> None:
        """Wait until all these have been said in a chat."""
        while not texts <= set(self.heard[chat]):
            self._news[chat].clear()
            await self._news[chat].wait()

    @asynccontextmanager
    async def listening(self, world: World) -> AsyncIterator[None]:
        """Listen until the block ends."""
        task = asyncio.create_task(self._listen(world))
        await asyncio.sleep(0)  # From here on it hears everything.
        try:
            yield
        finally:
            task.cancel()

    async def _listen(self, world: World) -> None:
        with world.feed.reader() as events:
            while (event := await events.get()) is not None:
                if event["type"] == "message" and event["message"]["from"]["is_bot"]:
                    self.heard[event["chat_id"]].append(event["message"].get("text", ""))
                    self._news[event["chat_id"]].set()


class Chatter:
    """Somebody who says one thing or a few, waits for the answers, thinks for a moment and goes on."""

    def __init__(self, stage: Stage, audience: Audience, user: int, random: Random) -> None:
        self.user = user
        self.expected: list[str] = []
        self._stage = stage
        self._audience = audience
        self._random = random

    async def chat(self, over: asyncio.Event) -> None:
        """Go on until `over`, and until the last answer is there."""
        while not over.is_set():
            said = [await self._say() for _ in range(self._random.choice((1, 1, 2, 3)))]
            await self._audience.hears(self.user, set(said))
            await asyncio.sleep(self._random.uniform(0, 0.5))

    async def _say(self) -> str:
        words = f"{len(self.expected)} of {self.user}"
        command = "/ask " if self._random.random() < 0.2 else ""
        self.expected.append(WORDS.format(words))
        await self._stage.say(f"{command}{words}", user=self.user)
        return self.expected[-1]
