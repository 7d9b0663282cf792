"""Handlers translate only: an update in, a call of the service, text out."""

from collections.abc import Collection
from typing import Any

from telegram import Update
from telegram.ext import (
    Application,
    CallbackQueryHandler,
    CommandHandler,
    InlineQueryHandler,
    MessageHandler,
    MessageReactionHandler,
    TypeHandler,
    filters,
)

from bot.chat_service import ChatService
from bot.feedback import PRESSED as JUDGED
from bot.feedback import Feedback
from bot.gate import Clock, Gate, Notices
from bot.handlers.backstage import Backstage
from bot.handlers.bans import Bans
from bot.handlers.broadcasting import BROADCAST_PRESSED, Broadcasting
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
from bot.handlers.persona_menu import PERSONA_PRESSED, PersonaMenu
from bot.handlers.privacy import PRESSED, Privacy
from bot.handlers.retrain import TRAINING_PRESSED, Retrain
from bot.handlers.reviewing import PRESSED as REVIEWED
from bot.handlers.reviewing import Reviewing
from bot.handlers.settings_menu import SETTING_PRESSED, SettingsMenu
from bot.handlers.versions_menu import ROLLBACK_PRESSED, VersionsMenu
from bot.handlers.why import Why
from bot.inbox import Inbox
from bot.locales import Locales
from bot.origins import Origins
from bot.review import Desk
from bot.second_thoughts import SecondThoughts
from bot.stopping import Stopping
from bot.transport.addressing import AddressedToBot
from bot.transport.delivery import Delivery
from bot.transport.moved_groups import Move
from bot.transport.overhearing import Overheard
from bot.transport.previews import Pace, Previews
from bot.upkeep.broadcast import BroadcastBook
from bot.upkeep.broadcaster import Broadcaster
from bot.upkeep.figures import Ledger
from bot.upkeep.health import Physician

# Handlers before all others: from where something comes; what the chat has chosen; who is let in; what was left behind,
# and has been counted; what the bot has asked for, and is not counted; how much is let in.
FIRST_OF_ALL, BEFORE_ANY_WORD = -6, -5
AT_THE_DOOR, LEFT_BEHIND, ASKED_FOR, AT_THE_COUNTER = -4, -3, -2, -1

AnyApplication = Application[Any, Any, Any, Any, Any, Any]


def register(
    application: AnyApplication,
    *,
    service: ChatService,
    barrier: LanguageBarrier,
    thoughts: SecondThoughts,
    stopping: Stopping,
    origins: Origins,
    privacy: Privacy,
    persona_menu: PersonaMenu,
    settings_menu: SettingsMenu,
    feedback: Feedback,
    desk: Desk,
    ledger: Ledger,
    book: BroadcastBook,
    broadcaster: Broadcaster,
    physician: Physician,
    clock: Clock,
    overheard: Overheard,
    move: Move,
    retrain: Retrain,
    versions_menu: VersionsMenu,
    gate: Gate,
    notices: Notices,
    inbox: Inbox,
    delivery: Delivery,
    previews: Previews,
    pace: Pace,
    locales: Locales,
    admins: Collection[int],
) -> None:
    """Add every handler to the application."""
    commands = Commands(service, barrier, delivery, previews, locales)
    dialogue = Dialogue(service, barrier, delivery, previews, locales)
    control = Control(thoughts, stopping, barrier, delivery, previews, locales)
    failures = Failures(inbox, delivery, locales, admins)
    inbox.excuse_with(failures.ask_to_wait)
    bans = Bans(gate, delivery, locales)
    doorkeeper = Doorkeeper(gate, notices, overheard, delivery, locales)
    judging = Judging(feedback, delivery, locales)
    reviewing = Reviewing(gate, desk, delivery, locales)
    backstage = Backstage(gate, delivery, locales)
    statistics, checkup = Statistics(backstage, ledger, delivery, clock), Checkup(backstage, physician, delivery)
    broadcasting = Broadcasting(backstage, book, broadcaster, delivery, locales)
    fresh = filters.UpdateType.MESSAGE
    for_bot = fresh & AddressedToBot()
    application.add_handler(TypeHandler(Update, broadcasting.hear), FIRST_OF_ALL)
    application.add_handler(TypeHandler(Update, settings_menu.open), BEFORE_ANY_WORD)
    application.add_handler(TypeHandler(Update, doorkeeper.let_in), AT_THE_DOOR)
    application.add_handler(TypeHandler(Update, failures.resume), LEFT_BEHIND)
    application.add_handler(MessageHandler(fresh & filters.TEXT & ~filters.COMMAND, judging.listen), ASKED_FOR)
    application.add_handler(TypeHandler(Update, doorkeeper.count), AT_THE_COUNTER)
    callbacks = commands.callbacks() | control.callbacks() | privacy.callbacks() | bans.callbacks()
    callbacks |= persona_menu.callbacks() | settings_menu.callbacks()
    callbacks |= judging.callbacks() | reviewing.callbacks()
    callbacks |= statistics.callbacks() | broadcasting.callbacks() | checkup.callbacks()
    callbacks |= retrain.callbacks() | versions_menu.callbacks()
    for name, callback in callbacks.items():
        application.add_handler(CommandHandler(name, callback, filters=fresh))
    application.add_handler(CommandHandler("why", Why(origins, delivery, locales).explain, filters=fresh))
    application.add_handler(CallbackQueryHandler(privacy.pressed, pattern=PRESSED))
    application.add_handler(CallbackQueryHandler(persona_menu.pressed, pattern=PERSONA_PRESSED))
    application.add_handler(CallbackQueryHandler(settings_menu.pressed, pattern=SETTING_PRESSED))
    application.add_handler(CallbackQueryHandler(judging.pressed, pattern=JUDGED))
    application.add_handler(CallbackQueryHandler(reviewing.pressed, pattern=REVIEWED))
    application.add_handler(CallbackQueryHandler(broadcasting.pressed, pattern=BROADCAST_PRESSED))
    application.add_handler(CallbackQueryHandler(retrain.pressed, pattern=TRAINING_PRESSED))
    application.add_handler(CallbackQueryHandler(versions_menu.pressed, pattern=ROLLBACK_PRESSED))
    not_counts = MessageReactionHandler.MESSAGE_REACTION_UPDATED
    application.add_handler(MessageReactionHandler(judging.reacted, message_reaction_types=not_counts))
    application.add_handler(MessageHandler(fresh & filters.ChatType.PRIVATE & filters.COMMAND, commands.unknown))
    for_answer = for_bot | (fresh & overheard)
    application.add_handler(MessageHandler(for_answer & filters.TEXT & ~filters.COMMAND, dialogue.talk))
    application.add_handler(MessageHandler(for_bot & ~filters.TEXT & ~filters.StatusUpdate.ALL, dialogue.decline))
    inline = InlineMode(service, stopping, gate, notices, locales, pace.until_typed)
    application.add_handler(InlineQueryHandler(inline.answer))
    application.add_handler(MessageHandler(fresh & filters.StatusUpdate.MIGRATE, Moving(move).moved))
    edited = filters.UpdateType.EDITED_MESSAGE & filters.TEXT & ~filters.COMMAND
    application.add_handler(MessageHandler(edited, control.revise))
    application.add_handler(CallbackQueryHandler(control.press))
    application.add_error_handler(failures.report)
