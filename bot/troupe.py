"""The troupe: the actors of this process, each loaded when somebody first needs it, and once for all chats.

Loading takes seconds and memory. So it is done in a thread, and at most `room` actors are kept; who has not been needed
for the longest time goes for a newcomer, but nobody goes while an answer is being made. An actor of whom there is a new
version is renewed: the new one is loaded beside the old one, who then finishes what it is saying, and goes.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from bot.chat_service import Actor
from bot.errors import BotError, CastingError

log = logging.getLogger(__name__)


@runtime_checkable
class Closable(Protocol):
    """What holds something that must be given back, as a loaded model does."""

    async def close(self) -> None: ...


@dataclass(slots=True, eq=False)
class Seat:
    """The place of an actor, who is there or being loaded, and how many answers it is making."""

    actor: Actor | None = None
    loading: "asyncio.Task[Actor] | None" = None
    users: int = 0

    @property
    def is_idle(self) -> bool:
        return self.actor is not None and not self.users


class Troupe:
    """Actors by their persona's id; `load` gives one, or raises, and may block."""

    def __init__(self, load: Callable[[str], Actor], room: int) -> None:
        self._load = load
        self._room = room
        self._seats: OrderedDict[str, Seat] = OrderedDict()  # The one needed last is last.
        self._door = asyncio.Lock()
        self._change = asyncio.Event()
        self._coming: set[Seat] = set()  # Being loaded, to replace somebody.
        self._replaced: set[Seat] = set()  # They make no new answers, and go after their last one.
        self._leaving: set[asyncio.Task[None]] = set()

    def welcome(self, persona: str, actor: Actor) -> None:
        """Take in an actor who is loaded already."""
        self._seats[persona] = Seat(actor)

    @property
    def loaded(self) -> dict[str, str]:
        """The versions of the actors who are there, by persona."""
        return {persona: seat.actor.version for persona, seat in self._seats.items() if seat.actor is not None}

    @asynccontextmanager
    async def on_stage(self, persona: str) -> AsyncIterator[Actor]:
        """The actor of a persona, who stays until the block ends. Raises CastingError if it cannot be loaded."""
        seat = await self._seat(persona)
        try:
            yield seat.actor or await _arrival(seat)
        finally:
            seat.users -= 1
            self._change.set()
            self._let_go(seat)

    async def renew(self, persona: str) -> None:
        """Load an actor anew, if it is here at all; as soon as that is done, the new one makes the next answers.

        Nobody waits for it. Raises CastingError if it cannot be loaded: then the old one stays.
        """
        if persona in self._seats:
            loading = asyncio.create_task(self._loaded(persona))
            seat = Seat(loading=loading)
            self._coming.add(seat)
            loading.add_done_callback(lambda _: self._take_over(persona, seat, loading))
            await _arrival(seat)

    async def close(self) -> None:
        """Let everybody go, as soon as what is being loaded is there."""
        seats = *self._seats.values(), *self._coming, *self._replaced
        await asyncio.gather(*(seat.loading for seat in seats if seat.loading), return_exceptions=True)
        for seat in (*self._seats.values(), *self._replaced):
            self._dismiss(seat)
        self._seats.clear()
        self._replaced.clear()
        await asyncio.gather(*self._leaving)

    async def _seat(self, persona: str) -> Seat:
        async with self._door:  # In the order of asking, so that nobody waits for room for ever.
            if persona not in self._seats:
                await self._make_room()
                self._seats[persona] = self._new_seat(persona)
            self._seats.move_to_end(persona)
            seat = self._seats[persona]
            seat.users += 1
            return seat

    async def _make_room(self) -> None:
        while len(self._seats) >= self._room:
            idle = next((persona for persona, seat in self._seats.items() if seat.is_idle), None)
            if idle is None:
                self._change.clear()
                await self._change.wait()
            else:
                self._dismiss(self._seats.pop(idle))
                await asyncio.gather(*map(asyncio.shield, self._leaving))

    def _new_seat(self, persona: str) -> Seat:
        loading = asyncio.create_task(self._loaded(persona))
        seat = Seat(loading=loading)
        loading.add_done_callback(lambda _: self._settle(persona, seat, loading))
        return seat

    async def _loaded(self, persona: str) -> Actor:
        log.info("Loading %s", persona)
        try:
            return await asyncio.to_thread(self._load, persona)
        except Exception as error:
            reason = str(error) if isinstance(error, BotError) else f"{type(error).__name__}: {error}"
            raise CastingError(f"persona {persona!r} cannot be played: {' '.join(reason.split())}") from error

    def _settle(self, persona: str, seat: Seat, loading: "asyncio.Task[Actor]") -> None:
        if not (loading.cancelled() or loading.exception()):
            seat.actor = loading.result()
        elif self._seats.get(persona) is seat:  # Who asks again may have more luck.
            del self._seats[persona]
        self._change.set()
        self._let_go(seat)

    def _take_over(self, persona: str, seat: Seat, loading: "asyncio.Task[Actor]") -> None:
        self._coming.discard(seat)
        if loading.cancelled() or loading.exception():
            return
        seat.actor = loading.result()
        # Who has gone meanwhile is loaded when somebody asks: then the newcomer is not needed either.
        old = self._seats.get(persona, seat)
        if old is not seat:
            self._seats[persona] = seat
        self._replaced.add(old)
        self._let_go(old)

    def _let_go(self, seat: Seat) -> None:
        """Dismiss who was replaced, unless an answer is still being made, or was asked for."""
        if seat in self._replaced and not seat.users and (seat.loading is None or seat.loading.done()):
            self._replaced.discard(seat)
            self._dismiss(seat)

    def _dismiss(self, seat: Seat) -> None:
        # A task of its own: whoever waits for the place may give up, and the actor leaves in good order all the same.
        leaving = asyncio.create_task(_close(seat.actor))
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)


async def _arrival(seat: Seat) -> Actor:
    assert seat.loading is not None, "who is not there is being loaded"
    # Shielded: others may be waiting for the same actor when one of them gives up.
    return await asyncio.shield(seat.loading)


async def _close(actor: Actor | None) -> None:
    if isinstance(actor, Closable):
        await actor.close()
