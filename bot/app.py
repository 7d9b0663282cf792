"""The composition root: builds everything from the settings, and accepts replacements for its parts."""

import asyncio
import signal
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

from bot.chat_service import Actor
from bot.settings import Settings, token_of
from bot.stars import load_actor
from bot.troupe import Troupe

if TYPE_CHECKING:
    from bot.lifecycle import Lifecycle
    from bot.storage.database import Database
    from bot.storage.retention import Retention
    from bot.training.trainer import Trainer
    from bot.transport.previews import Pace
    from bot.upkeep.error_log import ErrorLog
    from bot.upkeep.watch import Watch


T = TypeVar("T")


@dataclass(frozen=True)
class App:
    """The bot, ready to run."""

    troupe: Troupe
    database: "Database"
    lifecycle: "Lifecycle"
    retention: "Retention"
    errors: "ErrorLog"
    watch: "Watch | None"

    async def run(self, stop: asyncio.Event | None = None) -> None:
        """Run until `stop` is set or the process is told to stop; then close everything.

        Raises SettingsError where a setting turns out not to work: the token, the database.
        """
        stop = stop or stop_on_signals()
        try:
            await self.database.open()
            async with AsyncExitStack() as beside:
                beside.enter_context(self.errors.listening())
                await beside.enter_async_context(self.retention.watched())
                if self.watch:
                    await beside.enter_async_context(self.watch.kept())
                await self.lifecycle.run(stop)
        finally:
            await self.database.close()
            await self.troupe.close()


def build(
    settings: Settings,
    *,
    actor: Actor | None = None,
    load: Callable[[str], Actor] | None = None,
    pace: "Pace | None" = None,
    trainer: "Trainer | None" = None,
) -> App:
    """Put the bot together. Loads the character unless another `actor` is given; see `bot.assembly` for the others.

    Raises SettingsError with one line that names the key.
    """
    from bot.storage.database import Database

    token_of(settings)  # What can be wrong is looked at before anything that takes long.
    database = Database(settings.database_url.get_secret_value())
    coming = _in_background(partial(load_actor, settings)) if actor is None else _there(actor)
    from bot.assembly import Assembly  # Takes a second as well, in which the character comes.
    from bot.training.trainer import Trainer
    from bot.transport.previews import Pace

    trainer = trainer or Trainer(settings.model_store, settings.script)
    parts = Assembly(settings, database, coming.result(), load, pace or Pace(), trainer)
    return App(parts.troupe, parts.database, parts.lifecycle, parts.retention, parts.errors, parts.watch)


def _there(actor: Actor) -> "Future[Actor]":
    outcome: Future[Actor] = Future()
    outcome.set_result(actor)
    return outcome


def _in_background(work: Callable[[], T]) -> "Future[T]":
    """Begin with the work in a thread, which does not keep a process that is told to stop from ending."""
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:
            outcome.set_exception(error)

    Thread(target=run, daemon=True).start()
    return outcome


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
