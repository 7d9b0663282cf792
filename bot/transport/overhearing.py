"""Overhearing: what is said in a group where the bot answers all messages, not only those addressed to it."""

from telegram import Message, MessageEntity
from telegram.constants import ChatType
from telegram.ext import filters

from bot.chat_settings import Attention, SettingsAtHand
from bot.transport.addressing import original_of

MENTIONS = (MessageEntity.MENTION, MessageEntity.TEXT_MENTION)


class Overheard(filters.MessageFilter):
    """Words that are meant for nobody in particular, in a group that has chosen to have them answered.

    Whatever is meant for the bot is left to `bot.transport.addressing.AddressedToBot`.
    """

    def __init__(self, book: SettingsAtHand) -> None:
        super().__init__()
        self._book = book

    def filter(self, message: Message) -> bool:
        if message.chat.type == ChatType.PRIVATE or self._book.page.attention is not Attention.ALL:
            return False
        return bool(message.text) and not (_is_from_a_bot(message) or _is_for_somebody(message))


def _is_from_a_bot(message: Message) -> bool:
    # Two bots that answer each other would never end. Telegram's own stand-ins for chats are bots as well.
    sender = message.from_user
    return message.via_bot is not None or bool(sender and sender.is_bot and not message.sender_chat)


def _is_for_somebody(message: Message) -> bool:
    """Whether it is a command, names somebody, or replies to what somebody else has said."""
    original, entities = original_of(message), message.entities
    if message.external_reply or (original and original.from_user != message.from_user):
        return True
    command = bool(entities) and entities[0].type == MessageEntity.BOT_COMMAND and not entities[0].offset
    return command or any(entity.type in MENTIONS for entity in entities)
