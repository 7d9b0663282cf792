"""Traces of what was perhaps sent: whether a message is in its chat although nobody said so.

A process that is killed, or a connection that is cut, leaves open whether Telegram has taken a message. A bot cannot
read a chat, and a message that is sent again is there twice. But an edit tells: of a message that holds just this text
and these buttons Telegram says that it is not modified; of one that is not there, or is not the bot's, that it cannot
be edited. And all private chats of a bot are numbered in one series, so only the next few numbers have to be tried.
"""

import logging

from telegram import InlineKeyboardMarkup, Message, Update
from telegram.constants import ChatType
from telegram.error import NetworkError

from bot.inbox import Inbox
from bot.transport.messages import replace, reply
from bot.transport.outages import perhaps_sent

log = logging.getLogger(__name__)

LOOKED_AT = 30  # Numbers: what comes and goes in all private chats while one message is on its way.


class Traces:
    """Sends messages to private chats such that none is there twice.

    Where more than LOOKED_AT other messages came between, one is sent again; and one that Telegram takes only after it
    was looked for will be there twice.
    """

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._doubts: dict[int, tuple[int, int]] = {}  # Of an update, which part was perhaps sent, and after what.

    async def send(self, update: Update, text: str, part: int, buttons: InlineKeyboardMarkup | None) -> int:
        """Send a part of the reply to an update, unless it is there already; returns the number of the message.

        Raises TelegramError as the library does; then it may be called again.
        """
        message = update.effective_message
        assert message is not None, "only messages are replied to"
        after = self._doubt(update.update_id, part)
        if after is not None and (found := await find(message, text, buttons, after)) is not None:
            log.info("Update %d: the message that was perhaps sent is there", update.update_id)
            self._inbox.numbering.go_on_from(found)
            return found
        newest = self._inbox.numbering.newest()
        try:
            sent = await reply(message, text, buttons)
        except NetworkError as error:
            if perhaps_sent(error) and after is None:
                self._doubts[update.update_id] = part, newest
            raise
        self._inbox.numbering.note(sent)
        return sent.message_id

    def forget(self, update_id: int) -> None:
        """The reply to an update is out, or given up."""
        self._doubts.pop(update_id, None)

    def _doubt(self, update_id: int, part: int) -> int | None:
        """After which message a part would stand that was perhaps sent; None if it surely was not."""
        of_part, after = self._doubts.get(update_id, (0, 0))
        if of_part == part:
            return after
        row = self._inbox.left_over(update_id)
        return row.newest if row and row.reply is not None and part == row.parts_sent + 1 else None


def is_traceable(message: Message) -> bool:
    """Whether messages of the same chat can be looked for: not where others may have been sent at the same time."""
    return message.chat.type == ChatType.PRIVATE and not message.is_topic_message


async def find(message: Message, text: str, buttons: InlineKeyboardMarkup | None, after: int) -> int | None:
    """The number of the bot's message with this text among the next ones `after` a number; None if it is not there.

    Another message of the bot's that stands there, which it has not sent as a reply, becomes this one.
    """
    for number in range(after + 1, after + 1 + LOOKED_AT):
        if await replace(message, number, text, buttons):
            return number
    return None
