"""Casting: who plays in a conversation, and in which manner. Implements `bot.chat_service.Cast`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Protocol, runtime_checkable

from bot.chat_service import Actor, Conversation, Role
from bot.chat_settings import Manner, SettingsBook
from bot.personas import Card, Roster
from bot.troupe import Troupe


@runtime_checkable
class Versatile(Protocol):
    """An actor who can be told how to answer."""

    def acting(self, manner: Manner) -> Actor:
        """The same actor, answering in this manner."""
        ...


class Casting:
    """Gives each conversation the character that was chosen there."""

    def __init__(self, roster: Roster, troupe: Troupe, book: SettingsBook) -> None:
        self.roster = roster
        self._troupe = troupe
        self._book = book

    @asynccontextmanager
    async def on_stage(self, conversation: Conversation) -> AsyncIterator[Role]:
        """See `bot.chat_service.Cast`."""
        settings = await self._book.read(conversation)
        persona = self.roster.resolve(settings.persona)
        async with self._troupe.on_stage(persona) as actor:
            yield Role(persona, actor.acting(settings.manner) if isinstance(actor, Versatile) else actor)

    async def character(self, conversation: Conversation) -> Card:
        """See `bot.chat_service.Cast`."""
        return self.roster.card((await self._book.read(conversation)).persona)

    async def choose(self, conversation: Conversation, card: Card) -> None:
        """Let this character play from now on. Raises CastingError, and changes nothing, if it cannot be loaded."""
        async with self._troupe.on_stage(card.id):
            settings = await self._book.read(conversation)
            await self._book.write(conversation, replace(settings, persona=card.id))


class SoleActor:
    """The cast of one who plays everywhere."""

    def __init__(self, actor: Actor, persona: str = "") -> None:
        self._actor = actor
        self._persona = persona

    @asynccontextmanager
    async def on_stage(self, _conversation: Conversation) -> AsyncIterator[Role]:
        """See `bot.chat_service.Cast`."""
        yield Role(self._persona, self._actor)

    async def character(self, _conversation: Conversation) -> Card:
        """See `bot.chat_service.Cast`."""
        return Card(self._persona, self._actor.name, greeting=self._actor.greeting)
