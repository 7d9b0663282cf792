"""The composition root: builds everything from the settings, and accepts replacements for its parts."""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.casting import Casting
from bot.chat_service import Actor, Cast, ChatService, Line, UnitOfWork
from bot.chat_settings import Creativity, Length, Manner
from bot.errors import SettingsError
from bot.origins import Answer, Answers, Origin, Origins, ScriptLine
from bot.personas import Card, Roster
from bot.reply_queue import ReplyQueue
from bot.settings import Settings
from bot.stopping import Stopping
from bot.troupe import Troupe

if TYPE_CHECKING:
    from bot.chat_order import ChatOrder
    from bot.gate import Rules
    from bot.handlers import AnyApplication
    from bot.inbox import Inbox
    from bot.lifecycle import Intake, Lifecycle
    from bot.previews import Pace
    from bot.storage.database import Database
    from bot.storage.retention import Retention
    from model.character import Character
    from model.engine import GenerationSettings
    from model.sources import Source, Sources

log = logging.getLogger(__name__)

FLOOD_RETRIES = 3
HTTP_SECONDS = 20.0
SHORT, LONG = 2 / 3, 2  # Times the usual number of tokens: fewer would cut off most answers before their first end.


class Star:
    """A character of the model package as the service's actor."""

    def __init__(self, character: "Character", sampling: Mapping[str, Any]) -> None:
        from model.engine import GenerationSettings

        self._character = character
        self._settings = GenerationSettings(**sampling)
        self.name = character.name
        self.version = character.version
        self.greeting = character.greeting

    def acting(self, manner: Manner) -> "Star":
        """The same character, answering in this manner."""
        return Star(self._character, asdict(self._settings) | _sampling(self._settings, manner))

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


def _sampling(usual: "GenerationSettings", manner: Manner) -> dict[str, Any]:
    """What a manner changes in the settings of a request."""
    from model.engine import MOST_NEW_TOKENS

    warm, tokens = usual.temperature, usual.max_new_tokens
    temperatures = {Creativity.CALM: warm / 2, Creativity.TRAINED: warm, Creativity.WILD: warm + 0.4}
    lengths = {Length.SHORT: int(tokens * SHORT) or 1, Length.NORMAL: tokens, Length.LONG: tokens * LONG}
    return {
        "temperature": temperatures[manner.creativity],
        "max_new_tokens": min(lengths[manner.length], MOST_NEW_TOKENS),
    }


class TrainedScript:
    """What the versions of personas were trained on, as the script of `bot.origins`; read when first asked for.

    Answers from before people could choose are those of the persona `default`.
    """

    def __init__(self, default: str, store: Path) -> None:
        self._default = default
        self._store = store
        self._reading = asyncio.Lock()
        self._last: tuple[tuple[str, str], Sources | None] | None = None

    async def trace(self, answer: Answer) -> Origin | None:
        """Where an answer may come from; None where its version does not tell."""
        async with self._reading:
            return await asyncio.to_thread(self._trace, answer)

    def _trace(self, answer: Answer) -> Origin | None:
        sources = self._sources(answer.persona or self._default, answer.version)
        if sources is None:
            return None
        trace = sources.trace(answer.text)
        return Origin([_script_line(source) for source in trace.sources], trace.copied, trace.whole)

    def _sources(self, persona: str, version: str) -> "Sources | None":
        from model.errors import ModelError
        from model.sources import load_sources

        key = persona, version
        if self._last is None or self._last[0] != key:
            try:
                self._last = key, load_sources(persona, self._store, version)
            except ModelError as error:
                log.warning("/why has no answer: %s", error)
                return None
        return self._last[1]


def _script_line(source: "Source") -> ScriptLine:
    line, before = source.line, source.before
    return ScriptLine(
        said=Line(line.speaker, line.text, line.own),
        before=Line(before.speaker, before.text, before.own) if before else None,
        episode=line.episode,
        place=line.place,
    )


