"""The composition root: builds everything from the settings, and accepts replacements for its parts."""

import asyncio
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from bot.casting import Casting
from bot.chat_service import Actor, Cast, ChatService, UnitOfWork
from bot.origins import Answers, Origins
from bot.reply_queue import ReplyQueue
from bot.settings import Settings
from bot.stars import StoredVersions, TrainedScript, build_roster, load_actor, load_persona
from bot.stopping import Stopping
from bot.troupe import Troupe

if TYPE_CHECKING:
    from telegram import Bot

    from bot.gate import Rules
    from bot.lifecycle import Lifecycle
    from bot.storage.database import Database
    from bot.storage.retention import Retention
    from bot.training.trainer import Trainer
    from bot.transport.previews import Pace
    from bot.upkeep.error_log import ErrorLog
    from bot.upkeep.health import Physician
    from bot.upkeep.metrics import Metrics
    from bot.upkeep.watch import Watch


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
    """Put the bot together. Loads the character unless another `actor` is given; `load` gives those whom people choose.

    `pace` is when what is shown of an answer that takes long, and when an inline question is answered; `trainer` makes
    new versions.

    Raises SettingsError with one line that names the key.
    """
    from bot.chat_order import ChatOrder
    from bot.chat_settings import SettingsAtHand
    from bot.feedback import Feedback
    from bot.gate import Gate, Notices
    from bot.handlers import register
    from bot.handlers.language_barrier import LanguageBarrier
    from bot.handlers.persona_menu import PersonaMenu
    from bot.handlers.privacy import Privacy
    from bot.handlers.retrain import Retrain
    from bot.handlers.settings_menu import SettingsMenu
    from bot.handlers.versions_menu import VersionsMenu
    from bot.inbox import Inbox
    from bot.languages import LanguageDetector
    from bot.lifecycle import Lifecycle
    from bot.locales import Locales
    from bot.second_thoughts import SecondThoughts
    from bot.storage.answers import AnswerRepository
    from bot.storage.broadcast_book import SqlBroadcastBook
    from bot.storage.database import Database
    from bot.storage.desk import SqlDesk
    from bot.storage.guest_book import SqlGuestBook
    from bot.storage.ledger import SqlLedger
    from bot.storage.opinions import SqlOpinions
    from bot.storage.personal_records import PersonalRecords
    from bot.storage.relocation import Relocation
    from bot.storage.repository import InboxRepository, SqlUnitOfWork
    from bot.storage.retention import Retention
    from bot.storage.revision import SqlRevision
    from bot.storage.settings_book import SqlSettingsBook
    from bot.storage.tables import now
    from bot.storage.training_book import SqlTrainingBook
    from bot.storage.vitals import SqlVitals
    from bot.training.lessons import Lessons
    from bot.training.reports import TrainingReports
    from bot.training.retraining import Retraining
    from bot.training.succession import Succession
    from bot.training.trainer import Trainer
    from bot.transport.connection import build_application, build_intake, token_of
    from bot.transport.delivery import Delivery
    from bot.transport.menus import Menus
    from bot.transport.overhearing import Overheard
    from bot.transport.placement import Placements
    from bot.transport.previews import Pace, Previews
    from bot.upkeep.broadcaster import Broadcaster
    from bot.upkeep.error_log import ErrorLog
    from bot.upkeep.health import Physician

    pace = pace or Pace()
    token = token_of(settings)
    database = Database(settings.database_url.get_secret_value())
    actor = actor or load_actor(settings)
    inbox = Inbox(InboxRepository(database.session))
    stopping, locales = Stopping(), Locales()
    order = ChatOrder(inbox, stopping)
    roster, book = build_roster(settings, actor), SettingsAtHand(SqlSettingsBook(database.session))
    troupe = Troupe(load or partial(load_persona, settings), settings.personas_in_memory)
    troupe.welcome(settings.persona, actor)
    casting = Casting(roster, troupe, book)
    errors = ErrorLog()
    metrics = _metrics(settings, errors)
    replies, cast = _measured(settings, casting, metrics)
    service = build_service(settings, cast, lambda: SqlUnitOfWork(database.session, roster, book), stopping, replies)
    thoughts = SecondThoughts(service, lambda: SqlRevision(database.session, roster, book))
    delivery = Delivery(inbox, Placements(thoughts, locales))
    relocation = Relocation(database.session)
    application = build_application(token, settings, inbox, order, relocation.move)
    rules = _rules(settings)
    announcements = SqlBroadcastBook(database.session, rules.audience)
    broadcaster = Broadcaster(application.bot, announcements, locales)
    physician = Physician(SqlVitals(database.session), troupe, replies, errors, database.folder, now)
    gate = Gate(rules, SqlGuestBook(database.session), now)
    succession, desk = Succession(StoredVersions(settings.model_store), troupe), SqlDesk(database.session)
    reports = TrainingReports(application.bot, locales, roster)
    trainer = trainer or Trainer(settings.model_store, settings.script)
    book_of_trainings = SqlTrainingBook(database.session)
    retraining = Retraining(book_of_trainings, Lessons(desk), trainer, reports, succession, roster)
    register(
        application,
        service=service,
        barrier=LanguageBarrier(service, LanguageDetector(), delivery, locales),
        thoughts=thoughts,
        stopping=stopping,
        origins=build_origins(settings, AnswerRepository(database.session)),
        privacy=Privacy(PersonalRecords(database.session), delivery, locales, settings.retention_days),
        persona_menu=PersonaMenu(casting, delivery, locales),
        settings_menu=SettingsMenu(book, delivery, locales),
        feedback=Feedback(lambda: SqlOpinions(database.session, roster, book), now),
        desk=desk,
        ledger=SqlLedger(database.session),
        book=announcements,
        broadcaster=broadcaster,
        physician=physician,
        clock=now,
        overheard=Overheard(book),
        move=relocation.move,
        gate=gate,
        retrain=Retrain(gate, retraining, roster, delivery, locales),
        versions_menu=VersionsMenu(gate, retraining, succession, roster, delivery, locales),
        notices=Notices(now),
        inbox=inbox,
        delivery=delivery,
        previews=Previews(delivery, inbox, locales, settings.streaming, pace),
        pace=pace,
        locales=locales,
        admins=settings.admin_ids,
    )
    intake, menus = build_intake(settings, application, inbox), Menus(locales, settings.admin_ids)
    lifecycle = Lifecycle(application, inbox, order, menus, intake, [broadcaster, retraining], settings.shutdown_grace)
    retention = Retention(database.session, settings.retention_days)
    watch = _watch(settings, metrics, physician, application.bot) if metrics else None
    return App(troupe, database, lifecycle, retention, errors, watch)


