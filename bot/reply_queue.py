"""A fair queue in front of the engine: who may be answered next. Knows no Telegram.

At most `limit` answers are made at once, at most one of them for a chat. When a place becomes free it goes to the
chat that has waited longest since its last turn (round robin), so that a chat that sends a hundred messages slows
down only itself.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager


class ReplyQueue:
    """Hands out turns: `async with queue.turn(chat): ...`."""

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError("a reply queue needs room for one reply at least")
        self._free = limit
        # Chats with someone waiting, the next one to be served first.
        self._waiting: OrderedDict[Hashable, deque[asyncio.Future[None]]] = OrderedDict()
        self._speaking: set[Hashable] = set()

    @asynccontextmanager
    async def turn(self, chat: Hashable) -> AsyncIterator[None]:
        """Wait for a turn of this chat and hold it until the block ends."""
        await self._take(chat)
        try:
            yield
        finally:
            self._give_back(chat)

    async def _take(self, chat: Hashable) -> None:
        ticket = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(chat, deque()).append(ticket)
        self._admit()
        try:
            await ticket
        except asyncio.CancelledError:
            if ticket.cancelled():
                self._forget(chat, ticket)
            else:  # The turn was granted in the same moment as the waiter was cancelled.
                self._give_back(chat)
            raise

    def _give_back(self, chat: Hashable) -> None:
        self._speaking.discard(chat)
        self._free += 1
        self._admit()

    def _forget(self, chat: Hashable, ticket: asyncio.Future[None]) -> None:
        tickets = self._waiting.get(chat)
        if tickets and ticket in tickets:
            tickets.remove(ticket)
            if not tickets:
                del self._waiting[chat]

    def _admit(self) -> None:
        while self._free and (chat := self._next_chat()) is not None:
            ticket = self._pop(chat)
            if not ticket.done():
                ticket.set_result(None)
                self._speaking.add(chat)
                self._free -= 1

    def _next_chat(self) -> Hashable | None:
        return next((chat for chat in self._waiting if chat not in self._speaking), None)

    def _pop(self, chat: Hashable) -> asyncio.Future[None]:
        tickets = self._waiting[chat]
        ticket = tickets.popleft()
        if tickets:
            self._waiting.move_to_end(chat)
        else:
            del self._waiting[chat]
        return ticket
