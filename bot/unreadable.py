"""What people send besides words: of which kind it is, and what is said about it. Knows no service and no database."""

from collections.abc import Sequence

from telegram import Message

from bot.chat_service import Conversation
from bot.locales import Translate
from bot.personas import Card
from bot.recent import Recent
from bot.transport.addressing import conversation_of

# What a message holds by Telegram's names, and of which kind that is. An animation is a document, too: order counts.
KINDS = {
    "animation": "video",
    "video": "video",
    "video_note": "video",
    "photo": "photo",
    "live_photo": "photo",
    "sticker": "sticker",
    "voice": "voice",
    "audio": "voice",
    "document": "document",
    "venue": "location",
    "location": "location",
    "poll": "poll",
    "dice": "dice",
}
CAPTION, OTHER = "caption", "other"


class Excuses:
    """Finds words for what cannot be read: the character's own, or else some that fit anybody.

    By a message's number it is always the same ones, unless they were the last that its chat has heard.
    """

    def __init__(self) -> None:
        self._said: Recent[Conversation, str] = Recent()
        self._albums: Recent[Conversation, tuple[str, int]] = Recent()

    def choose(self, _: Translate, card: Card, message: Message, kind: str) -> str:
        """The words for a message."""
        words = card.unreadable.get(kind) or neutral_words(_, kind)
        where, number = conversation_of(message), message.message_id % len(words)
        if words[number] == self._said.last(where):
            number = (number + 1) % len(words)
        self._said.replace(where, words[number])
        return words[number]

    def is_told(self, message: Message) -> bool:
        """Whether a message belongs to an album about which something is said in reply to another one of it."""
        if message.media_group_id is None:
            return False
        where = conversation_of(message)
        album, first = self._albums.last(where) or ("", 0)
        if album == message.media_group_id:
            return first != message.message_id
        self._albums.replace(where, (message.media_group_id, message.message_id))
        return False


def kind_of(message: Message) -> str:
    """The kind of what a message holds."""
    return next((kind for name, kind in KINDS.items() if getattr(message, name)), OTHER)


def neutral_words(_: Translate, kind: str) -> Sequence[str]:
    """Sentences of which each fits any character; one kind after the other, so this is as long as there are kinds."""
    return {
        "photo": (
            _("A picture! I cannot see pictures, I can only read. What is in it?"),
            _("I would love to know what is in it, but I see words only. Will you describe it?"),
            _("Pictures stay closed to me. Will you tell me about it?"),
        ),
        "video": (
            _("A video! I cannot watch it. What happens in it?"),
            _("I cannot watch videos, so please tell me how it goes."),
            _("Moving pictures are beyond me, I can only read. What is it about?"),
        ),
        "voice": (
            _("I cannot hear, I can only read. Will you write it to me?"),
            _("That may be important, but I have no ears. Could you type it?"),
            _("Sounds do not reach me, letters do. What is it about?"),
        ),
        "sticker": (
            _("A sticker! I cannot see it, but I am sure that it is a good one."),
            _("Stickers are a mystery to me. How would you say it in words?"),
            _("I only know that this is a sticker. Is it a happy one?"),
        ),
        "document": (
            _("A file! I cannot open files. What is in it?"),
            _("I cannot look into files. Will you copy me the part that matters?"),
            _("This file stays shut for me. Will you tell me what is in it?"),
        ),
        "location": (
            _("A place! I have no map. What is it like there?"),
            _("Maps and I do not get along. Where is that?"),
            _("I cannot see where that is. Will you tell me about the place?"),
        ),
        "poll": (
            _("A poll! I cannot vote. What would you choose?"),
            _("I cannot take part in polls. Ask me in words, and I will tell you what I think."),
            _("Polls are not for me, but I am curious: what is the question?"),
        ),
        "dice": (
            _("What a throw! I hope that you win."),
            _("I have no hands to throw with. Did you win?"),
            _("No luck is needed here. What shall we talk about?"),
        ),
        CAPTION: (
            _("I cannot see what you have sent, but I can read what you wrote."),
            _("I see only the words with it, so I will answer those."),
            _("What you have sent stays closed to me, so I will go by your words."),
        ),
    }.get(
        kind,
        (
            _("I can only read text so far. Will you tell me in words?"),
            _("That is nothing that I can read. How would you put it in words?"),
            _("I do not know yet what to do with that. Will you write to me instead?"),
        ),
    )