def build_service(
    settings: Settings,
    cast: Cast,
    unit_of_work: Callable[[], UnitOfWork],
    stopping: Stopping | None = None,
    replies: ReplyQueue | None = None,
) -> ChatService:
    """The chat service on any cast and any history."""
    replies = replies or ReplyQueue(settings.max_concurrent_replies)
    return ChatService(cast, unit_of_work, replies, settings.context_messages, stopping)


def build_origins(settings: Settings, answers: Answers) -> Origins:
    """What explains the answers on record."""
    return Origins(answers, TrainedScript(settings.persona, settings.model_store))


def _metrics(settings: Settings, errors: "ErrorLog") -> "Metrics | None":
    if not settings.metrics_port:
        return None
    from bot.upkeep.metrics import Metrics

    return Metrics(errors)


def _measured(settings: Settings, cast: Cast, metrics: "Metrics | None") -> tuple[ReplyQueue, Cast]:
    if metrics is None:
        return ReplyQueue(settings.max_concurrent_replies), cast
    from bot.upkeep.metrics import MeteredCast, MeteredQueue

    return MeteredQueue(settings.max_concurrent_replies, metrics), MeteredCast(cast, metrics)


def _watch(settings: Settings, metrics: "Metrics", physician: "Physician", bot: "Bot") -> "Watch":
    from bot.upkeep.watch import Watch

    return Watch(metrics, physician, bot, (settings.metrics_listen, settings.metrics_port))


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


def _rules(settings: Settings) -> "Rules":
    from bot.gate import Limits, Rules

    return Rules(
        admins=settings.admin_ids,
        guests=settings.allowed_user_ids,
        groups=settings.allowed_chat_ids,
        person=Limits(settings.user_messages_per_minute, settings.user_messages_per_day),
        group=Limits(settings.group_messages_per_minute, settings.group_messages_per_day),
    )
