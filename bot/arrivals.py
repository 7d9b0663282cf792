"""Arrivals: what is on record of where an update comes from and of who sent it, read once for all handlers."""

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Protocol

from bot.chat_service import Conversation
from bot.chat_settings import ChatSettings
from bot.gate import Visitor


@dataclass(frozen=True, slots=True)
class Arrival:
    """What the chat has chosen, whether the sender or the chat is banned, whether the bot could not write there the
    last time, and whether the sender was asked for better words.
    """

    settings: ChatSettings = field(default_factory=ChatSettings)
    is_banned: bool = False
    was_lost: bool = False
    is_asked: bool = False


class Register(Protocol):
    """Where that is on record. Raises StorageError if it is not available."""

    async def look_up(self, conversation: Conversation, visitor: Visitor) -> Arrival: ...


class Arrivals:
    """The arrival that is being handled: known to the task that has looked it up, and to those that this one starts."""

    def __init__(self, register: Register) -> None:
        self._register = register
        self._present: ContextVar[Arrival | None] = ContextVar("arrival", default=None)

    @property
    def present(self) -> Arrival | None:
        """What was looked up; None where that could not be."""
        return self._present.get()

    async def look_up(self, conversation: Conversation | None, visitor: Visitor | None) -> Arrival | None:
        """Read what is on record, in place of what was looked up before; None for what comes from no chat."""
        self._present.set(None)
        if conversation is not None and visitor is not None:
            self._present.set(await self._register.look_up(conversation, visitor))
        return self.present
