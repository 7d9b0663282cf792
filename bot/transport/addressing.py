"""Who said a message, in which conversation, and whether it is meant for the bot."""

from telegram import Message, MessageEntity, Update, User
from telegram.constants import ChatType
from telegram.ext import filters

from bot.chat_service import Conversation, Line, Request
from bot.gate import Visitor


def conversation_of(message: Message) -> Conversation:
    """The conversation that a message belongs to: its chat, or its topic in a forum."""
    # A plain reply in a supergroup has a thread id too, but is no topic.
    thread = message.message_thread_id if message.is_topic_message else None
    return Conversation(message.chat_id, thread or 0)


def request_of(update: Update, text: str) -> Request:
    """The request that an update makes, with `text` as what was said."""
    message = update.effective_message
    assert message is not None, "handlers are registered for messages only"
    return Request(
        conversation_of(message),
        Line(speaker_of(update), text),
        receipt=update.update_id,
        person=person_of(update),
        message=message.message_id,
    )


def speaker_of(update: Update) -> str:
    """The name of whoever sent an update: a person's first name, or the title of the chat that speaks."""
    sender = update.effective_sender
    return (sender.first_name if isinstance(sender, User) else sender and sender.title) or ""


def person_of(update: Update) -> int | None:
    """The Telegram id of whoever sent an update; None for those who speak in the name of a chat."""
    # Telegram gives all anonymous admins, and all channels, one and the same user.
    sender = update.effective_sender
    return sender.id if isinstance(sender, User) else None


def owner_of(update: Update) -> tuple[Conversation | None, int | None]:
    """Whose an update is: a person's, in one conversation."""
    message = update.effective_message
    return (conversation_of(message) if message else None), person_of(update)


def calls_stop(update: Update) -> bool:
    """Whether an update is the command that must not wait for its turn."""
    words = ((update.message and update.message.text) or "").split(maxsplit=1)
    return bool(words) and words[0].partition("@")[0].lower() == "/stop"


def language_of(update: Update) -> str | None:
    """The language code of whoever sent an update, if Telegram told it."""
    return update.effective_user.language_code if update.effective_user else None


def visitor_of(update: Update) -> Visitor | None:
    """Who sent an update, and where; None where nobody did. A group's anonymous admin speaks as the group."""
    sender, chat = update.effective_sender, update.effective_chat
    return Visitor(sender.id, chat.id if chat else sender.id) if sender else None


def command_of(message: Message) -> str | None:
    """The command that a message begins with, in small letters; None if there is none, or it is another bot's."""
    first = message.entities[0] if message.entities else None
    if not message.text or first is None or first.type != MessageEntity.BOT_COMMAND or first.offset:
        return None
    name, _, bot = message.text[1 : first.length].lower().partition("@")
    return name if bot in ("", str(message.get_bot().username).lower()) else None


class AddressedToBot(filters.MessageFilter):
    """Everything in a private chat; in a group what mentions the bot, or replies to it.

    What somebody has sent by the bot's own inline mode is no message to it, though the bot sees it like one.
    """

    def filter(self, message: Message) -> bool:
        if message.via_bot and message.via_bot.id == message.get_bot().id:
            return False
        return message.chat.type == ChatType.PRIVATE or replies_to_bot(message) or bool(_mentions(message))


def words_for_bot(message: Message) -> str:
    """The text of a message, or what is written under its picture, without the mentions of the bot."""
    text = message.text or message.caption or ""
    words = text
    for mention in _mentions(message):
        words = words.replace(mention, "")
    if words == text:
        return text
    return " ".join(words.split()) or text  # A mention and nothing else is a way of saying hello.


def original_of(message: Message) -> Message | None:
    """The message that somebody chose to reply to."""
    original = message.reply_to_message
    # In a topic every message that replies to none replies to the notice that opened it.
    return None if original is None or original.forum_topic_created else original


def replies_to_bot(message: Message) -> bool:
    """Whether a message is a reply to one of the bot's own."""
    original = message.reply_to_message
    return bool(original and original.from_user and original.from_user.id == message.get_bot().id)


def _mentions(message: Message) -> set[str]:
    name = f"@{message.get_bot().username}".lower()
    parse = message.parse_entities if message.text else message.parse_caption_entities
    if not (message.text or message.caption):
        return set()
    return {mention for mention in parse([MessageEntity.MENTION]).values() if mention.lower() == name}
