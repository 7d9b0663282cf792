"""The parts of the bot, each made once, when it is first asked for, out of the settings and of other parts."""

from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING

from bot.arrivals import Arrivals
from bot.casting import Casting
from bot.chat_order import ChatOrder
from bot.chat_service import Actor, Cast, ChatService
from bot.chat_settings import SettingsAtHand
from bot.feedback import Feedback
from bot.gate import Gate, Limits, Notices, Rules
from bot.handlers import AnyApplication, Staff, register
from bot.handlers.backstage import Backstage
from bot.handlers.bans import Bans
from bot.handlers.broadcasting import Broadcasting
from bot.handlers.callbacks import Feature
from bot.handlers.checkup import Checkup
from bot.handlers.commands import Commands
from bot.handlers.control import Control
from bot.handlers.dialogue import Dialogue
from bot.handlers.doorkeeper import Doorkeeper
from bot.handlers.failures import Failures
from bot.handlers.figures import Statistics
from bot.handlers.inline import InlineMode
from bot.handlers.judging import Judging
from bot.handlers.language_barrier import LanguageBarrier
from bot.handlers.moving import Moving
from bot.handlers.persona_menu import PersonaMenu
from bot.handlers.privacy import Privacy
from bot.handlers.retrain import Retrain
from bot.handlers.reviewing import Reviewing
from bot.handlers.settings_menu import SettingsMenu
from bot.handlers.versions_menu import VersionsMenu
from bot.handlers.why import Why
from bot.inbox import Inbox
from bot.languages import LanguageDetector
from bot.lifecycle import Lifecycle
from bot.locales import Locales
from bot.origins import Origins
from bot.reply_queue import ReplyQueue
from bot.second_thoughts import SecondThoughts
from bot.settings import Settings, token_of
from bot.stars import StoredVersions, TrainedScript, build_roster, load_persona
from bot.stopping import Stopping
from bot.storage import tables
from bot.storage.answers import AnswerRepository
from bot.storage.broadcast_book import SqlBroadcastBook
from bot.storage.database import Database
from bot.storage.desk import SqlDesk
from bot.storage.guest_book import SqlGuestBook
from bot.storage.ledger import SqlLedger
from bot.storage.opinions import SqlOpinions
from bot.storage.personal_records import PersonalRecords
from bot.storage.register import SqlRegister
from bot.storage.relocation import Relocation
from bot.storage.repository import InboxRepository, SqlUnitOfWork
from bot.storage.retention import Retention
from bot.storage.revision import SqlRevision
from bot.storage.settings_book import SqlSettingsBook
from bot.storage.training_book import SqlTrainingBook
from bot.storage.vitals import SqlVitals
from bot.training.lessons import Lessons
from bot.training.reports import TrainingReports
from bot.training.retraining import Retraining
from bot.training.succession import Succession
from bot.training.trainer import Trainer
from bot.transport.connection import build_application, build_intake
from bot.transport.delivery import Delivery
from bot.transport.menus import Menus
from bot.transport.overhearing import Overheard
from bot.transport.placement import Placements
from bot.transport.previews import Pace, Previews
from bot.troupe import Troupe
from bot.upkeep.broadcaster import Broadcaster
from bot.upkeep.error_log import ErrorLog
from bot.upkeep.health import Physician

if TYPE_CHECKING:
    from bot.upkeep.metrics import Metrics
    from bot.upkeep.watch import Watch


