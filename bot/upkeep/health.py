"""Health: how the bot is, at one glance. Knows neither Telegram nor SQL."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from bot.reply_queue import ReplyQueue
from bot.troupe import Troupe
from bot.upkeep import machine
from bot.upkeep.error_log import ErrorLog, Mishap

LONGEST_WAIT = timedelta(minutes=1)
MOST_WAITING = 50
LEAST_FREE = 1 << 30  # Bytes: a gigabyte.
MOST_OF_MEMORY = 0.8
LATELY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Mail:
    """The inbox: messages without an answer and since when, answers on their way, and what failed in two days."""

    waiting: int = 0
    oldest: datetime | None = None
    answered: int = 0
    failed: int = 0


class Vitals(Protocol):
    """What the database tells. Raises StorageError if it is not available."""

    async def mail(self) -> Mail: ...
    async def size(self) -> int:
        """How many bytes the database takes."""
        ...


@dataclass(frozen=True, slots=True)
class Health:
    """What was found. What the machine does not tell is None."""

    time: datetime
    uptime: timedelta
    loaded: Mapping[str, str]
    mail: Mail
    speaking: int
    queued: int
    database_bytes: int
    free_bytes: int
    memory_bytes: int | None
    machine_bytes: int | None
    mishaps: Sequence[Mishap]

    @property
    def is_mail_fine(self) -> bool:
        """Whether nothing has failed, and nobody waits for long."""
        return not self.mail.failed and (self.mail.oldest is None or self.time - self.mail.oldest <= LONGEST_WAIT)

    @property
    def is_queue_fine(self) -> bool:
        """Whether the model keeps up."""
        return self.queued <= MOST_WAITING

    @property
    def is_disk_fine(self) -> bool:
        """Whether there is room for what is to come."""
        return self.free_bytes >= LEAST_FREE

    @property
    def is_memory_fine(self) -> bool:
        """Whether the process leaves memory to others."""
        known = self.memory_bytes is not None and self.machine_bytes is not None
        return not known or (self.memory_bytes or 0) <= MOST_OF_MEMORY * (self.machine_bytes or 0)

    @property
    def is_calm(self) -> bool:
        """Whether there was no error lately."""
        return all(self.time - mishap.time > LATELY for mishap in self.mishaps)


class Physician:
    """Examines the bot. `clock` gives the present moment in UTC; `folder` is on the disk that is looked at."""

    def __init__(
        self,
        vitals: Vitals,
        troupe: Troupe,
        replies: ReplyQueue,
        errors: ErrorLog,
        folder: Path,
        clock: Callable[[], datetime],
    ) -> None:
        self._vitals = vitals
        self._troupe = troupe
        self._replies = replies
        self._errors = errors
        self._folder = folder
        self._clock = clock
        self._started = clock()

    @property
    def loaded(self) -> Mapping[str, str]:
        """Who is loaded, and in which version."""
        return self._troupe.loaded

    async def examine(self) -> Health:
        """How everything is now. Raises StorageError."""
        mail, size = await self._vitals.mail(), await self._vitals.size()
        moment = self._clock()
        return Health(
            time=moment,
            uptime=moment - self._started,
            loaded=self.loaded,
            mail=mail,
            speaking=self._replies.speaking,
            queued=self._replies.waiting,
            database_bytes=size,
            free_bytes=machine.free_bytes(self._folder),
            memory_bytes=machine.memory_of_process(),
            machine_bytes=machine.memory_of_machine(),
            mishaps=self._errors.mishaps,
        )
