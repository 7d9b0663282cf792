"""The screen: where in a chat an answer is seen while it is written. What cannot be shown is left out."""

import asyncio
import logging

from telegram import Update
from telegram.constants import ChatType
from telegram.error import BadRequest, Forbidden, InvalidToken, TelegramError

from bot.inbox import Inbox
from bot.transport.flood_control import WHERE_THERE_IS_ROOM
from bot.transport.messages import edit, reply
from bot.transport.outages import perhaps_sent, seconds_asked

log = logging.getLogger(__name__)

REFUSED = (BadRequest, Forbidden, InvalidToken)  # The last is what the library makes of a method that is not known.


class Screen:
    """A draft in a private chat, which is gone by itself when the answer comes; elsewhere a message, which becomes it.

    The message is that of an `old` answer, if there is one to be replaced. Its number is on record before anybody
    could need it, so that what a crash leaves half-written is found again.
    """

    def __init__(self, update: Update, inbox: Inbox, old: int | None) -> None:
        message = update.effective_message
        assert message is not None, "only messages are replied to"
        self._message = message
        self._update_id = update.update_id
        self._inbox = inbox
        self._number = inbox.shown_in(update.update_id) or old or None
        self.is_draft = message.chat.type == ChatType.PRIVATE and self._number is None
        self._given_up = False
        self._quiet_until = 0.0

    async def show(self, text: str) -> None:
        """Show a text, of at most one message, instead of what is there, if Telegram takes it."""
        now = asyncio.get_running_loop().time()
        if self._given_up or now < self._quiet_until:
            return
        try:
            await (self._draft(text) if self.is_draft else self._write(text))
        except TelegramError as error:
            log.info("Update %d: what is written is not shown for now (%s)", self._update_id, error)
            self._quiet_until = now + seconds_asked(error)
            await self._learn(error, text)

    async def _learn(self, error: TelegramError, text: str) -> None:
        refused = isinstance(error, REFUSED)
        if self.is_draft and refused:
            self.is_draft = False
            await self.show(text)
        elif not self.is_draft and self._number is None:
            # A message that was perhaps sent cannot be changed by us, and another one would be one too many.
            self._given_up = refused or perhaps_sent(error)

    async def _draft(self, text: str) -> None:
        await self._message.reply_text_draft(self._update_id, text)

    async def _write(self, text: str) -> None:
        if self._number is None:
            self._number = (await reply(self._message, text)).message_id
            await self._inbox.show_in(self._update_id, self._number)
        else:
            await self._inbox.show_in(self._update_id, self._number)
            await edit(self._message, self._number, text, rate_limit_args=WHERE_THERE_IS_ROOM)
