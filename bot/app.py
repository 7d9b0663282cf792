"""The composition root: builds everything from the settings, and accepts replacements for its parts."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from bot.chat_service import Actor, ChatService, Line, UnitOfWork
from bot.errors import SettingsError
from bot.reply_queue import ReplyQueue
from bot.settings import Settings
from bot.stopping import Stopping

if TYPE_CHECKING:
    from bot.chat_order import ChatOrder
    from bot.handlers import AnyApplication
    from bot.inbox import Inbox
    from bot.polling import Polling
    from bot.storage.database import Database
    from model.character import Character

FLOOD_RETRIES = 3
HTTP_SECONDS = 20.0


@runtime_checkable
class Closable(Protocol):
    """What holds something that must be given back, as a loaded model does."""

    async def close(self) -> None: ...


class Star:
    """A character of the model package as the service's actor."""

    def __init__(self, character: "Character", sampling: Mapping[str, Any]) -> None:
        from model.engine import GenerationSettings

        self._character = character
        self._settings = GenerationSettings(**sampling) if sampling else None
        self.name = character.name
        self.version = character.version
        self.greeting = character.greeting

    async def reply(self, history: Sequence[Line]) -> AsyncGenerator[str, None]:
        """Stream the answer to the last line."""
        from model.prompt import Turn

        turns = [Turn(line.speaker, line.text, line.is_character) for line in history]
        async with aclosing(self._character.reply(turns, self._settings)) as pieces:
            async for piece in pieces:
                yield piece

    async def close(self) -> None:
        """Free the model."""
        await self._character.close()


@dataclass(frozen=True)
class App:
    """The bot, ready to run."""

    actor: Actor
    database: "Database"
    polling: "Polling"

    async def run(self, stop: asyncio.Event | None = None) -> None:
        """Run until `stop` is set or the process is told to stop; then close everything.

        Raises SettingsError where a setting turns out not to work: the token, the database.
        """
        stop = stop or stop_on_signals()
        try:
            await self.database.open()
            await self.polling.run(stop)
        finally:
            await self.database.close()
            if isinstance(self.actor, Closable):
                await self.actor.close()


def build(settings: Settings, *, actor: Actor | None = None) -> App:
    """Put the bot together. Loads the character unless another `actor` is given.

    Raises SettingsError with one line that names the key.
    """
    from bot.chat_order import ChatOrder
    from bot.delivery import Delivery
    from bot.handlers import register
    from bot.inbox import Inbox
    from bot.locales import Locales
    from bot.placement import Placements
    from bot.polling import Polling
    from bot.second_thoughts import SecondThoughts
    from bot.storage.database import Database
    from bot.storage.repository import InboxRepository, SqlUnitOfWork
    from bot.storage.revision import SqlRevision

    token = _token(settings)
    database = Database(settings.database_url.get_secret_value())
    actor = actor or load_actor(settings)
    inbox = Inbox(InboxRepository(database.session))
    stopping = Stopping()
    order = ChatOrder(inbox, stopping)
    locales = Locales()
    service = build_service(settings, actor, lambda: SqlUnitOfWork(database.session), stopping)
    thoughts = SecondThoughts(service, lambda: SqlRevision(database.session))
    delivery = Delivery(inbox, Placements(thoughts, locales))
    application = _application(token, settings.telegram_base_url, inbox, order)
    register(application, service, thoughts, stopping, inbox, delivery, locales, settings.admin_ids)
    return App(actor, database, Polling(application, inbox, order, locales, settings.shutdown_grace))


def build_service(
    settings: Settings, actor: Actor, unit_of_work: Callable[[], UnitOfWork], stopping: Stopping | None = None
) -> ChatService:
    """The chat service on any actor and any history."""
    replies = ReplyQueue(settings.max_concurrent_replies)
    return ChatService(actor, unit_of_work, replies, settings.context_messages, stopping)


def load_actor(settings: Settings) -> Star:
    """Load the character that the settings name; takes seconds. Raises SettingsError."""
    from model.character import load_character
    from model.errors import ModelError

    try:
        character = load_character(settings.persona, settings.model_store, settings.engine, settings.content_filter)
        return Star(character, settings.sampling())
    except ModelError as error:
        keys = f"PERSONA={settings.persona}, MODEL_STORE={settings.model_store}, ENGINE={settings.engine}"
        raise SettingsError(f"the character cannot be loaded ({keys}): {error}") from error


def stop_on_signals() -> asyncio.Event:
    """An event that is set when the process is told to stop, by SIGTERM or Ctrl-C."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    return stop


def _token(settings: Settings) -> str:
    if settings.telegram_bot_token is None:
        raise SettingsError(
            "TELEGRAM_BOT_TOKEN is not set: put the token that BotFather gave you in .env, "
            "or try `python -m bot offline`, which needs none"
        )
    return settings.telegram_bot_token.get_secret_value()


def _application(token: str, base_url: str | None, inbox: "Inbox", order: "ChatOrder") -> "AnyApplication":
    from telegram.ext import ApplicationBuilder

    from bot.delivery import FloodControl

    # The library warns at every flood limit unless it may use the type of its next version.
    os.environ.setdefault("PTB_TIMEDELTA", "1")
    builder = (
        ApplicationBuilder()
        .token(token)
        .update_queue(inbox)
        .concurrent_updates(order)
        .rate_limiter(FloodControl(max_retries=FLOOD_RETRIES))
        .read_timeout(HTTP_SECONDS)
        .connect_timeout(HTTP_SECONDS)
    )
    if base_url:
        url = base_url.rstrip("/")
        builder = builder.base_url(f"{url}/bot").base_file_url(f"{url}/file/bot")
    return builder.build()
