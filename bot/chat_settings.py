"""What a chat can choose: its character, how that talks, to whom, the interface's language. No Telegram, no SQL."""

from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bot.chat_service import Conversation


class Creativity(StrEnum):
    """How freely answers are drawn."""

    CALM = "calm"
    TRAINED = "trained"
    WILD = "wild"


class Length(StrEnum):
    """How long answers may become."""

    SHORT = "short"
    NORMAL = "normal"
    LONG = "long"


class Attention(StrEnum):
    """What is answered in a group: what is addressed to the bot, or all that is said."""

    ADDRESSED = "addressed"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Manner:
    """How a character answers."""

    creativity: Creativity = Creativity.TRAINED
    length: Length = Length.NORMAL


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """The choices of a chat. No `persona`: the operator's; no `language`: that of whoever writes."""

    persona: str | None = None
    manner: Manner = Manner()
    language: str | None = None
    attention: Attention = Attention.ADDRESSED


class SettingsBook(Protocol):
    """Where the choices are on record. Raises StorageError if that is not available."""

    async def read(self, conversation: Conversation) -> ChatSettings:
        """The choices of a chat, or of a topic of its own; the defaults where nothing was chosen."""
        ...

    async def write(self, conversation: Conversation, settings: ChatSettings) -> None: ...


class SettingsAtHand:
    """A settings book of which one page lies open while an update is handled, so that it is read once for all.

    It lies open for the task that has opened it, and for those that this one starts.
    """

    def __init__(self, book: SettingsBook) -> None:
        self._book = book
        self._open: ContextVar[tuple[Conversation, ChatSettings] | None] = ContextVar("settings", default=None)

    @property
    def page(self) -> ChatSettings:
        """What lies open; the defaults where nothing does."""
        found = self._open.get()
        return found[1] if found else ChatSettings()

    def open(self, conversation: Conversation | None, settings: ChatSettings | None) -> None:
        """Lay open what was read of the chat that an update comes from, if it was, in place of what lay open."""
        self._open.set((conversation, settings) if conversation and settings else None)

    async def read(self, conversation: Conversation) -> ChatSettings:
        """See `SettingsBook`."""
        found = self._open.get()
        return found[1] if found and found[0] == conversation else await self._book.read(conversation)

    async def write(self, conversation: Conversation, settings: ChatSettings) -> None:
        """See `SettingsBook`."""
        await self._book.write(conversation, settings)
        found = self._open.get()
        if found and found[0] == conversation:
            self._open.set((conversation, settings))
