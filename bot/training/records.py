"""Trainings as they are on record, and who keeps and tells them. Knows neither Telegram nor SQL."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from bot.training.events import Progress, Verdict


class Phase(StrEnum):
    """Where a training stands. What has ended without a verdict can go on."""

    UNDER_WAY = "under way"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Order:
    """Who wants which character to learn; `message` is where they see it, in their `language`."""

    persona: str
    admin: int
    message: int
    language: str


@dataclass(frozen=True, slots=True)
class Training:
    """A training, as it is on record.

    `pid` is the number of the process at work, `run` the trainer's name for it once it can be taken up again, and
    `crashes` how often the bot was killed meanwhile. `note` says why it failed, or why the new version does not play.
    """

    number: int
    order: Order
    phase: Phase = Phase.UNDER_WAY
    pid: int | None = None
    run: str | None = None
    crashes: int = 0
    seconds: float = 0.0
    verdict: Verdict | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a training would be: with which script (None: the one that is known), how many lessons, and how long."""

    persona: str
    script: Path | None
    lessons: int
    usual_seconds: float | None


class Book(Protocol):
    """Where trainings are on record. Everything here raises StorageError."""

    async def open(self, order: Order) -> tuple[Training, bool]:
        """A new training, and True; or the one that is in its way, and False.

        That is the one under way, or one that the same message has begun before.
        """
        ...

    async def reopen(self, number: int, message: int) -> Training | None:
        """Let a training go on that is the last one, and can; None if there is no such training."""
        ...

    async def save(self, training: Training) -> None:
        """Put on record how a training stands by now, which nobody was told of yet."""
        ...

    async def under_way(self) -> Training | None: ...
    async def untold(self) -> Sequence[Training]:
        """Those that have ended without anybody being told."""
        ...

    async def told(self, number: int) -> None:
        """Put on record that somebody was told how a training ended; changes nothing else of it."""
        ...

    async def usual_seconds(self, persona: str) -> float | None:
        """How long the last training of a persona took that came to its end."""
        ...


class Taught(Protocol):
    """What a character may learn from people. Raises StorageError."""

    async def count(self, speaker: str) -> int: ...
    async def write(self, speaker: str, target: Path) -> None:
        """Write it into a file, which is replaced if it is there. Raises LessonsError and OSError."""
        ...


class Reports(Protocol):
    """Tells the admin who has asked."""

    def following(self, training: Training) -> AbstractAsyncContextManager[Callable[[Progress], None]]:
        """Show how far it is, until the block ends, as well as that can be done."""
        ...

    async def paused(self, training: Training) -> None:
        """Say that it goes on after the bot's next start, if that can be said at once."""
        ...

    async def tell(self, training: Training) -> None:
        """Tell how it ended. Does not return before that is told, or can never be."""
        ...
