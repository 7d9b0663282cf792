"""The order of work: chats in parallel, the messages of each chat one after the other."""

import asyncio
from collections.abc import Awaitable
from typing import Any
from weakref import WeakValueDictionary

from telegram import Update
from telegram.ext import BaseUpdateProcessor

from bot.chat_service import Conversation
from bot.inbox import Inbox
from bot.stopping import Stopping
from bot.transport.addressing import calls_stop, conversation_of, owner_of

# How many updates may be waiting or in work. Waiting costs next to nothing, and a bound that is reached would let one
# busy chat hold up the others; what limits the work is the reply queue.
MANY = 100_000


class ChatOrder(BaseUpdateProcessor):
    """Runs the handling of updates, each within its chat's turn and under the inbox's eye.

    /stop waits for no turn: it is about what holds the turn, or waits for it.
    """

    __slots__ = ("_inbox", "_running", "_stopping", "_turns")

    def __init__(self, inbox: Inbox, stopping: Stopping | None = None) -> None:
        super().__init__(MANY)
        self._inbox = inbox
        self._stopping = stopping or Stopping()
        # A lock lives as long as somebody holds it or waits for it. Locks are handed on in the order of asking.
        self._turns: WeakValueDictionary[Conversation, asyncio.Lock] = WeakValueDictionary()
        self._running: set[asyncio.Task[Any]] = set()

    async def do_process_update(self, update: object, coroutine: Awaitable[Any]) -> None:
        task = asyncio.current_task()
        assert task is not None, "updates are processed in tasks"
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        if not isinstance(update, Update):
            await coroutine
            return
        with self._stopping.in_hand(update.update_id, owner_of(update)):
            async with self._turn(update):
                await self._handle(update, coroutine)

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

    def _turn(self, update: Update) -> asyncio.Lock:
        message = update.effective_message
        if update.message_reaction:  # Where the answer that it is about may be on its way; topics are not told.
            conversation = Conversation(update.message_reaction.chat.id)
        elif message is None or calls_stop(update):
            return asyncio.Lock()
        else:
            conversation = conversation_of(message)
        return self._turns.setdefault(conversation, asyncio.Lock())
