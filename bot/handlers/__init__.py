"""Handlers translate only: an update in, a call of the service, text out."""

from collections.abc import Collection
from typing import Any

from telegram import Update
from telegram.ext import Application, CallbackQueryHandler, CommandHandler, MessageHandler, TypeHandler, filters

from bot.addressing import AddressedToBot
from bot.chat_service import ChatService
from bot.delivery import Delivery
from bot.handlers.commands import Commands
from bot.handlers.dialogue import Dialogue
from bot.handlers.failures import Failures
from bot.handlers.privacy import PRESSED, Privacy
from bot.handlers.why import Why
from bot.inbox import Inbox
from bot.locales import Locales
from bot.origins import Origins

BEFORE_ALL = -1

AnyApplication = Application[Any, Any, Any, Any, Any, Any]


def register(
    application: AnyApplication,
    service: ChatService,
    origins: Origins,
    inbox: Inbox,
    delivery: Delivery,
    locales: Locales,
    privacy: Privacy,
    admins: Collection[int],
) -> None:
    """Add every handler to the application."""
    commands = Commands(service, delivery, locales)
    dialogue = Dialogue(service, delivery, locales)
    failures = Failures(inbox, delivery, locales, admins)
    fresh = filters.UpdateType.MESSAGE
    for_bot = fresh & AddressedToBot()
    application.add_handler(TypeHandler(Update, failures.resume), BEFORE_ALL)
    for name, callback in (commands.callbacks() | privacy.callbacks()).items():
        application.add_handler(CommandHandler(name, callback, filters=fresh))
    application.add_handler(CommandHandler("why", Why(origins, delivery, locales).explain, filters=fresh))
    application.add_handler(CallbackQueryHandler(privacy.pressed, pattern=PRESSED))
    application.add_handler(MessageHandler(fresh & filters.ChatType.PRIVATE & filters.COMMAND, commands.unknown))
    application.add_handler(MessageHandler(for_bot & filters.TEXT & ~filters.COMMAND, dialogue.talk))
    application.add_handler(MessageHandler(for_bot & ~filters.TEXT & ~filters.StatusUpdate.ALL, dialogue.decline))
    application.add_error_handler(failures.report)
