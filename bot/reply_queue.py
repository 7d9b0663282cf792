"""A fair queue in front of the engine: who may be answered next. Knows no Telegram.

At most `limit` answers are made at once, at most one of them for a chat. When a place becomes free it goes to the
chat that has waited longest since its last turn (round robin), so that a chat that sends a hundred messages slows
down only itself.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager
from functools import partial


class Ticket:
    """Somebody's place in the queue, for whoever wants to tell them."""

    def __init__(self) -> None:
        self._count: Callable[[], int] = lambda: 0

    @property
    def before(self) -> int:
        """How many others are answered now, or are before it: 0 if it does not wait."""
        return self._count()

    def follow(self, count: Callable[[], int]) -> None:
        """Have the place counted by the queue in which it is."""
        self._count = count


class ReplyQueue:
    """Hands out turns: `async with queue.turn(chat): ...`."""

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError("a reply queue needs room for one reply at least")
        self._free = limit
        # Chats with someone waiting, the next one to be served first.
        self._waiting: OrderedDict[Hashable, deque[asyncio.Future[None]]] = OrderedDict()
        self._speaking: set[Hashable] = set()

    @property
    def speaking(self) -> int:
        """How many replies are being made."""
        return len(self._speaking)

    @property
    def waiting(self) -> int:
        """How many replies wait for their turn."""
        return sum(map(len, self._waiting.values()))

    @asynccontextmanager
    async def turn(self, chat: Hashable, ticket: Ticket | None = None) -> AsyncIterator[None]:
        """Wait for a turn of this chat and hold it until the block ends; the `ticket` tells how long that may be."""
        await self._take(chat, ticket or Ticket())
        try:
            yield
        finally:
            self._give_back(chat)

    async def _take(self, chat: Hashable, ticket: Ticket) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(chat, deque()).append(turn)
        ticket.follow(partial(self._before, chat, turn))
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._forget(chat, turn)
            else:  # The turn was granted in the same moment as the waiter was cancelled.
                self._give_back(chat)
            raise

    def _give_back(self, chat: Hashable) -> None:
        self._speaking.discard(chat)
        self._free += 1
        self._admit()

    def _before(self, chat: Hashable, turn: asyncio.Future[None]) -> int:
        if turn.done():
            return 0
        before = len(self._speaking)
        rounds = self._waiting[chat].index(turn) + 1  # Every chat gets one turn in each.
        for other, turns in self._waiting.items():
            if other == chat:
                rounds -= 1
            before += min(len(turns), rounds)
        return before

    def _forget(self, chat: Hashable, turn: asyncio.Future[None]) -> None:
        turns = self._waiting.get(chat)
        if turns and turn in turns:
            turns.remove(turn)
            if not turns:
                del self._waiting[chat]

    def _admit(self) -> None:
        while self._free and (chat := self._next_chat()) is not None:
            turn = self._pop(chat)
            if not turn.done():
                turn.set_result(None)
                self._speaking.add(chat)
                self._free -= 1

    def _next_chat(self) -> Hashable | None:
        return next((chat for chat in self._waiting if chat not in self._speaking), None)

    def _pop(self, chat: Hashable) -> asyncio.Future[None]:
        turns = self._waiting[chat]
        turn = turns.popleft()
        if turns:
            self._waiting.move_to_end(chat)
        else:
            del self._waiting[chat]
        return turn
