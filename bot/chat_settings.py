"""What a chat can choose: its character, how that talks, the interface's language. Knows no Telegram and no SQL."""

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


class SettingsBook(Protocol):
    """Where the choices are on record. Raises StorageError if that is not available."""

    async def read(self, conversation: Conversation) -> ChatSettings:
        """The choices of a chat, or of a topic of its own; the defaults where nothing was chosen."""
        ...

    async def write(self, conversation: Conversation, settings: ChatSettings) -> None: ...
