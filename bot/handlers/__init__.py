"""Handlers translate only: an update in, a call of the service, text out."""

from collections.abc import Sequence
from dataclasses import dataclass
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

from bot.handlers.broadcasting import Broadcasting
from bot.handlers.callbacks import Feature
from bot.handlers.commands import Commands
from bot.handlers.control import Control
from bot.handlers.dialogue import Dialogue
from bot.handlers.doorkeeper import Doorkeeper
from bot.handlers.failures import Failures
from bot.handlers.inline import InlineMode
from bot.handlers.judging import Judging
from bot.handlers.moving import Moving
from bot.handlers.settings_menu import SettingsMenu
from bot.transport.addressing import AddressedToBot
from bot.transport.overhearing import Overheard

# Handlers before all others: what the chat has chosen; from where something comes; who is let in; what was left behind,
# and has been counted; what the bot has asked for, and is not counted; how much is let in.
FIRST_OF_ALL, BEFORE_ANY_WORD = -6, -5
AT_THE_DOOR, LEFT_BEHIND, ASKED_FOR, AT_THE_COUNTER = -4, -3, -2, -1

AnyApplication = Application[Any, Any, Any, Any, Any, Any]


FRESH = filters.UpdateType.MESSAGE
WORDS = filters.TEXT & ~filters.COMMAND


@dataclass(frozen=True)
class Staff:
    """Whoever has to do with updates; `features` are those who only have commands and buttons."""

    broadcasting: Broadcasting
    commands: Commands
    control: Control
    dialogue: Dialogue
    doorkeeper: Doorkeeper
    failures: Failures
    inline: InlineMode
    judging: Judging
    moving: Moving
    overheard: Overheard
    settings_menu: SettingsMenu
    features: Sequence[Feature]


def register(application: AnyApplication, staff: Staff) -> None:
    """Add every handler to the application."""
    _at_the_door(application, staff)
    own = (staff.broadcasting, staff.commands, staff.control, staff.judging, staff.settings_menu)
    for feature in (*own, *staff.features):
        for name, callback in feature.callbacks().items():
            application.add_handler(CommandHandler(name, callback, filters=FRESH))
        for pattern, callback in feature.buttons().items():
            application.add_handler(CallbackQueryHandler(callback, pattern=pattern))
    _for_the_rest(application, staff)
    application.add_error_handler(staff.failures.report)


def _at_the_door(application: AnyApplication, staff: Staff) -> None:
    application.add_handler(TypeHandler(Update, staff.settings_menu.open), FIRST_OF_ALL)
    application.add_handler(TypeHandler(Update, staff.broadcasting.hear), BEFORE_ANY_WORD)
    application.add_handler(TypeHandler(Update, staff.doorkeeper.let_in), AT_THE_DOOR)
    application.add_handler(TypeHandler(Update, staff.failures.resume), LEFT_BEHIND)
    application.add_handler(MessageHandler(FRESH & WORDS, staff.judging.listen), ASKED_FOR)
    application.add_handler(TypeHandler(Update, staff.doorkeeper.count), AT_THE_COUNTER)


def _for_the_rest(application: AnyApplication, staff: Staff) -> None:
    """What is no command, and has no button of a feature."""
    for_bot = FRESH & AddressedToBot()
    not_counts = MessageReactionHandler.MESSAGE_REACTION_UPDATED
    edited = filters.UpdateType.EDITED_MESSAGE & WORDS
    application.add_handler(MessageReactionHandler(staff.judging.reacted, message_reaction_types=not_counts))
    application.add_handler(MessageHandler(FRESH & filters.ChatType.PRIVATE & filters.COMMAND, staff.commands.unknown))
    application.add_handler(MessageHandler((for_bot | (FRESH & staff.overheard)) & WORDS, staff.dialogue.talk))
    application.add_handler(MessageHandler(for_bot & ~filters.TEXT & ~filters.StatusUpdate.ALL, staff.dialogue.decline))
    application.add_handler(InlineQueryHandler(staff.inline.answer))
    application.add_handler(MessageHandler(FRESH & filters.StatusUpdate.MIGRATE, staff.moving.moved))
    application.add_handler(MessageHandler(edited, staff.control.revise))
    application.add_handler(CallbackQueryHandler(staff.control.press))