@dataclass(frozen=True)
class App:
    """The bot, ready to run."""

    troupe: Troupe
    database: "Database"
    lifecycle: "Lifecycle"
    retention: "Retention"

    async def run(self, stop: asyncio.Event | None = None) -> None:
        """Run until `stop` is set or the process is told to stop; then close everything.

        Raises SettingsError where a setting turns out not to work: the token, the database.
        """
        stop = stop or stop_on_signals()
        try:
            await self.database.open()
            async with self.retention.watched():
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
) -> App:
    """Put the bot together. Loads the character unless another `actor` is given; `load` gives those whom people choose.

    `pace` is when what is shown of an answer that takes long.

    Raises SettingsError with one line that names the key.
    """
    from bot.chat_order import ChatOrder
    from bot.delivery import Delivery
    from bot.feedback import Feedback
    from bot.gate import Gate, Notices
    from bot.handlers import register
    from bot.handlers.persona_menu import PersonaMenu
    from bot.handlers.privacy import Privacy
    from bot.handlers.settings_menu import SettingsMenu
    from bot.inbox import Inbox
    from bot.lifecycle import Lifecycle
    from bot.locales import Locales
    from bot.menus import Menus
    from bot.placement import Placements
    from bot.previews import Pace, Previews
    from bot.second_thoughts import SecondThoughts
    from bot.storage.answers import AnswerRepository
    from bot.storage.database import Database
    from bot.storage.desk import SqlDesk
    from bot.storage.guest_book import SqlGuestBook
    from bot.storage.opinions import SqlOpinions
    from bot.storage.personal_records import PersonalRecords
    from bot.storage.repository import InboxRepository, SqlUnitOfWork
    from bot.storage.retention import Retention
    from bot.storage.revision import SqlRevision
    from bot.storage.settings_book import SqlSettingsBook
    from bot.storage.tables import now

    token = _token(settings)
    database = Database(settings.database_url.get_secret_value())
    actor = actor or load_actor(settings)
    inbox = Inbox(InboxRepository(database.session))
    stopping, locales = Stopping(), Locales()
    order = ChatOrder(inbox, stopping)
    roster, book = build_roster(settings, actor), SqlSettingsBook(database.session)
    troupe = Troupe(load or partial(_load_persona, settings), settings.personas_in_memory)
    troupe.welcome(settings.persona, actor)
    casting = Casting(roster, troupe, book)
    service = build_service(settings, casting, lambda: SqlUnitOfWork(database.session, roster), stopping)
    thoughts = SecondThoughts(service, lambda: SqlRevision(database.session, roster))
    delivery = Delivery(inbox, Placements(thoughts, locales))
    application = _application(token, settings, inbox, order)
    register(
        application,
        service=service,
        thoughts=thoughts,
        stopping=stopping,
        origins=build_origins(settings, AnswerRepository(database.session)),
        privacy=Privacy(PersonalRecords(database.session), delivery, locales, settings.retention_days),
        persona_menu=PersonaMenu(casting, delivery, locales),
        settings_menu=SettingsMenu(book, delivery, locales),
        feedback=Feedback(lambda: SqlOpinions(database.session, roster), now),
        desk=SqlDesk(database.session),
        gate=Gate(_rules(settings), SqlGuestBook(database.session), now),
        notices=Notices(now),
        inbox=inbox,
        delivery=delivery,
        previews=Previews(delivery, inbox, locales, settings.streaming, pace or Pace()),
        locales=locales,
        admins=settings.admin_ids,
    )
    intake, menus = _intake(settings, application, inbox), Menus(locales, settings.admin_ids)
    lifecycle = Lifecycle(application, inbox, order, menus, intake, settings.shutdown_grace)
    return App(troupe, database, lifecycle, Retention(database.session, settings.retention_days))


def build_service(
    settings: Settings, cast: Cast, unit_of_work: Callable[[], UnitOfWork], stopping: Stopping | None = None
) -> ChatService:
    """The chat service on any cast and any history."""
    replies = ReplyQueue(settings.max_concurrent_replies)
    return ChatService(cast, unit_of_work, replies, settings.context_messages, stopping)


def build_origins(settings: Settings, answers: Answers) -> Origins:
    """What explains the answers on record."""
    return Origins(answers, TrainedScript(settings.persona, settings.model_store))


def build_roster(settings: Settings, actor: Actor) -> Roster:
    """Whom people can choose: `actor`, who plays PERSONA, and those of PERSONAS that are there to be loaded."""
    from model.errors import ModelError
    from model.store import Store

    store = Store(settings.model_store)
    cards = {settings.persona: Card(settings.persona, actor.name, greeting=actor.greeting)}
    for persona in settings.personas | {settings.persona}:
        try:
            card = store.card(persona)
        except ModelError as error:
            if persona not in cards:
                log.warning("PERSONAS: %s is not offered: %s", persona, error)
            continue
        # Of who is loaded, it is the actor who knows how to introduce itself.
        known = cards.get(persona) or Card(persona, card.name, greeting=card.greeting)
        cards[persona] = replace(known, about=card.about)
    return Roster(settings.persona, [cards[persona] for persona in sorted(cards)])


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


def _load_persona(settings: Settings, persona: str) -> Star:
    return load_actor(settings.model_copy(update={"persona": persona}))


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


def _rules(settings: Settings) -> "Rules":
    from bot.gate import Limits, Rules

    return Rules(
        admins=settings.admin_ids,
        guests=settings.allowed_user_ids,
        groups=settings.allowed_chat_ids,
        person=Limits(settings.user_messages_per_minute, settings.user_messages_per_day),
        group=Limits(settings.group_messages_per_minute, settings.group_messages_per_day),
    )


def _intake(settings: Settings, application: "AnyApplication", inbox: "Inbox") -> "Intake":
    from bot.polling import Polling
    from bot.webhook import Webhook

    if settings.webhook_url is None:
        return Polling(application)
    assert settings.webhook_secret is not None, "the settings insist on it"
    secret = settings.webhook_secret.get_secret_value()
    listen = settings.webhook_listen, settings.webhook_port
    return Webhook(application.bot, inbox, settings.webhook_url, secret, listen)


def _application(token: str, settings: Settings, inbox: "Inbox", order: "ChatOrder") -> "AnyApplication":
    from telegram.ext import ApplicationBuilder

    from bot.flood_control import FloodControl

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
    if settings.telegram_base_url:
        url = settings.telegram_base_url.rstrip("/")
        builder = builder.base_url(f"{url}/bot").base_file_url(f"{url}/file/bot")
    if settings.proxy_url:
        proxy = settings.proxy_url.get_secret_value()
        builder = builder.proxy(proxy).get_updates_proxy(proxy)
    try:
        return builder.build()
    except RuntimeError as error:  # The library says so only in words of its own; the cause names the package.
        if settings.proxy_url and isinstance(error.__cause__, ImportError):
            raise SettingsError("PROXY_URL: a socks5 proxy needs one more package: pip install socksio") from None
        raise
