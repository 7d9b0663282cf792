"""The queue of updates that wait for the bot, and the long poll on it."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from bot.offline.errors import ApiError

UPDATE_KINDS_ON_REQUEST = frozenset({"chat_member", "message_reaction", "message_reaction_count"})

TAKEN_OVER = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
TAKEN_OVER_BY_WEBHOOK = "Conflict: terminated by setWebhook request"


class UpdateQueue:
    """Updates in order. One is forgotten only when the bot confirms it, by asking for a later one.

    `on_confirmed` is called with each update that the bot has confirmed, `on_asked_for` when it asks the first time.
    """

    def __init__(
        self,
        first_id: int,
        on_confirmed: Callable[[dict[str, Any]], None],
        on_asked_for: Callable[[], None] = lambda: None,
    ) -> None:
        self.was_asked_for = False
        self._on_asked_for = on_asked_for
        self._next_id = first_id
        self._pending: dict[int, dict[str, Any]] = {}
        self._allowed: frozenset[str] | None = None
        self._on_confirmed = on_confirmed
        self._poll: asyncio.Future[None] | None = None
        self._arrival = asyncio.Event()

    def __len__(self) -> int:
        return len(self._pending)

    @property
    def allowed(self) -> list[str]:
        """The kinds of updates that the bot has asked for; empty for the default set."""
        return sorted(self._allowed or ())

    @property
    def is_polled(self) -> bool:
        """Whether a poll waits right now."""
        return self._poll is not None and not self._poll.done()

    def allow(self, kinds: Iterable[str]) -> None:
        """Keeps only these kinds from now on; an empty list restores the default."""
        self._allowed = frozenset(kinds) or None

    def push(self, kind: str, content: dict[str, Any]) -> int:
        """Queues an update and wakes the poll. Returns its `update_id`, even if the bot did not ask for this kind."""
        update_id = self._next_id
        self._next_id += 1
        wanted = kind in self._allowed if self._allowed else kind not in UPDATE_KINDS_ON_REQUEST
        if wanted:
            self._pending[update_id] = {"update_id": update_id, kind: content}
            self._arrival.set()
            self.release()
        return update_id

    def confirm(self, offset: int) -> None:
        """Forgets the updates before `offset`; a negative one keeps only that many of the last."""
        if offset < 0:
            known = list(self._pending)
            offset = known[max(offset, -len(known))] if known else 0
        for update_id in [pending for pending in self._pending if pending < offset]:
            self._on_confirmed(self._pending.pop(update_id))

    def clear(self) -> None:
        """Forgets everything, unread."""
        self._pending.clear()

    async def poll(self, offset: int, limit: int, timeout: float) -> list[dict[str, Any]]:
        """The updates from `offset` on, at most `limit`; waits up to `timeout` seconds for the first.

        Raises ApiError (409) when another poll or a webhook takes over meanwhile.
        """
        self.interrupt(TAKEN_OVER)
        self.ask_for()
        self.confirm(offset)
        if not self._pending and timeout > 0:
            await self._wait(timeout)
        return list(self._pending.values())[:limit]

    async def _wait(self, timeout: float) -> None:
        poll = asyncio.get_running_loop().create_future()
        self._poll = poll
        try:
            await asyncio.wait({poll}, timeout=timeout)
            if poll.done():
                poll.result()
        finally:
            if self._poll is poll:
                self._poll = None

    def interrupt(self, reason: str) -> None:
        """Ends a poll that waits now with a conflict."""
        if self._poll and not self._poll.done():
            self._poll.set_exception(ApiError(409, reason))

    def release(self) -> None:
        """Lets a poll that waits now return at once, empty."""
        if self._poll and not self._poll.done():
            self._poll.set_result(None)

    def ask_for(self) -> None:
        """Notes that there is a bot that wants updates."""
        if not self.was_asked_for:
            self.was_asked_for = True
            self._on_asked_for()

    async def first(self) -> dict[str, Any]:
        """The oldest update, as soon as there is one. It stays in the queue."""
        while not self._pending:
            self._arrival.clear()
            await self._arrival.wait()
        return next(iter(self._pending.values()))
