"""Stopping: what somebody has asked can be called off until its answer is made. Knows no Telegram.

Every request in hand is an errand, from its arrival on: so it can be stopped before its turn has come, and whoever
stops it need not wait for a turn. Once an answer is made it is stored and sent, whatever happens.
"""

import asyncio
from collections.abc import AsyncIterator, Hashable, Iterator
from contextlib import asynccontextmanager, contextmanager

from bot.errors import BotError


class StoppedError(BotError):
    """Whoever asked does not want the answer any more."""


class Errand:
    """Something that was asked: of whom it is (`owner`), and whether it is still wanted."""

    def __init__(self, owner: Hashable = None) -> None:
        self.owner = owner
        self._stopped = False
        self._settled = False
        self._scope: asyncio.Timeout | None = None

    def stop(self) -> bool:
        """Call it off; False if its answer is made already."""
        if self._settled:
            return False
        if self._scope and not self._stopped:
            self._scope.reschedule(0)  # A moment that is long over: the work is cancelled at once.
        self._stopped = True
        return True

    def settle(self) -> None:
        """The answer is made: from here on nothing stops it. Raises StoppedError if that was done in time."""
        self._refuse_if_stopped()
        self._settled = True

    @asynccontextmanager
    async def thinking(self) -> AsyncIterator[None]:
        """Wrap the work on the answer. Raises StoppedError where it is called off, and cancels what is in the block."""
        self._refuse_if_stopped()
        try:
            async with asyncio.timeout(None) as self._scope:
                yield
        except Exception:
            self._settled = False  # What failed may begin again, unless nobody waits for it any more.
            self._refuse_if_stopped()
            raise
        finally:
            self._scope = None

    def _refuse_if_stopped(self) -> None:
        if self._stopped:
            raise StoppedError("stopped by whoever asked")


class Stopping:
    """The errands in hand, in the order of their arrival, each by its receipt."""

    def __init__(self) -> None:
        self._errands: dict[int, Errand] = {}

    @contextmanager
    def in_hand(self, receipt: int, owner: Hashable) -> Iterator[None]:
        """An errand arrives, and is in hand until the block ends."""
        self._errands[receipt] = Errand(owner)
        try:
            yield
        finally:
            self._errands.pop(receipt, None)

    def errand(self, receipt: int | None) -> Errand:
        """The errand of a receipt; one that nobody can stop where there is none."""
        return self._errands.get(receipt, Errand()) if receipt is not None else Errand()

    def stop(self, owner: Hashable, before: int) -> bool:
        """Call off all that the owner has asked before the receipt `before`; False if nothing of it was in hand."""
        stopped = False
        for receipt, errand in self._errands.items():
            if receipt == before:
                break
            if errand.owner == owner:
                stopped = errand.stop() or stopped
        return stopped