class Assembly:
    """All parts. `actor` plays PERSONA, `load` gives those whom people choose, `trainer` makes new versions, and `pace`
    is when what is shown of an answer that takes long, and when an inline question is answered.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        actor: Actor,
        load: Callable[[str], Actor] | None,
        pace: Pace,
        trainer: Trainer,
    ) -> None:
        self._settings = settings
        self.database = database
        self._sessions = self.database.session
        self._pace = pace
        self._trainer = trainer
        self._roster = build_roster(settings, actor)
        self.troupe = Troupe(load or partial(load_persona, settings), settings.personas_in_memory)
        self.troupe.welcome(settings.persona, actor)
        self.errors = ErrorLog()
        self._locales, self._stopping, self._notices = Locales(), Stopping(), Notices(tables.now)
        self._inbox = Inbox(InboxRepository(self._sessions))

    @cached_property
    def lifecycle(self) -> Lifecycle:
        """What runs the bot, with every handler in its place."""
        register(self._application, self._staff)
        return Lifecycle(
            self._application,
            self._inbox,
            self._order,
            Menus(self._locales, self._settings.admin_ids),
            build_intake(self._settings, self._application, self._inbox),
            [self._broadcaster, self._retraining],
            self._settings.shutdown_grace,
        )

    @cached_property
    def retention(self) -> Retention:
        return Retention(self._sessions, self._settings.retention_days)

    @cached_property
    def watch(self) -> "Watch | None":
        """What answers machines that ask how the bot is, where that is wanted."""
        if self._metrics is None:
            return None
        from bot.upkeep.watch import Watch

        where = self._settings.metrics_listen, self._settings.metrics_port
        return Watch(self._metrics, self._physician, self._application.bot, where)

    # What people say, and what is answered.

    @cached_property
    def _book(self) -> SettingsAtHand:
        return SettingsAtHand(SqlSettingsBook(self._sessions))

    @cached_property
    def _arrivals(self) -> Arrivals:
        return Arrivals(SqlRegister(self._sessions))

    @cached_property
    def _casting(self) -> Casting:
        return Casting(self._roster, self.troupe, self._book)

    @cached_property
    def _metrics(self) -> "Metrics | None":
        if not self._settings.metrics_port:
            return None
        from bot.upkeep.metrics import Metrics  # Its library is of no use to anybody else.

        return Metrics(self.errors)

    @cached_property
    def _replies(self) -> ReplyQueue:
        places = self._settings.max_concurrent_replies
        return self._metrics.queue(places) if self._metrics else ReplyQueue(places)

    @cached_property
    def _service(self) -> ChatService:
        cast: Cast = self._metrics.cast(self._casting) if self._metrics else self._casting
        work = partial(SqlUnitOfWork, self._sessions, self._roster, self._book, self._inbox.numbering.newest)
        return ChatService(cast, work, self._replies, self._settings.context_messages, self._stopping)

    @cached_property
    def _thoughts(self) -> SecondThoughts:
        work = partial(SqlRevision, self._sessions, self._roster, self._book, self._inbox.numbering.newest)
        return SecondThoughts(self._service, work)

    @cached_property
    def _origins(self) -> Origins:
        script = TrainedScript(self._settings.persona, self._settings.model_store)
        return Origins(AnswerRepository(self._sessions), script)

    # The way from Telegram and back.

    @cached_property
    def _relocation(self) -> Relocation:
        return Relocation(self._sessions)

    @cached_property
    def _order(self) -> ChatOrder:
        return ChatOrder(self._inbox, self._stopping)

    @cached_property
    def _application(self) -> AnyApplication:
        token = token_of(self._settings)
        return build_application(token, self._settings, self._inbox, self._order, self._relocation.move)

    @cached_property
    def _delivery(self) -> Delivery:
        return Delivery(self._inbox, Placements(self._thoughts, self._locales))

    @cached_property
    def _previews(self) -> Previews:
        return Previews(self._delivery, self._inbox, self._locales, self._settings.streaming, self._pace)

    # Who is let in, and what the operator has.

    @cached_property
    def _rules(self) -> Rules:
        given = self._settings
        return Rules(
            admins=given.admin_ids,
            guests=given.allowed_user_ids,
            groups=given.allowed_chat_ids,
            person=Limits(given.user_messages_per_minute, given.user_messages_per_day),
            group=Limits(given.group_messages_per_minute, given.group_messages_per_day),
        )

    @cached_property
    def _gate(self) -> Gate:
        return Gate(self._rules, SqlGuestBook(self._sessions), tables.now)

    @cached_property
    def _announcements(self) -> SqlBroadcastBook:
        return SqlBroadcastBook(self._sessions, self._rules.audience)

    @cached_property
    def _broadcaster(self) -> Broadcaster:
        return Broadcaster(self._application.bot, self._announcements, self._locales)

    @cached_property
    def _physician(self) -> Physician:
        vitals = SqlVitals(self._sessions)
        return Physician(vitals, self.troupe, self._replies, self.errors, self.database.folder, tables.now)

    @cached_property
    def _desk(self) -> SqlDesk:
        return SqlDesk(self._sessions)

    @cached_property
    def _succession(self) -> Succession:
        return Succession(StoredVersions(self._settings.model_store), self.troupe)

    @cached_property
    def _retraining(self) -> Retraining:
        reports = TrainingReports(self._application.bot, self._locales, self._roster)
        book, taught = SqlTrainingBook(self._sessions), Lessons(self._desk)
        return Retraining(book, taught, self._trainer, reports, self._succession, self._roster)

    # Whoever has to do with updates.

    @cached_property
    def _barrier(self) -> LanguageBarrier:
        return LanguageBarrier(self._service, LanguageDetector(), self._delivery, self._locales)

    @cached_property
    def _backstage(self) -> Backstage:
        return Backstage(self._gate, self._delivery, self._locales)

    @cached_property
    def _staff(self) -> Staff:
        delivery, locales, overheard = self._delivery, self._locales, Overheard(self._book)
        talking = self._barrier, delivery, self._previews, locales
        opinions = partial(SqlOpinions, self._sessions, self._roster, self._book, self._inbox.numbering.newest)
        pause = self._pace.until_typed
        failures = Failures(self._inbox, delivery, locales, self._settings.admin_ids)
        self._inbox.excuse_with(failures.ask_to_wait)
        return Staff(
            broadcasting=Broadcasting(
                self._arrivals, self._backstage, self._announcements, self._broadcaster, delivery, locales
            ),
            commands=Commands(self._service, *talking),
            control=Control(self._thoughts, self._stopping, *talking),
            dialogue=Dialogue(self._service, *talking),
            doorkeeper=Doorkeeper(self._arrivals, self._gate, self._notices, overheard, delivery, locales),
            failures=failures,
            inline=InlineMode(self._service, self._barrier, self._stopping, self._gate, self._notices, locales, pause),
            judging=Judging(self._arrivals, Feedback(opinions, tables.now), delivery, locales),
            moving=Moving(self._relocation.move),
            overheard=overheard,
            settings_menu=SettingsMenu(self._arrivals, self._book, delivery, locales),
            features=self._features,
        )

    @cached_property
    def _features(self) -> list[Feature]:
        delivery, locales, backstage = self._delivery, self._locales, self._backstage
        learning = self._retraining, self._succession, self._roster, delivery, locales
        return [
            Why(self._origins, delivery, locales),
            PersonaMenu(self._casting, delivery, locales),
            Privacy(PersonalRecords(self._sessions), delivery, locales, self._settings.retention_days),
            Bans(self._gate, delivery, locales),
            Reviewing(backstage, self._desk, delivery, locales),
            Statistics(backstage, SqlLedger(self._sessions), delivery, tables.now),
            Checkup(backstage, self._physician, delivery),
            Retrain(backstage, self._retraining, self._roster, delivery, locales),
            VersionsMenu(backstage, *learning),
        ]
