"""The numbers of messages: Telegram counts those of all private chats of a bot in one series."""

from collections import deque
from itertools import count, islice

from telegram import MaybeInaccessibleMessage
from telegram.constants import ChatType

from bot.transport.updates import is_number

REMEMBERED = 1000  # messages: some minutes of a busy bot


class Numbering:
    """Knows the newest message of all private chats: what is sent from now on gets a higher number."""

    def __init__(self) -> None:
        self._newest = 0
        self._known: deque[int] = deque(maxlen=REMEMBERED)

    def newest(self) -> int:
        """The highest number that is known of; 0 for none."""
        return self._newest

    def note(self, message: MaybeInaccessibleMessage | None) -> None:
        """A message was received or sent."""
        if message is not None and message.chat.type == ChatType.PRIVATE and is_number(message.message_id):
            self._known.append(message.message_id)
            self.go_on_from(message.message_id)

    def go_on_from(self, number: int) -> None:
        """There has been a message of this number."""
        self._newest = max(self._newest, number)

    def unknown(self, after: int, most: int) -> list[int]:
        """The next numbers `after` one, so many, of messages that were not noted: perhaps nobody's yet."""
        known = set(self._known)
        return list(islice((number for number in count(after + 1) if number not in known), most))
