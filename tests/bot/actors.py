"""Actors for tests: they implement the service's protocol without a model."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from bot.chat_service import Line
from tests.bot.waiting import until


class ScriptedActor:
    """Gives the queued replies one after the other, then echoes; records every history it is given.

    A queued exception is raised. While `gate` is closed, replies wait; `busy` counts those that wait or stream.
    """

    name = "Lisa Simpson"
    version = "test-1"
    greeting = "Hi, I'm Lisa!"

    def __init__(self, *replies: str | Exception) -> None:
        self.replies = list(replies)
        self.histories: list[list[Line]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.started = asyncio.Event()
        self.busy = 0
        self.most_busy = 0
        self.closed = False

    async def reply(self, history: Sequence[Line]) -> AsyncGenerator[str, None]:
        """Stream the next reply word by word."""
        self.histories.append(list(history))
        self.busy += 1
        self.started.set()
        self.most_busy = max(self.busy, self.most_busy)
        try:
            await self.gate.wait()
            reply = self.replies.pop(0) if self.replies else f"You said: {history[-1].text}"
            if isinstance(reply, Exception):
                raise reply
            for piece in reply.split(" "):
                yield piece + " "
                await asyncio.sleep(0)
        finally:
            self.busy -= 1

    async def until_busy(self, count: int) -> None:
        """Wait until so many replies are made at once."""
        while self.busy < count:
            self.started.clear()
            await self.started.wait()

    async def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True

    def heard(self) -> list[list[str]]:
        """The texts of every history so far."""
        return [[line.text for line in history] for history in self.histories]


class PromptedActor(ScriptedActor):
    """Says what a test prompts, in any number of pieces, and ends an answer when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self._prompts: asyncio.Queue[str | Exception | None] = asyncio.Queue()
        self._said = 0
        self._prompted = 0

    async def reply(self, history: Sequence[Line]) -> AsyncGenerator[str, None]:
        """Stream what is prompted."""
        self.histories.append(list(history))
        self.busy += 1
        self.started.set()
        try:
            while (piece := await self._prompts.get()) is not None:
                if isinstance(piece, Exception):
                    raise piece
                yield piece
                self._said += 1
        finally:
            self.busy -= 1

    async def say(self, *pieces: str) -> None:
        """Have pieces said, and wait until they are."""
        self._prompted += len(pieces)
        for piece in pieces:
            self._prompts.put_nowait(piece)
        await until(lambda: self._said == self._prompted)

    def end(self, error: Exception | None = None) -> None:
        """Have the answer end, or fail."""
        self._prompts.put_nowait(error)
