"""Delivery: a reply that is on record goes out, into new messages or into those it replaces, and is marked as sent."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TypeVar

from telegram import InlineKeyboardMarkup, Message, Update
from telegram.constants import ChatAction, MessageLimit
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter, TelegramError

from bot.errors import BotError
from bot.inbox import Inbox
from bot.storage.repository import Standing
from bot.transport.messages import remove, replace, reply
from bot.transport.outages import is_enough, perhaps_sent, seconds_asked
from bot.transport.placement import Place, Placements
from bot.transport.traces import Traces, is_traceable

log = logging.getLogger(__name__)

PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)  # Seconds between the attempts to send one message.
AT_ONCE_SECONDS = 0.15  # An answer that comes within that is not announced: nobody would see it, and it is a call less.
TYPING_SECONDS = 4.0  # Telegram shows "typing" for five.
UNKNOWN = 0  # The number of a message that was perhaps sent. No message has it, so none can be edited by it.
T = TypeVar("T")
Step = Callable[[], Awaitable[object]]
ENDS = ("\n", ". ", "! ", "? ", "… ", " ")  # Where a long text may be cut, best first.


class SendLaterError(BotError):
    """Telegram could not be reached for long, so an answer is still to be sent."""


class Delivery:
    """Sends replies: plain text in as many messages as it needs, or whatever else calls of Telegram's make.

    An answer that is to replace another goes into the messages of that one: those are edited, further ones are sent
    where they do not suffice, and deleted where they are too many. What was shown of an answer while it was written
    (see `bot.transport.screen`) is completed in place in the same way.
    """

    def __init__(self, inbox: Inbox, placements: Placements) -> None:
        self._inbox = inbox
        self._placements = placements
        self._announcing: set[asyncio.Task[None]] = set()
        self._traces = Traces(inbox)
        self._doubtful: dict[int, tuple[int, int]] = {}  # Of an update, which message was perhaps sent, and how often.

    async def send(self, update: Update, text: str, parts_sent: int = 0, place: Place | None = None) -> None:
        """Reply to an update and mark it as done; the first `parts_sent` messages are out already.

        An answer of the dialogue that is on record finds its place by itself, any other text is given one or has none.
        Raises as `carry_out` does.
        """

        async def put() -> Standing | None:
            found = place or await self._placements.find(update)
            return await self._send_parts(update, split(text), parts_sent, found)

        await self._finish(update, put())

    async def carry_out(self, update: Update, step: Step) -> None:
        """Make the call that answers an update and mark it as done.

        A call that got no answer was perhaps carried out; it is tried again, so a message may be there twice.
        Raises SendLaterError where the network fails for long, TelegramError if Telegram refuses the call for good.
        """

        async def put() -> None:
            await self._persist(update, step, 1)

        await self._finish(update, put())

    async def _finish(self, update: Update, sending: Awaitable[Standing | None]) -> None:
        standing = None
        try:
            standing = await sending
        except Forbidden:
            log.info("Update %d: the chat does not let the bot write", update.update_id)
        except BadRequest:  # A kind of NetworkError to the library, but it would not get better.
            self._forget(update)
            raise
        except (NetworkError, RetryAfter) as error:
            raise SendLaterError(f"the answer is kept and sent later: {error}") from error
        self._forget(update)
        await self._inbox.close(update.update_id, standing=standing)

    async def take_buttons(self, update: Update) -> None:
        """Take the buttons off the message that an update is about; it may be gone, or have none."""
        message = update.effective_message
        if message is None:
            return
        try:
            await self._persist(update, lambda: message.edit_reply_markup(None))
        except TelegramError as error:
            log.info("Update %d: the buttons stay (%s)", update.update_id, error)

    async def retract(self, update: Update) -> None:
        """Take back what was shown of an answer that does not come: the message holds again what it held, or goes."""
        number = self._inbox.shown_in(update.update_id)
        if number is None:
            return
        try:
            if former := await self._placements.former(update, number):
                text, buttons = former
                await self._put_back(update, number, split(text), buttons)
            else:
                await self._remove(update, [number])
        except (TelegramError, BotError) as error:
            log.warning("Update %d: what was shown of its answer is left behind (%s)", update.update_id, error)

    @asynccontextmanager
    async def typing(self, update: Update) -> AsyncIterator[None]:
        """Show "typing" in the chat until the block ends."""
        answered = asyncio.Event()
        if update.effective_message:
            # Never cancelled: that would close the connection, and the next message would have to open a new one.
            task = asyncio.create_task(_keep_typing(update.effective_message, answered))
            self._announcing.add(task)
            task.add_done_callback(self._announcing.discard)
        try:
            yield
        finally:
            answered.set()

    async def _send_parts(
        self, update: Update, parts: Sequence[str], parts_sent: int, place: Place | None
    ) -> Standing | None:
        messages = list(place.messages) if place else []
        if not parts_sent and (shown_in := self._inbox.shown_in(update.update_id)) is not None:
            messages[:1] = [shown_in]
        for number, part in enumerate(parts[parts_sent:], parts_sent + 1):
            last = number == len(parts)
            old = messages[number - 1] if number <= len(messages) else None
            buttons = place.buttons if place and last else None
            messages[number - 1 : number] = [await self._put_part(update, part, number, old, buttons)]
            if not last:
                standing = Standing(place.question, messages) if place else None
                await self._inbox.part_sent(update.update_id, number, standing)
        await self._remove(update, messages[len(parts) :])
        return Standing(place.question, messages[: len(parts)]) if place else None

    async def _put_part(
        self, update: Update, text: str, number: int, old: int | None, buttons: InlineKeyboardMarkup | None
    ) -> int:
        """Put a text where an `old` message is, or else into a new one; returns the number of the message."""
        message = update.effective_message
        assert message is not None, "only messages are replied to"
        if old is not None and await self._persist(update, lambda: replace(message, old, text, buttons)):
            return old
        if old is not None:
            log.info("A message cannot be edited, so a new one is sent")
        if is_traceable(message):
            return await self._persist(update, lambda: self._traces.send(update, text, number, buttons)) or UNKNOWN
        sent = await self._persist(update, lambda: reply(message, text, buttons), number)
        return sent.message_id if sent else UNKNOWN

    async def _persist(self, update: Update, work: Callable[[], Awaitable[T]], number: int = 0) -> T | None:
        """Do the work in spite of limits and failures of the network.

        Work with a `number` is the sending of that message, which may be left at that if it was perhaps done already.
        """
        for pause in (*PAUSES, None):
            try:
                return await work()
            except BadRequest:
                raise
            except (NetworkError, RetryAfter) as error:
                if number and perhaps_sent(error):
                    doubts = self._doubt(update.update_id, number)
                    if is_enough(error, doubts):
                        log.warning(
                            "Update %d: message %d was perhaps sent %d times; left at that",
                            *(update.update_id, number, doubts),
                        )
                        break
                if pause is None:
                    raise
                seconds = max(pause, seconds_asked(error))
                log.info("Sending failed (%s); next attempt in %g s", error, seconds)
                await asyncio.sleep(seconds)
        return None

    async def _put_back(
        self, update: Update, number: int, parts: Sequence[str], buttons: InlineKeyboardMarkup | None
    ) -> None:
        message = update.effective_message
        assert message is not None, "only messages are replied to"
        last = buttons if len(parts) == 1 else None
        await self._persist(update, lambda: replace(message, number, parts[0], last))

    async def _remove(self, update: Update, messages: Sequence[int]) -> None:
        message = update.effective_message
        assert message is not None, "only messages are replied to"
        for number in messages:
            try:
                await self._persist(update, partial(remove, message, number))
            except BadRequest as error:  # Gone already, or too old to be deleted.
                log.info("Update %d: a message is left as it is (%s)", update.update_id, error)

    def _forget(self, update: Update) -> None:
        self._traces.forget(update.update_id)
        self._doubtful.pop(update.update_id, None)

    def _doubt(self, update_id: int, number: int) -> int:
        """Count once more that a message was perhaps sent; how often that is now."""
        before, times = self._doubtful.get(update_id, (number, 0))
        self._doubtful[update_id] = number, times + 1 if before == number else 1
        return self._doubtful[update_id][1]


def split(text: str, limit: int = MessageLimit.MAX_TEXT_LENGTH) -> list[str]:
    """Cut a text into messages of at most `limit` UTF-16 units, at ends of lines, sentences or words."""
    parts = []
    while _length(text) > limit:
        room = _fit(text, limit)
        cut = _last_end(room) or len(room)
        parts.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    return [*(part for part in parts if part), text] if text else parts


async def _keep_typing(message: Message, answered: asyncio.Event) -> None:
    pause = AT_ONCE_SECONDS
    with suppress(TelegramError):  # The answer matters, its announcement does not.
        while not await _within(pause, answered):
            await message.reply_chat_action(ChatAction.TYPING)
            pause = TYPING_SECONDS


async def _within(seconds: float, event: asyncio.Event) -> bool:
    """Wait for something, but not longer; whether it has come."""
    with suppress(TimeoutError):
        return await asyncio.wait_for(event.wait(), seconds)
    return False


def _length(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _fit(text: str, limit: int) -> str:
    """The longest beginning of `text` with at most `limit` UTF-16 units."""
    room = text.encode("utf-16-le", "surrogatepass")[: 2 * limit].decode("utf-16-le", "surrogatepass")
    return room if text.startswith(room) else room[:-1]  # The limit may fall into the middle of a character.


def _last_end(text: str) -> int | None:
    """Where to cut: after the best kind of end that leaves the first part at least half full."""
    for end in ENDS:
        if (at := text.rfind(end)) >= len(text) // 2:
            return at + len(end)
    return None
