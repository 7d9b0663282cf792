"""Traces of what was perhaps sent: whether a message is in its chat although nobody said so.

A process that is killed, or a connection that is cut, leaves open whether Telegram has taken a message. A bot cannot
read a chat, and a message that is sent again is there twice. But an edit tells: of a message that holds just this text
and these buttons Telegram says that it is not modified; of one that is not there, or is not the bot's, that it cannot
be edited. And all private chats of a bot are numbered in one series, so only the next numbers that no other message is
known to have need be tried.
"""

import logging
from collections.abc import Sequence

from telegram import InlineKeyboardMarkup, Message, Update
from telegram.constants import ChatType
from telegram.error import NetworkError, RetryAfter

from bot.inbox import Inbox
from bot.transport.flood_control import FREELY
from bot.transport.messages import replace, reply
from bot.transport.outages import perhaps_sent

log = logging.getLogger(__name__)

LOOKED_AT = 30  # Numbers: what is on its way in all private chats at the same time.


class Traces:
    """Sends messages to private chats such that none is there twice.

    Where more than LOOKED_AT others were on their way, one is sent again; and one that Telegram takes only after it
    was looked for will be there twice.
    """

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        # Of an update whose sending has failed, the part, and after which message it would stand; None in place of
        # that: it surely is not there.
        self._doubts: dict[int, tuple[int, int | None]] = {}

    async def send(self, update: Update, text: str, part: int, buttons: InlineKeyboardMarkup | None) -> int:
        """Send a part of the reply to an update, unless it is there already; returns the number of the message.

        Raises TelegramError as the library does; then it may be called again.
        """
        message, numbering = update.effective_message, self._inbox.numbering
        assert message is not None, "only messages are replied to"
        if numbers := self._suspected(update.update_id, part):
            if (found := await _find(message, text, buttons, numbers)) is not None:
                log.info("Update %d: the message that was perhaps sent is there", update.update_id)
                numbering.go_on_from(found)
                return found
            self._doubts[update.update_id] = part, None
        if update.update_id in self._doubts:
            await self._inbox.still_to_send(update.update_id)
        newest = numbering.newest()
        try:
            sent = await reply(message, text, buttons)
        except (NetworkError, RetryAfter) as error:
            self._doubts[update.update_id] = part, newest if perhaps_sent(error) else None
            raise
        numbering.note(sent)
        return sent.message_id

    def forget(self, update_id: int) -> None:
        """The reply to an update is out, or given up."""
        self._doubts.pop(update_id, None)

    def _suspected(self, update_id: int, part: int) -> Sequence[int]:
        """The numbers that a part may have in its chat; none if it surely is not there."""
        unknown = self._inbox.numbering.unknown
        of_part, after = self._doubts.get(update_id, (0, None))
        if of_part == part:
            return () if after is None else unknown(after, LOOKED_AT)
        row = self._inbox.left_over(update_id)
        if row is None or row.reply is None or not row.newest or part != row.parts_sent + 1:
            return ()
        # Either it had just been sent when the process was killed, or it had been sent in vain and waited since then.
        just_sent = unknown(max(row.newest, self._inbox.left_at - LOOKED_AT // 2), LOOKED_AT)
        return list(dict.fromkeys([*just_sent, *unknown(row.newest, LOOKED_AT)]))


def is_traceable(message: Message) -> bool:
    """Whether messages of the same chat can be looked for: not where others may have been sent at the same time."""
    return message.chat.type == ChatType.PRIVATE and not message.is_topic_message


async def _find(
    message: Message, text: str, buttons: InlineKeyboardMarkup | None, numbers: Sequence[int]
) -> int | None:
    """Which of the numbers the bot's message with this text has in the chat; None if it is not there.

    Another message of the bot's that has one of them, sent by itself and not as a reply, becomes this one.
    """
    for number in numbers:
        if await replace(message, number, text, buttons, FREELY):
            return number
    return None
