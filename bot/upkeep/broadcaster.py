"""The broadcaster: sends what is on record as a broadcast, beside everything else that the bot does.

It is one message after the other, at a pace that leaves most of what Telegram allows to answers. What was sent is on
record before the next one goes out: a process that is killed has at most one message in flight, which is sent again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import BadRequest, ChatMigrated, Forbidden, NetworkError, RetryAfter, TelegramError

from bot.errors import StorageError
from bot.locales import Locales, Translate
from bot.transport.delivery import PAUSES
from bot.transport.messages import NO_PREVIEW
from bot.transport.outages import perhaps_sent, seconds_asked, unsent
from bot.upkeep.broadcast import Broadcast, BroadcastBook, Outcome, Tally

log = logging.getLogger(__name__)

SECONDS_APART = 0.1  # Ten a second; Telegram allows thirty, of everything together.
PROGRESS_SECONDS = 3.0
RETRY_SECONDS = 5.0


class Broadcaster:
    """Sends the current broadcast, and shows the admin how far it has come; goes on where an earlier process ended."""

    def __init__(self, bot: Bot, book: BroadcastBook, locales: Locales) -> None:
        self._bot = bot
        self._book = book
        self._locales = locales
        self._news = asyncio.Event()
        self._over = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Take up what there is to send, and wait for more."""
        self._task = asyncio.create_task(self._run())

    def wake(self) -> None:
        """Something has changed on record."""
        self._news.set()

    async def stop(self, deadline: float) -> None:
        """Send no more; what is in flight may take until `deadline`, a time of the event loop's clock."""
        self._over.set()
        self._news.set()
        if self._task is None:
            return
        _done, late = await asyncio.wait({self._task}, timeout=max(0.0, deadline - asyncio.get_running_loop().time()))
        for task in late:
            task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while not self._over.is_set():
            self._news.clear()
            try:
                if broadcast := await self._book.current():
                    await self._send_all(broadcast)
                else:
                    await self._news.wait()
            except StorageError as error:
                log.error("The broadcast waits: %s", error)
                await self._pause(RETRY_SECONDS)
            except Exception:  # A mistake of ours is to end this broadcast's turn, and not all to come.
                log.exception("The broadcast waits")
                await self._pause(RETRY_SECONDS)

    async def _send_all(self, broadcast: Broadcast) -> None:
        clock = asyncio.get_running_loop()
        shown = clock.time() - PROGRESS_SECONDS
        while not self._over.is_set() and (chat_id := await self._book.next(broadcast.id)) is not None:
            if clock.time() - shown >= PROGRESS_SECONDS:
                await self._show_progress(broadcast)
                shown = clock.time()
            outcome = await self._send(broadcast.text, chat_id)
            if outcome is None:
                return
            await self._mark(broadcast, chat_id, outcome)
            await self._pause(SECONDS_APART)
        if not self._over.is_set():
            await self._report(broadcast.id)

    async def _send(self, text: str, chat_id: int) -> Outcome | None:
        """Send the text to one chat as soon as that can be done; None if it is not to be sent any more, or not now."""
        pauses = iter(PAUSES)
        while True:
            try:
                await self._bot.send_message(chat_id, text, link_preview_options=NO_PREVIEW)
                return Outcome.REACHED
            except Forbidden:
                return Outcome.BLOCKED
            except ChatMigrated as error:
                chat_id, pause = error.new_chat_id, 0.0
            except RetryAfter as error:
                pause = seconds_asked(error)
            except NetworkError as error:
                if isinstance(error, BadRequest):  # A kind of NetworkError to the library, but it would not get better.
                    log.info("A broadcast was refused in one chat (%s)", error)
                    return Outcome.FAILED
                if perhaps_sent(error):
                    return Outcome.UNSURE
                # Where nothing goes out at all, everybody has to wait; else it may be about this chat.
                pause = RETRY_SECONDS if unsent(error) else next(pauses, -1.0)
                if pause < 0:
                    log.info("A broadcast could not be sent to one chat (%s)", error)
                    return Outcome.FAILED
            if not await self._may_go_on(pause):
                return None

    async def _mark(self, broadcast: Broadcast, chat_id: int, outcome: Outcome) -> None:
        # Not to be given up: who is not marked would get it again.
        while True:
            try:
                return await self._book.mark(broadcast.id, chat_id, outcome)
            except StorageError as error:
                log.error("The broadcast waits: %s", error)
                await asyncio.sleep(RETRY_SECONDS)

    async def _show_progress(self, broadcast: Broadcast) -> None:
        _, tally = self._locales.speak(broadcast.language), await self._book.tally(broadcast.id)
        try:
            await self._edit(broadcast, progress_text(_, tally), stop_button(_, broadcast.id))
        except TelegramError as error:
            log.info("How far the broadcast has come is not shown (%s)", error)

    async def _report(self, number: int) -> None:
        broadcast = await self._book.current()
        if broadcast is None or broadcast.id != number:  # Its admin has asked the bot to forget everything.
            return
        _, tally = self._locales.speak(broadcast.language), await self._book.tally(number)
        text = report_text(_, tally, broadcast.is_stopped)
        if not await self._insist(lambda: self._edit(broadcast, text, None)):  # It was deleted, perhaps.
            await self._insist(lambda: self._bot.send_message(broadcast.admin, text))
        if not self._over.is_set():
            log.info("A broadcast is over: %s", tally)
            await self._book.end(number)

    async def _insist(self, call: Callable[[], Awaitable[object]]) -> bool:
        """Make a call that matters as soon as that can be done; False if it is refused."""
        while not self._over.is_set():
            try:
                await call()
                return True
            except (BadRequest, Forbidden) as error:
                log.info("The report of a broadcast was refused (%s)", error)
                return "not modified" in error.message.lower()
            except (NetworkError, RetryAfter) as error:
                await self._pause(max(RETRY_SECONDS, seconds_asked(error)))
        return True

    async def _edit(self, broadcast: Broadcast, text: str, buttons: InlineKeyboardMarkup | None) -> None:
        await self._bot.edit_message_text(text, broadcast.admin, broadcast.message, reply_markup=buttons)

    async def _may_go_on(self, seconds: float) -> bool:
        """Wait before a message is tried again; False as soon as it is not to be sent any more, or not now."""
        clock = asyncio.get_running_loop()
        end = clock.time() + seconds
        while not self._over.is_set() and (left := end - clock.time()) > 0:
            self._news.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), left)
                broadcast = await self._book.current()
                if broadcast is None or broadcast.is_stopped:
                    return False
        return not self._over.is_set()

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), seconds)


def progress_text(_: Translate, tally: Tally) -> str:
    """How far a broadcast has come."""
    text = _("I am sending it: {done} of {all} chats so far.")
    return text.format(done=tally.done, all=tally.done + tally.waiting)


def report_text(_: Translate, tally: Tally, is_stopped: bool) -> str:
    """What has come of a broadcast, when it is over."""
    lines = [_("Stopped.") if is_stopped else _("Done, everybody has it whom I can reach.")]
    lines.append(_("Reached: {number}").format(number=tally.reached))
    lines.append(_("Do not let me write: {number}").format(number=tally.blocked))
    lines.append(_("Failed: {number}").format(number=tally.failed))
    if tally.unsure:
        lines.append(_("Perhaps reached, the connection broke: {number}").format(number=tally.unsure))
    if tally.waiting:
        lines.append(_("Left out: {number}").format(number=tally.waiting))
    return "\n".join(lines)


def stop_button(_: Translate, number: int) -> InlineKeyboardMarkup:
    """The button that ends a broadcast."""
    return InlineKeyboardMarkup([[InlineKeyboardButton(_("⏹ Stop"), callback_data=f"broadcast:stop:{number}")]])
