"""Previews: nobody looks at a silent bot. An answer that takes long is shown while it is written.

And whoever has to wait for a turn is told the place in the queue. None of this is needed for the answer to arrive: that
is the delivery's work, which puts it where the preview was.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial

from telegram import Update
from telegram.constants import MessageLimit

from bot.chat_service import Conversation
from bot.inbox import Inbox
from bot.locales import Locales, Translate
from bot.reply_queue import Ticket
from bot.transport.addressing import language_of, owner_of
from bot.transport.delivery import Delivery, split
from bot.transport.screen import Screen

UNFINISHED = " …"

Owner = tuple[Conversation | None, int | None]


@dataclass(frozen=True, slots=True)
class Pace:
    """How many seconds an answer may take before it is shown, and a wait for one's turn before the place is told.

    `between_edits` is what Telegram bears in a group; drafts are no messages, and may be smoother. An inline question
    is answered once its words have not changed for `until_typed`.
    """

    until_shown: float = 1.5
    until_place_told: float = 3.0
    between_edits: float = 1.5
    between_drafts: float = 0.5
    until_typed: float = 0.7


class Preview:
    """One answer, from the question on until it is there. `ticket` is for the queue, `grow` for who listens to it."""

    def __init__(self, screen: Screen, pace: Pace, streaming: bool, place_text: Callable[[int], str]) -> None:
        self.ticket = Ticket()
        self._screen = screen
        self._pace = pace
        self._streaming = streaming
        self._place_text = place_text
        self._text = ""
        self._news = asyncio.Event()
        self._over = asyncio.Event()

    def grow(self, so_far: str) -> None:
        """The answer has come so far."""
        if self._streaming:
            self._text = so_far
            self._news.set()

    def close(self) -> None:
        """Nothing more is to be shown."""
        self._over.set()
        self._news.set()

    async def run(self) -> None:
        """Show what there is, until it is closed."""
        clock = asyncio.get_running_loop()
        due = clock.time() + self._pace.until_shown
        await self._tell_place()
        await self._news.wait()
        await _within(due - clock.time(), self._over)
        while not self._over.is_set():
            self._news.clear()
            await self._screen.show(beginning(self._text))
            await self._rest()
            await self._news.wait()

    async def _tell_place(self) -> None:
        await _within(self._pace.until_place_told, self._news)
        if not self._news.is_set() and (before := self.ticket.before):
            await self._screen.show(self._place_text(before))
            await self._rest()

    async def _rest(self) -> None:
        await _within(self._pace.between_drafts if self._screen.is_draft else self._pace.between_edits, self._over)


class Previews:
    """Gives a preview to everything that is answered. Without `streaming` only the place in the queue is told."""

    def __init__(self, delivery: Delivery, inbox: Inbox, locales: Locales, streaming: bool, pace: Pace) -> None:
        self._delivery = delivery
        self._inbox = inbox
        self._locales = locales
        self._streaming = streaming
        self._pace = pace
        self._open: dict[asyncio.Task[None], Owner] = {}

    @asynccontextmanager
    async def of(self, update: Update, old: Sequence[int] = ()) -> AsyncIterator[Preview]:
        """Show what comes of the answer to an update until the block ends: "typing" at least.

        `old` are the messages of an answer that this one is to replace.
        """
        place_text = partial(queue_text, self._locales.speak(language_of(update)))
        screen = Screen(update, self._inbox, next(iter(old), None))
        preview = Preview(screen, self._pace, self._streaming, place_text)
        task = asyncio.create_task(preview.run())
        self._open[task] = owner_of(update)
        task.add_done_callback(self._open.pop)
        try:
            async with self._delivery.typing(update):
                yield preview
        finally:
            preview.close()
            # A call that has been made is waited for: it must not come after the answer, and cover it.
            await asyncio.wait({task})

    async def ended(self, owner: Owner) -> None:
        """Wait until nothing is shown any more of what somebody has asked so far, all of which was called off."""
        if tasks := [task for task, other in self._open.items() if other == owner]:
            await asyncio.wait(tasks)


def beginning(text: str) -> str:
    """As much of an answer as one message holds, with a sign that there is more to come."""
    return split(text, MessageLimit.MAX_TEXT_LENGTH - len(UNFINISHED))[0] + UNFINISHED


def queue_text(_: Translate, before: int) -> str:
    """How many others are to be answered first."""
    if before == 1:
        return _("There is one before you; I will be right with you.")
    return _("There are {number} before you; I will be right with you.").format(number=before)


async def _within(seconds: float, event: asyncio.Event) -> None:
    """Wait for something, but not longer."""
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), max(0.0, seconds))
