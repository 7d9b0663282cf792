"""The gate: who may talk to the bot, and how much. Knows neither Telegram nor SQL.

Three questions are asked of every message, cheapest for the bot first: is its sender banned, is the sender or the chat
on the list of guests, and is there something left of their quotas. Admins are let in without being asked.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import ceil
from typing import Protocol

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
KEPT = timedelta(days=2)

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who speaks, and where. Ids of groups and channels are below 0, which may also speak as themselves."""

    sender_id: int
    chat_id: int

    @property
    def in_group(self) -> bool:
        return self.chat_id < 0


@dataclass(frozen=True, slots=True)
class Limits:
    """How many messages are let in within 60 seconds, and on one day of UTC; 0: as many as there are."""

    minute: int = 0
    day: int = 0


@dataclass(frozen=True, slots=True)
class Quota:
    """At most `most` messages, of one person or of all in a group, from `start` on."""

    most: int
    start: datetime
    is_rolling: bool
    of_group: bool

    def free_at(self, oldest: datetime) -> datetime:
        """When another message is let in, if `oldest` is the time of the first of the last `most` ones."""
        return oldest + MINUTE if self.is_rolling else self.start + DAY


@dataclass(frozen=True, slots=True)
class Overrun:
    """A quota that is used up, and the time of the first of the last `quota.most` messages."""

    quota: Quota
    oldest: datetime


@dataclass(frozen=True, slots=True)
class Refusal:
    """One message too many, of a person or of a whole group; the next one is welcome at `until`."""

    until: datetime
    of_group: bool


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator has set. Without any guests everybody is one."""

    admins: Collection[int] = frozenset()
    guests: Collection[int] = frozenset()
    groups: Collection[int] = frozenset()
    person: Limits = field(default_factory=Limits)
    group: Limits = field(default_factory=Limits)

    def welcome(self, visitor: Visitor) -> bool:
        """Whether the sender is a guest, or the group is one."""
        if visitor.sender_id in self.admins or not (self.guests or self.groups):
            return True
        return visitor.sender_id in self.guests or visitor.chat_id in self.groups

    @property
    def audience(self) -> Collection[int] | None:
        """The chats that are welcome; None where all are."""
        return {*self.admins, *self.guests, *self.groups} if self.guests or self.groups else None

    def quotas(self, visitor: Visitor, moment: datetime) -> list[Quota]:
        """The quotas that a message counts for."""
        if visitor.sender_id in self.admins:
            return []
        quotas = list(_quotas(self.person, moment, of_group=False))
        return quotas + list(_quotas(self.group, moment, of_group=True)) if visitor.in_group else quotas


class GuestBook(Protocol):
    """Who is banned, and who was let in when. Everything here raises StorageError."""

    async def is_banned(self, visitor: Visitor) -> bool: ...
    async def ban(self, banned_id: int, admin: int) -> None: ...
    async def unban(self, banned_id: int) -> bool:
        """Take a ban back; False if there was none."""
        ...

    async def enter(self, receipt: int, visitor: Visitor, moment: datetime, quotas: Sequence[Quota]) -> list[Overrun]:
        """Let a message in, unless a quota is used up. The same receipt is let in again and counted once."""
        ...

    async def former_id(self, chat_id: int) -> int | None:
        """The number that a supergroup had when it was a group; None if it was none."""
        ...

    async def forget(self, before: datetime) -> None: ...


class Gate:
    """Decides about messages. `clock` gives the present moment in UTC."""

    def __init__(self, rules: Rules, book: GuestBook, clock: Clock) -> None:
        self._rules = rules
        self._book = book
        self._clock = clock
        self._tidied: datetime | None = None

    def is_admin(self, sender_id: int) -> bool:
        return sender_id in self._rules.admins

    async def welcomes(self, visitor: Visitor) -> bool:
        """Whether the visitor is let in at all; a supergroup also by the number that it had before it was one."""
        if self._rules.welcome(visitor):
            return True
        former = await self._book.former_id(visitor.chat_id) if visitor.in_group else None
        return former is not None and self._rules.welcome(replace(visitor, chat_id=former))

    async def is_banned(self, visitor: Visitor) -> bool:
        """Whether the visitor, or the group, gets no answers. An admin never is."""
        return not self.is_admin(visitor.sender_id) and await self._book.is_banned(visitor)

    async def ban(self, banned_id: int, admin: int) -> bool:
        """Give somebody no answers from now on; False if that is an admin, who cannot be banned."""
        if self.is_admin(banned_id):
            return False
        await self._book.ban(banned_id, admin)
        return True

    async def unban(self, banned_id: int) -> bool:
        """Take a ban back; False if there was none."""
        return await self._book.unban(banned_id)

    async def count(self, visitor: Visitor, receipt: int) -> Refusal | None:
        """Count a message by the id under which it was received; why it is not let in, if it is one too many.

        A refused message does not count, and one that is handled again after a crash counts once.
        """
        moment = self._clock()
        quotas = self._rules.quotas(visitor, moment)
        if not quotas:
            return None
        await self._tidy(moment)
        overruns = await self._book.enter(receipt, visitor, moment, quotas)
        refusals = (Refusal(each.quota.free_at(each.oldest), each.quota.of_group) for each in overruns)
        return max(refusals, key=lambda refusal: refusal.until, default=None)

    async def _tidy(self, moment: datetime) -> None:
        if self._tidied is None or moment - self._tidied >= DAY:
            self._tidied = moment
            await self._book.forget(moment - KEPT)


class Notices:
    """What has been told to whom, so that a refusal is told once until its time is over, however much is written."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told: dict[tuple[int, int], datetime] = {}

    def seconds_to(self, until: datetime) -> int:
        """How long it is to a moment, at least a second."""
        return max(1, ceil((until - self._clock()).total_seconds()))

    def is_due(self, chat_id: int, listener: int) -> bool:
        """Whether it is time to tell this person in this chat (0: the whole chat) why there is no answer."""
        end = self._told.get((chat_id, listener))
        return end is None or self._clock() >= end

    def told(self, chat_id: int, listener: int, until: datetime | None = None) -> None:
        """That it has been told, and need not be before `until`; without it, for a day."""
        moment = self._clock()
        self._told = {key: end for key, end in self._told.items() if end > moment}
        self._told[chat_id, listener] = until or moment + DAY


def _quotas(limits: Limits, moment: datetime, *, of_group: bool) -> Iterator[Quota]:
    if limits.minute:
        # What was let in exactly a minute ago counts no more.
        yield Quota(limits.minute, moment - MINUTE + datetime.resolution, True, of_group)
    if limits.day:
        midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        yield Quota(limits.day, midnight, False, of_group)
