"""Handlers translate only: an update in, a call of the service, text out."""

from collections.abc import Collection
from typing import Any

from telegram import Update
from telegram.ext import Application, CallbackQueryHandler, CommandHandler, MessageHandler, TypeHandler, filters

from bot.addressing import AddressedToBot
from bot.chat_service import ChatService
from bot.delivery import Delivery
from bot.gate import Gate, Notices
from bot.handlers.bans import Bans
from bot.handlers.commands import Commands
from bot.handlers.control import Control
from bot.handlers.dialogue import Dialogue
from bot.handlers.doorkeeper import Doorkeeper
from bot.handlers.failures import Failures
from bot.handlers.privacy import PRESSED, Privacy
from bot.handlers.why import Why
from bot.inbox import Inbox
from bot.locales import Locales
from bot.origins import Origins
from bot.previews import Previews
from bot.second_thoughts import SecondThoughts
from bot.stopping import Stopping

# Handlers before all others: who is let in; what was left behind, and has been counted; how much is let in.
AT_THE_DOOR, LEFT_BEHIND, AT_THE_COUNTER = -3, -2, -1

AnyApplication = Application[Any, Any, Any, Any, Any, Any]


def register(
    application: AnyApplication,
    *,
    service: ChatService,
    thoughts: SecondThoughts,
    stopping: Stopping,
    origins: Origins,
    privacy: Privacy,
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
    fresh = filters.UpdateType.MESSAGE
    for_bot = fresh & AddressedToBot()
    application.add_handler(TypeHandler(Update, doorkeeper.let_in), AT_THE_DOOR)
    application.add_handler(TypeHandler(Update, failures.resume), LEFT_BEHIND)
    application.add_handler(TypeHandler(Update, doorkeeper.count), AT_THE_COUNTER)
    callbacks = commands.callbacks() | control.callbacks() | privacy.callbacks() | bans.callbacks()
    for name, callback in callbacks.items():
        application.add_handler(CommandHandler(name, callback, filters=fresh))
    application.add_handler(CommandHandler("why", Why(origins, delivery, locales).explain, filters=fresh))
    application.add_handler(CallbackQueryHandler(privacy.pressed, pattern=PRESSED))
    application.add_handler(MessageHandler(fresh & filters.ChatType.PRIVATE & filters.COMMAND, commands.unknown))
    application.add_handler(MessageHandler(for_bot & filters.TEXT & ~filters.COMMAND, dialogue.talk))
    application.add_handler(MessageHandler(for_bot & ~filters.TEXT & ~filters.StatusUpdate.ALL, dialogue.decline))
    edited = filters.UpdateType.EDITED_MESSAGE & filters.TEXT & ~filters.COMMAND
    application.add_handler(MessageHandler(edited, control.revise))
    application.add_handler(CallbackQueryHandler(control.press))
    application.add_error_handler(failures.report)
