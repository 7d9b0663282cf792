"""Broadcasts: one text to every chat, as it is on record. Knows neither Telegram nor SQL.

An admin drafts one and sends it; from then on it is on record who still has to get it, until it is over.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Protocol


class Outcome(StrEnum):
    """What has come of the message to one chat."""

    REACHED = "reached"
    BLOCKED = "blocked"  # The bot may not write there.
    FAILED = "failed"
    UNSURE = "unsure"  # Perhaps it is there. It is not sent again.


class Start(Enum):
    """Whether a broadcast has begun, and if not, why."""

    BEGUN = "begun"
    BUSY = "busy"  # Another one is on its way.
    OVER = "over"  # There is no such draft any more.


@dataclass(frozen=True, slots=True)
class Broadcast:
    """What is being sent, for which admin, and the message that shows how far it has come."""

    id: int
    admin: int
    text: str
    message: int
    language: str | None
    is_stopped: bool


@dataclass(frozen=True, slots=True)
class Draft:
    """What could be sent, and to how many chats as of now."""

    id: int
    chats: int


@dataclass(frozen=True, slots=True)
class Tally:
    """How many chats still wait, and what came of the others."""

    waiting: int = 0
    reached: int = 0
    blocked: int = 0
    failed: int = 0
    unsure: int = 0

    @property
    def done(self) -> int:
        """How many chats are done with."""
        return self.reached + self.blocked + self.failed + self.unsure


class BroadcastBook(Protocol):
    """The broadcasts on record: drafts, and at most one that is being sent. All of it raises StorageError."""

    async def draft(self, admin: int, text: str) -> Draft:
        """Put a draft on record, in the place of the one that the admin had before."""
        ...

    async def start(self, number: int, admin: int, message: int, language: str | None) -> Start:
        """Begin to send a draft of the admin's to all who can be reached now."""
        ...

    async def discard(self, number: int, admin: int) -> bool:
        """Forget a draft; False if there is none."""
        ...

    async def stop(self, number: int, admin: int) -> bool:
        """Let nobody more get it; False if it is over already."""
        ...

    async def current(self) -> Broadcast | None:
        """What is being sent, or was stopped and is still to be reported."""
        ...

    async def next(self, number: int) -> int | None:
        """The chat that is to get it next; None if nobody is."""
        ...

    async def mark(self, number: int, chat_id: int, outcome: Outcome) -> None:
        """What came of the message to a chat. One that is blocked gets no broadcast until `heard_from`."""
        ...

    async def tally(self, number: int) -> Tally: ...
    async def end(self, number: int) -> None:
        """It is reported: nothing of it stays on record."""
        ...

    async def heard_from(self, chat_id: int) -> None:
        """Somebody writes there, so the bot may write too."""
        ...
