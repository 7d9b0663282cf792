"""The inbox: no update is confirmed to Telegram before it is on disk.

python-telegram-bot awaits `put` of its update queue before it confirms what it has received, in polling and with a
webhook alike. So a queue whose `put` commits is enough: what was not finished when the process died is on record, and
`restore` brings it back. What comes in one answer to polling is put on record together, before the library sees it. An
update is `received`, then `answered` (set by the service, together with the answer), then `done`; or `failed`.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, nullcontext
from datetime import timedelta
from typing import TypeVar

from telegram import Bot, Update

from bot.errors import StorageError
from bot.storage.repository import InboxRepository, Standing, Unfinished
from bot.storage.tables import State
from bot.transport.numbering import Numbering
from bot.transport.updates import update_of

log = logging.getLogger(__name__)

ATTEMPTS = 2  # How often handling begins again after a crash. With the first time: three crashes set an update aside.
KEPT = timedelta(days=2)  # Telegram offers an update again for a day; a closed row is what tells a repeat.
PRUNE_EVERY = 1000  # updates
STORE_RETRY_SECONDS = 2.0
POSTPONE_SECONDS = 60.0

T = TypeVar("T")
Again = Callable[[], Awaitable[None]]
Excuse = Callable[[Update], Awaitable[None]]


class Inbox(asyncio.Queue[object]):
    """The update queue of the application, backed by the table `inbox`."""

    def __init__(self, rows: InboxRepository) -> None:
        super().__init__()
        self._rows = rows
        self.numbering = Numbering()
        self.left_at = 0  # The newest message that was known when the process before this one ended.
        self._taken = 0
        self._recorded: dict[int, bool] = {}  # By number of an update that is still to be put: whether it is new.
        self._open: set[int] = set()
        self._left_over: dict[int, Unfinished] = {}
        self._one_suspect = asyncio.Lock()
        self._postponed: dict[int, Again] = {}
        self._shown_in: dict[int, int] = {}
        self._is_waiting = False
        self._ask_to_wait: Excuse | None = None

    def excuse_with(self, ask_to_wait: Excuse) -> None:
        """From now on, whoever has written what cannot be put on record is asked to wait."""
        self._ask_to_wait = ask_to_wait

    async def put(self, item: object) -> None:
        """Commit an update, then queue it. A repeated update is dropped; what is not an update is only queued.

        So is an inline query: a few seconds later it is worth nothing, and nothing of it is to be kept.
        """
        if isinstance(item, Update) and item.inline_query is None:
            if item.update_id not in self._recorded:
                await self.record([(item, item.to_json())])
            if not self._recorded.pop(item.update_id):
                return
            self._open.add(item.update_id)
        await super().put(item)

    async def record(self, updates: Sequence[tuple[Update, str]]) -> None:
        """Commit updates that are going to be put, with the JSON that they came in, all in one transaction."""
        payloads = {update.update_id: payload for update, payload in updates if update.inline_query is None}
        if not payloads:
            return
        for update, _payload in updates:
            self.numbering.note(update.effective_message)
        # If the database is not available, waiting here keeps the updates unconfirmed, that is: safe with Telegram.
        new = await self._insist(lambda: self._rows.add(payloads), updates[0][0])
        await self._prune_now_and_then(len(new))
        # Nothing may be awaited between this and `put`: the same update, come again meanwhile, would be told it is old.
        self._recorded |= {number: number in new for number in payloads}

    async def restore(self, bot: Bot) -> int:
        """Queue all that was left unfinished, in the order of arrival, and drop old rows. Returns how many."""
        self.left_at = await self._rows.newest()
        self.numbering.go_on_from(self.left_at)
        await self._rows.prune(KEPT)
        left_over = await self._rows.unfinished()
        for row in left_over:
            self._left_over[row.update_id] = row
            if row.shown_in is not None:
                self._shown_in[row.update_id] = row.shown_in
            await self._queue_again(row, bot)
        return len(left_over)

    def left_over(self, update_id: int) -> Unfinished | None:
        """What is on record of an update that is taken up again; None if there is nothing to know but the update."""
        return self._left_over.get(update_id)

    @asynccontextmanager
    async def handling(self, update: Update) -> AsyncIterator[None]:
        """Wrap the handling of an update: afterwards it is done, unless someone has said otherwise.

        What was already begun again once may be what killed the process. Such suspects are handled one at a time, so
        that a bystander is not counted for the culprit's crash.
        """
        row = self._left_over.get(update.update_id)
        async with self._one_suspect if row and row.attempts else nullcontext():
            if row and row.reply is None:
                await self._insist(lambda: self._rows.begin_again(update.update_id))
            yield
        if update.update_id in self._open:
            await self.close(update.update_id)

    def shown_in(self, update_id: int) -> int | None:
        """The number of the message in which the answer to an update is being written, if it is seen there."""
        return self._shown_in.get(update_id)

    async def show_in(self, update_id: int, message: int) -> None:
        """Remember in which message the answer to an update is being written."""
        if self._shown_in.get(update_id) == message:
            return
        self._shown_in[update_id] = message
        try:
            await self._rows.show_in(update_id, message)
        except StorageError as error:  # Missed only if this process does not come to send the answer.
            log.warning("A message that is being written is not on record: %s", error)

    async def part_sent(self, update_id: int, parts: int, standing: Standing | None = None) -> None:
        """Remember that the first `parts` messages of a long reply have gone out, and which messages these are."""
        await self._insist(lambda: self._rows.part_sent(update_id, parts, self.numbering.newest(), standing))

    async def still_to_send(self, update_id: int) -> None:
        """Remember that the next message of a reply is not out yet, although others have come and gone since."""
        try:
            await self._rows.know(update_id, self.numbering.newest())
        except StorageError as error:  # Missed only if the process is killed just after the sending.
            log.warning("How far Telegram's numbers are is not on record: %s", error)

    async def close(self, update_id: int, failed: bool = False, standing: Standing | None = None) -> None:
        """Nothing is left to do for this update, or nothing can be done; `standing` is where the answer came to be."""
        state = State.FAILED if failed else State.DONE
        # Not to be given up: an answer that was sent and not marked would be sent again.
        await self._insist(lambda: self._rows.finish(update_id, state, self.numbering.newest(), standing))
        self.release(update_id)

    def release(self, update_id: int) -> None:
        """Leave an update as it is on record, to whoever else takes care of it."""
        self._forget(update_id)
        self._postponed.pop(update_id, None)
        self._shown_in.pop(update_id, None)

    def postpone(self, update: Update, again: Again) -> bool:
        """Leave an update as it is on record, for `again` to handle it in a while. False if that was done before."""
        first = update.update_id not in self._postponed
        self._forget(update.update_id)
        self._postponed[update.update_id] = again
        return first

    async def postponed(self, update: Update) -> Again | None:
        """What handles a postponed update, once its while is over; None if it was not postponed."""
        again = self._postponed.get(update.update_id)
        if again is None:
            return None
        await asyncio.sleep(POSTPONE_SECONDS)
        for row in await self._insist(lambda: self._rows.unfinished(update.update_id)):
            self._open.add(row.update_id)
            if row.reply is not None:
                self._left_over[row.update_id] = row
            return again
        del self._postponed[update.update_id]
        return None

    async def leave(self) -> None:
        """The process ends in good order: what is unfinished stays on record, under no suspicion."""
        try:
            await self._rows.forgive()
        except StorageError as error:
            log.error("The inbox could not be tidied: %s", error)

    async def _queue_again(self, row: Unfinished, bot: Bot) -> None:
        try:
            update = update_of(json.loads(row.payload), bot)
        except ValueError as error:
            log.error("Update %d on record cannot be read (%s)", row.update_id, error)
            await self._rows.finish(row.update_id, State.FAILED)
            return
        self._open.add(row.update_id)
        self.numbering.note(update.effective_message)
        await super().put(update)

    async def _prune_now_and_then(self, taken: int) -> None:
        self._taken += taken
        if self._taken >= PRUNE_EVERY:
            self._taken = 0
            await self._insist(lambda: self._rows.prune(KEPT))

    def _forget(self, update_id: int) -> None:
        self._open.discard(update_id)
        self._left_over.pop(update_id, None)

    async def _insist(self, work: Callable[[], Awaitable[T]], waiting: Update | None = None) -> T:
        """Do the work as soon as the database lets us; who is `waiting` for it is told so once."""
        while True:
            try:
                done = await work()
            except StorageError as error:
                self._note(error)
                if waiting and self._ask_to_wait:
                    await self._ask_to_wait(waiting)
                    waiting = None
                await asyncio.sleep(STORE_RETRY_SECONDS)
            else:
                self._note(None)
                return done

    def _note(self, error: StorageError | None) -> None:
        """Tell the operator when the database goes, and when it is back, and not each time that it is tried."""
        if error and not self._is_waiting:
            log.error("The inbox waits, and nothing is lost: %s", error)
        elif self._is_waiting and not error:
            log.info("The database is available again; the inbox goes on")
        self._is_waiting = error is not None
