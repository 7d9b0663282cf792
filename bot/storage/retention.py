"""Retention: messages that are older than the operator wants to keep are deleted, at the start and then daily."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from sqlalchemy import delete, select

from bot.errors import StorageError
from bot.storage.erasure import empty_log
from bot.storage.tables import Message, now
from bot.storage.transaction import Sessions, transaction

log = logging.getLogger(__name__)

BATCH = 500  # Messages in one transaction, which takes milliseconds; SQLite lets only one write at a time.
PAUSE_SECONDS = 0.1  # Between two batches, for those who wait to write.
DAY_SECONDS = 86_400.0
RETRY_SECONDS = 600.0


class Retention:
    """Keeps messages for so many days; 0: for ever."""

    def __init__(self, sessions: Sessions, days: int) -> None:
        self._sessions = sessions
        self._days = days

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Delete what is too old, now and once a day, until the block ends."""
        over = asyncio.Event()
        task = asyncio.create_task(self._watch(over))
        try:
            yield
        finally:
            over.set()
            await task

    async def _watch(self, over: asyncio.Event) -> None:
        while self._days and not over.is_set():
            try:
                await self._delete_old(over)
                seconds = DAY_SECONDS
            except StorageError as error:
                log.warning("Old messages could not be deleted yet: %s", error)
                seconds = RETRY_SECONDS
            await _pause(over, seconds)

    async def _delete_old(self, over: asyncio.Event) -> None:
        count = 0
        while not over.is_set() and (deleted := await self._delete_batch()):
            count += deleted
            await _pause(over, PAUSE_SECONDS)
        if count:
            await empty_log(self._sessions)
            log.info("%d messages were older than %d days (RETENTION_DAYS) and are deleted", count, self._days)

    async def _delete_batch(self) -> int:
        old = select(Message.id).where(Message.created_at < now() - timedelta(days=self._days))
        batch = old.order_by(Message.created_at).limit(BATCH)
        async with transaction(self._sessions) as session:
            gone = await session.scalars(delete(Message).where(Message.id.in_(batch)).returning(Message.id))
            return len(gone.all())


async def _pause(over: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(over.wait(), seconds)
