"""Figures: how much the bot is used, how long people wait, and what they think of the answers; by day, in UTC.

Knows neither Telegram nor SQL, and nobody's words or name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Waits:
    """Within how many seconds half of the answers were there, and 95 of 100."""

    half: float
    most: float


@dataclass(frozen=True, slots=True)
class Opinions:
    """How many answers were liked and disliked."""

    likes: int = 0
    dislikes: int = 0


@dataclass(frozen=True, slots=True)
class Traffic:
    """How many messages people wrote that were answered, in how many chats."""

    messages: int = 0
    chats: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures from `first` to `last`, in all and by day; a day on which nothing happened is not there."""

    first: date
    last: date
    traffic: Traffic
    waits: Waits | None
    opinions: Opinions
    traffic_of: Mapping[date, Traffic] = field(default_factory=dict)
    waits_of: Mapping[date, Waits] = field(default_factory=dict)
    opinions_of: Mapping[date, Opinions] = field(default_factory=dict)

    @property
    def days(self) -> Sequence[date]:
        """Every day, the first one first."""
        return [self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1)]

    @property
    def is_empty(self) -> bool:
        """Whether nothing has happened at all."""
        return self.traffic == Traffic() and self.opinions == Opinions()


class Ledger(Protocol):
    """Counts what is on record. Raises StorageError if the database is not available."""

    async def figures(self, first: date, last: date) -> Figures:
        """The figures of these days, both included."""
        ...
