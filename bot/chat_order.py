"""The order of work: chats in parallel, the messages of each chat one after the other."""

import asyncio
from collections.abc import Awaitable
from typing import Any
from weakref import WeakValueDictionary

from telegram import Update
from telegram.ext import BaseUpdateProcessor

from bot.addressing import conversation_of
from bot.chat_service import Conversation
from bot.inbox import Inbox

# How many updates may be waiting or in work. Waiting costs next to nothing, and a bound that is reached would let one
# busy chat hold up the others; what limits the work is the reply queue.
MANY = 100_000


class ChatOrder(BaseUpdateProcessor):
    """Runs the handling of updates, each within its chat's turn and under the inbox's eye."""

    __slots__ = ("_inbox", "_running", "_turns")

    def __init__(self, inbox: Inbox) -> None:
        super().__init__(MANY)
        self._inbox = inbox
        # A lock lives as long as somebody holds it or waits for it. Locks are handed on in the order of asking.
        self._turns: WeakValueDictionary[Conversation, asyncio.Lock] = WeakValueDictionary()
        self._running: set[asyncio.Task[Any]] = set()

    async def do_process_update(self, update: object, coroutine: Awaitable[Any]) -> None:
        task = asyncio.current_task()
        assert task is not None, "updates are processed in tasks"
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        async with self._turn(update):
            if isinstance(update, Update):
                await self._handle(update, coroutine)
            else:
                await coroutine

    async def abandon(self) -> int:
        """Cancel what is still being handled; it stays in the inbox. Returns how many updates that were."""
        tasks = list(self._running)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return len(tasks)

    async def initialize(self) -> None:
        """Nothing to prepare."""

    async def shutdown(self) -> None:
        """Nothing to free."""

    async def _handle(self, update: Update, handling: Awaitable[Any]) -> None:
        async with self._inbox.handling(update):
            await handling
        # Within the turn: what was said after a postponed message must not be handled before it.
        while again := await self._inbox.postponed(update):
            async with self._inbox.handling(update):
                await again()

    def _turn(self, update: object) -> asyncio.Lock:
        message = update.effective_message if isinstance(update, Update) else None
        if message is None:
            return asyncio.Lock()
        return self._turns.setdefault(conversation_of(message), asyncio.Lock())
