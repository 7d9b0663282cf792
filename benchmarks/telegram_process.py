"""The offline Telegram as a process of its own, with people in it who write and look at the clock.

People, server and clock are one process, and the people write straight into the world, so that a message costs as
little here as can be. Trials are asked for by lines of JSON on standard input, and answered so on standard output; the
first line that is written is the server's address. Times are those of `time.monotonic`, in seconds.
"""

import asyncio
import json
import sys
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

from bot.offline import OfflineTelegram
from bot.offline.feed import Feed
from bot.offline.world import Json, World

PATIENCE = 120.0  # Seconds without any answer after which those that are missing count as lost.
THOUGHT = 0.03  # Seconds between an answer and the next message of a dialogue, in which the bot comes to rest.


class Stopwatch(Feed):
    """A feed that notes when which text was said by the bot in which chat."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: defaultdict[int, list[tuple[str, float]]] = defaultdict(list)
        self.count = 0
        self._news = asyncio.Event()

    def publish(self, event: Json) -> None:
        """See `Feed`."""
        if event["type"] == "message" and event["message"]["from"]["is_bot"]:
            self.heard[event["chat_id"]].append((event["message"].get("text", ""), time.monotonic()))
            self.count += 1
            self._news.set()
        super().publish(event)

    async def reaches(self, count: int) -> None:
        """Wait until so much has been said; less if nothing comes any more."""
        try:
            while self.count < count:
                self._news.clear()
                await asyncio.wait_for(self._news.wait(), PATIENCE)
        except TimeoutError:
            return


class Crowd:
    """People who write, and what they have said: texts and times by chat."""

    def __init__(self, world: World, clock: Stopwatch) -> None:
        self._world = world
        self._clock = clock
        self._said: defaultdict[int, list[tuple[str, float]]] = defaultdict(list)

    async def one_by_one(self, people: int, messages: int) -> Json:
        """A message at a time, each after the answer to the one before."""
        start = self._begin()
        for number in range(messages):
            self._say(1 + number % people, number)
            await self._clock.reaches(number + 1)
            await asyncio.sleep(THOUGHT)
        return self._outcome(start)

    async def at_rate(self, people: int, messages: int, rate: float) -> Json:
        """So many messages a second, whether or not the ones before are answered; all at once with a `rate` of 0."""
        start = self._begin()
        for number in range(messages):
            self._say(1 + number % people, number)
            if rate and (ahead := start + (number + 1) / rate - time.monotonic()) > 0:
                await asyncio.sleep(ahead)
        await self._clock.reaches(messages)
        await asyncio.sleep(THOUGHT)  # For what comes twice.
        return self._outcome(start)

    def _begin(self) -> float:
        self._said.clear()
        self._clock.heard.clear()
        self._clock.count = 0
        return time.monotonic()

    def _say(self, user_id: int, number: int) -> None:
        person = self._world.person(user_id, first_name=f"Guest {user_id}")
        message = self._world.add_message(
            self._world.chats[user_id], person.as_json(), {"text": f"What is number {number} for you?"}
        )
        self._said[user_id].append((message["text"], time.monotonic()))
        self._world.updates.push("message", message)

    def _outcome(self, start: float) -> Json:
        """How long each answer took, and how many did not come, or came too often."""
        waits, lost, doubled = [], 0, 0
        for chat, said in self._said.items():
            heard = self._clock.heard[chat]
            waits += [then - moment for (_, moment), (_, then) in zip(said, heard, strict=False)]
            lost += max(0, len(said) - len(heard))
            doubled += max(0, len(heard) - len(said))
        last = max((moment for heard in self._clock.heard.values() for _, moment in heard), default=start)
        return {"waits": waits, "lost": lost, "doubled": doubled, "start": start, "last": last}


async def serve() -> None:
    """Run until standard input ends."""
    server, clock = OfflineTelegram(), Stopwatch()
    server.world.feed = clock
    crowd = Crowd(server.world, clock)
    trials: dict[str, Callable[..., Awaitable[Any]]] = {"one_by_one": crowd.one_by_one, "at_rate": crowd.at_rate}
    await server.start()
    print(json.dumps(server.url), flush=True)
    try:
        while line := await asyncio.to_thread(sys.stdin.readline):
            name, options = json.loads(line)
            print(json.dumps(await trials[name](**options)), flush=True)
    finally:
        await server.stop()


if __name__ == "__main__":
    asyncio.run(serve())
