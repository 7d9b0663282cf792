"""Succession: which version of a character is live, and how another one takes its place on stage."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.errors import CastingError, RetrainingError
from bot.troupe import Troupe


@dataclass(frozen=True, slots=True)
class Shelf:
    """The versions of a persona: all of them, oldest first; the live one; and which were live before, newest first."""

    names: Sequence[str]
    live: str | None
    earlier: Sequence[str]


class Versions(Protocol):
    """Where versions are kept. Everything here reads or writes files, and raises RetrainingError."""

    def shelf(self, persona: str) -> Shelf: ...
    def roll_back(self, persona: str) -> None:
        """Make the version live again that was live before."""
        ...

    def promote(self, persona: str, version: str) -> None:
        """Make a version the live one."""
        ...


class Succession:
    """Lets the live version play, one change at a time. Who cannot play does not stay live: the bot has to start."""

    def __init__(self, versions: Versions, troupe: Troupe) -> None:
        self._versions = versions
        self._troupe = troupe
        self._door = asyncio.Lock()

    async def shelf(self, persona: str) -> Shelf:
        """The versions of a persona. Raises RetrainingError."""
        return await asyncio.to_thread(self._versions.shelf, persona)

    async def take_over(self, persona: str) -> None:
        """Let the version play that is live by now. Raises RetrainingError if it cannot: the one before is live."""
        async with self._door:
            try:
                await self._troupe.renew(persona)
            except CastingError as error:
                await asyncio.to_thread(self._versions.roll_back, persona)
                raise RetrainingError(str(error)) from error

    async def roll_back(self, persona: str, known: Shelf) -> bool:
        """Let the version before play; False, and nothing is changed, if the shelf is not what was known of it.

        Raises RetrainingError if that version cannot play; then nothing is changed either.
        """
        async with self._door:
            if known.live is None or await self.shelf(persona) != known:
                return False
            await asyncio.to_thread(self._versions.roll_back, persona)
            try:
                await self._troupe.renew(persona)
            except CastingError as error:
                await asyncio.to_thread(self._versions.promote, persona, known.live)
                raise RetrainingError(str(error)) from error
            return True
