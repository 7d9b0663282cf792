"""Handlers translate only: an update in, a call of the service, text out."""

from collections.abc import Collection
from typing import Any

from telegram import Update
from telegram.ext import (
    Application,
    CallbackQueryHandler,
    CommandHandler,
    MessageHandler,
    MessageReactionHandler,
    TypeHandler,
    filters,
)

from bot.addressing import AddressedToBot
from bot.chat_service import ChatService
from bot.delivery import Delivery
from bot.feedback import PRESSED as JUDGED
from bot.feedback import Feedback
from bot.gate import Gate, Notices
from bot.handlers.bans import Bans
from bot.handlers.commands import Commands
from bot.handlers.control import Control
from bot.handlers.dialogue import Dialogue
from bot.handlers.doorkeeper import Doorkeeper
from bot.handlers.failures import Failures
from bot.handlers.judging import Judging
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
from bot.previews import Previews
from bot.review import Desk
from bot.second_thoughts import SecondThoughts
from bot.stopping import Stopping

# Handlers before all others: what language is spoken; who is let in; what was left behind, and has been counted; what
# the bot has asked for, and is not counted; how much is let in.
BEFORE_ANY_WORD = -5
AT_THE_DOOR, LEFT_BEHIND, ASKED_FOR, AT_THE_COUNTER = -4, -3, -2, -1

AnyApplication = Application[Any, Any, Any, Any, Any, Any]


def register(
    application: AnyApplication,
    *,
    service: ChatService,
    thoughts: SecondThoughts,
    stopping: Stopping,
    origins: Origins,
    privacy: Privacy,
    persona_menu: PersonaMenu,
    settings_menu: SettingsMenu,
    feedback: Feedback,
    desk: Desk,
    retrain: Retrain,
    versions_menu: VersionsMenu,
    gate: Gate,
    notices: Notices,
    inbox: Inbox,
    delivery: Delivery,
    previews: Previews,
    locales: Locales,
    admins: Collection[int],
) -> None:
    """Add every handler to the application."""
    commands = Commands(service, delivery, previews, locales)
    dialogue = Dialogue(service, delivery, previews, locales)
    control = Control(thoughts, stopping, delivery, previews, locales)
    failures = Failures(inbox, delivery, locales, admins)
    bans = Bans(gate, delivery, locales)
    doorkeeper = Doorkeeper(gate, notices, delivery, locales)
    judging = Judging(feedback, delivery, locales)
    reviewing = Reviewing(gate, desk, delivery, locales)
    fresh = filters.UpdateType.MESSAGE
    for_bot = fresh & AddressedToBot()
    application.add_handler(TypeHandler(Update, settings_menu.choose_language), BEFORE_ANY_WORD)
    application.add_handler(TypeHandler(Update, doorkeeper.let_in), AT_THE_DOOR)
    application.add_handler(TypeHandler(Update, failures.resume), LEFT_BEHIND)
    application.add_handler(MessageHandler(fresh & filters.TEXT & ~filters.COMMAND, judging.listen), ASKED_FOR)
    application.add_handler(TypeHandler(Update, doorkeeper.count), AT_THE_COUNTER)
    callbacks = commands.callbacks() | control.callbacks() | privacy.callbacks() | bans.callbacks()
    callbacks |= persona_menu.callbacks() | settings_menu.callbacks()
    callbacks |= judging.callbacks() | reviewing.callbacks() | retrain.callbacks() | versions_menu.callbacks()
    for name, callback in callbacks.items():
        application.add_handler(CommandHandler(name, callback, filters=fresh))
    application.add_handler(CommandHandler("why", Why(origins, delivery, locales).explain, filters=fresh))
    application.add_handler(CallbackQueryHandler(privacy.pressed, pattern=PRESSED))
    application.add_handler(CallbackQueryHandler(persona_menu.pressed, pattern=PERSONA_PRESSED))
    application.add_handler(CallbackQueryHandler(settings_menu.pressed, pattern=SETTING_PRESSED))
    application.add_handler(CallbackQueryHandler(judging.pressed, pattern=JUDGED))
    application.add_handler(CallbackQueryHandler(reviewing.pressed, pattern=REVIEWED))
    application.add_handler(CallbackQueryHandler(retrain.pressed, pattern=TRAINING_PRESSED))
    application.add_handler(CallbackQueryHandler(versions_menu.pressed, pattern=ROLLBACK_PRESSED))
    not_counts = MessageReactionHandler.MESSAGE_REACTION_UPDATED
    application.add_handler(MessageReactionHandler(judging.reacted, message_reaction_types=not_counts))
    application.add_handler(MessageHandler(fresh & filters.ChatType.PRIVATE & filters.COMMAND, commands.unknown))
    application.add_handler(MessageHandler(for_bot & filters.TEXT & ~filters.COMMAND, dialogue.talk))
    application.add_handler(MessageHandler(for_bot & ~filters.TEXT & ~filters.StatusUpdate.ALL, dialogue.decline))
    edited = filters.UpdateType.EDITED_MESSAGE & filters.TEXT & ~filters.COMMAND
    application.add_handler(MessageHandler(edited, control.revise))
    application.add_handler(CallbackQueryHandler(control.press))
    application.add_error_handler(failures.report)
