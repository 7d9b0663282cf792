"""Delivery: a reply that is on record goes out, and is marked as sent."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
from telegram import LinkPreviewOptions, Message, Update
from telegram.constants import ChatAction, MessageLimit
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter, TelegramError
from telegram.ext import AIORateLimiter

from bot.errors import BotError
from bot.inbox import Inbox

log = logging.getLogger(__name__)

PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)  # Seconds between the attempts to send one message.
TYPING_SECONDS = 4.0  # Telegram shows "typing" for five.
UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)  # No request was written.
Step = Callable[[], Awaitable[object]]
Result = bool | dict[str, Any] | list[dict[str, Any]]
ENDS = ("\n", ". ", "! ", "? ", "… ", " ")  # Where a long text may be cut, best first.


class SendLaterError(BotError):
    """Telegram could not be reached for long, so an answer is still to be sent."""


class FloodControl(AIORateLimiter):
    """Keeps within Telegram's limits on messages, which "typing" is not.

    Where Telegram limits a chat all the same, RetryAfter is raised and the others go on.
    """

    async def process_request(  # The signature is the library's.
        self,
        callback: Callable[..., Coroutine[Any, Any, Result]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: int | None,
    ) -> Result:
        if endpoint == "sendChatAction":
            return await callback(*args, **kwargs)
        if "chat_id" not in data:
            return await super().process_request(callback, args, kwargs, endpoint, data, rate_limit_args)
        limits: list[RetryAfter] = []

        async def attempt(*args: Any, **kwargs: Any) -> Result:
            try:
                return await callback(*args, **kwargs)
            except RetryAfter as error:  # The library would hold up every chat if it saw this.
                limits.append(error)
                return False

        result = await super().process_request(attempt, args, kwargs, endpoint, data, rate_limit_args)
        if limits:
            raise limits[0]
        return result


class Delivery:
    """Sends replies: plain text in as many messages as it needs, or whatever else calls of Telegram's make."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._announcing: set[asyncio.Task[None]] = set()
        self._doubtful: dict[int, int] = {}  # Of an update, the number of the message that was perhaps sent.

    async def send(self, update: Update, text: str, parts_sent: int = 0) -> None:
        """Reply to an update and mark it as done; the first `parts_sent` messages are out already.

        Raises as `carry_out` does.
        """
        message = update.effective_message
        assert message is not None, "only messages are replied to"
        await self.carry_out(update, [partial(_reply, message, part) for part in split(text)], parts_sent)

    async def carry_out(self, update: Update, steps: Sequence[Step], done: int = 0) -> None:
        """Make the calls that answer an update and mark it as done; the first `done` of them were made already.

        A call that got no answer was perhaps carried out; it is tried once more, so at worst a message is there twice.
        Raises SendLaterError where the network fails for long, TelegramError if Telegram refuses a call for good.
        """
        try:
            await self._take_steps(update, steps, done)
        except Forbidden:
            log.info("Update %d: the chat does not let the bot write", update.update_id)
        except BadRequest:  # A kind of NetworkError to the library, but it would not get better.
            self._doubtful.pop(update.update_id, None)
            raise
        except (NetworkError, RetryAfter) as error:
            raise SendLaterError(f"the answer is kept and sent later: {error}") from error
        self._doubtful.pop(update.update_id, None)
        await self._inbox.close(update.update_id)

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

    async def _take_steps(self, update: Update, steps: Sequence[Step], done: int) -> None:
        for number, step in enumerate(steps[done:], done + 1):
            await self._take(update, step, number)
            if number < len(steps):
                await self._inbox.part_sent(update.update_id, number)

    async def _take(self, update: Update, step: Step, number: int) -> None:
        for pause in (*PAUSES, None):
            try:
                await step()
                return
            except BadRequest:
                raise
            except (NetworkError, RetryAfter) as error:
                if _perhaps_sent(error) and self._doubted_before(update.update_id, number):
                    log.warning("Update %d: message %d was perhaps sent twice; left at that", update.update_id, number)
                    return
                if pause is None:
                    raise
                seconds = max(pause, _seconds_asked(error))
                log.info("Sending failed (%s); next attempt in %g s", error, seconds)
                await asyncio.sleep(seconds)

    def _doubted_before(self, update_id: int, number: int) -> bool:
        doubted = self._doubtful.get(update_id) == number
        self._doubtful[update_id] = number
        return doubted


def split(text: str, limit: int = MessageLimit.MAX_TEXT_LENGTH) -> list[str]:
    """Cut a text into messages of at most `limit` UTF-16 units, at ends of lines, sentences or words."""
    parts = []
    while _length(text) > limit:
        room = _fit(text, limit)
        cut = _last_end(room) or len(room)
        parts.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    return [*(part for part in parts if part), text] if text else parts


def _perhaps_sent(error: TelegramError) -> bool:
    """Whether the request may have reached Telegram although no answer came back."""
    return isinstance(error.__cause__, httpx.HTTPError) and not isinstance(error.__cause__, UNSENT)


def _seconds_asked(error: TelegramError) -> float:
    if not isinstance(error, RetryAfter):
        return 0.0
    asked = error.retry_after
    return asked.total_seconds() if isinstance(asked, timedelta) else asked


async def _reply(message: Message, text: str) -> None:
    # In groups the library quotes the message; whoever deleted it in the meantime still gets the answer.
    await message.reply_text(
        text, allow_sending_without_reply=True, link_preview_options=LinkPreviewOptions(is_disabled=True)
    )


async def _keep_typing(message: Message, answered: asyncio.Event) -> None:
    with suppress(TelegramError):  # The answer matters, its announcement does not.
        while not answered.is_set():
            await message.reply_chat_action(ChatAction.TYPING)
            with suppress(TimeoutError):
                await asyncio.wait_for(answered.wait(), TYPING_SECONDS)


def _length(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _fit(text: str, limit: int) -> str:
    """The longest beginning of `text` with at most `limit` UTF-16 units."""
    return text.encode("utf-16-le", "surrogatepass")[: 2 * limit].decode("utf-16-le", "ignore")


def _last_end(text: str) -> int | None:
    """Where to cut: after the best kind of end that leaves the first part at least half full."""
    for end in ENDS:
        if (at := text.rfind(end)) >= len(text) // 2:
            return at + len(end)
    return None
