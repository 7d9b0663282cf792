"""/settings: how answers are given in a chat, and the language of the interface there."""

import logging
from dataclasses import replace

from telegram import BotCommand, InlineKeyboardMarkup, Update
from telegram.ext import ContextTypes

from bot.addressing import conversation_of, language_of, owner_of
from bot.chat_settings import ChatSettings, Creativity, Length, SettingsBook
from bot.delivery import Delivery
from bot.errors import StorageError
from bot.handlers.authority import may_choose, only_admins_text
from bot.handlers.callbacks import Callback
from bot.handlers.menu_message import Option, change_menu, keyboard, show_menu
from bot.handlers.toasts import toast
from bot.locales import Locales, Translate

log = logging.getLogger(__name__)

AUTOMATIC = "auto"
SETTING_PRESSED = r"^set:(creativity:(calm|trained|wild)|length:(short|normal|long)|language:(auto|en|ru))\Z"


class SettingsMenu:
    """The command, its buttons, and what a chosen language means for all other handlers."""

    def __init__(self, book: SettingsBook, delivery: Delivery, locales: Locales) -> None:
        self._book = book
        self._delivery = delivery
        self._locales = locales

    def callbacks(self) -> dict[str, Callback]:
        """The callbacks by the command's name."""
        return {"settings": self._settings}

    async def choose_language(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        """Before all other handlers: let them speak the language that the chat has chosen."""
        where = owner_of(update)[0]
        try:
            self._locales.choose((await self._book.read(where)).language if where else None)
        except StorageError as error:  # Who needs the database says so; this one only would like to have it.
            log.info("Update %d: the chat's language is not known (%s)", update.update_id, error)

    async def pressed(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """A button of the menu. It says what shall be, so pressing an old one does no more than it says."""
        _, where = self._speak(update), owner_of(update)[0]
        if where is None:
            await toast(update, _("This menu is too old. Send /settings for a new one."))
        elif not await may_choose(update, context.bot):
            await toast(update, only_admins_text(_))
        else:
            assert update.callback_query is not None, "registered for buttons only"
            settings = changed(await self._book.read(where), str(update.callback_query.data))
            await self._book.write(where, settings)
            await toast(update, None)
            self._locales.choose(settings.language)
            _ = self._speak(update)
            await change_menu(update, context.bot, self._delivery, settings_text(_), buttons(_, settings))

    async def _settings(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        _, message = self._speak(update), update.effective_message
        assert message is not None, "commands come in messages"
        if await may_choose(update, context.bot):
            settings = await self._book.read(conversation_of(message))
            await show_menu(update, self._delivery, settings_text(_), buttons(_, settings))
        else:
            await self._delivery.send(update, only_admins_text(_))

    def _speak(self, update: Update) -> Translate:
        return self._locales.speak(language_of(update))


def settings_commands(_: Translate) -> list[BotCommand]:
    """The command as Telegram lists it, described in one language."""
    return [BotCommand("settings", _("How I answer here"))]


def settings_help(_: Translate) -> str:
    """The command for the overview."""
    return _("/settings: how freely and how long I answer here, and the language of these notices")


def settings_text(_: Translate) -> str:
    """What the rows of buttons are about."""
    return _(
        "This is how I answer here.\n\n"
        "First row: how freely I make up my answers.\n"
        "Second row: how long they may become.\n"
        "Third row: the language of buttons and notices like this one; automatic means yours. "
        "What I say in a conversation stays in the language that I have learned."
    )


def buttons(_: Translate, settings: ChatSettings) -> InlineKeyboardMarkup:
    """The menu, with what holds marked."""
    manner = settings.manner
    marked = {
        f"set:creativity:{manner.creativity}",
        f"set:length:{manner.length}",
        f"set:language:{settings.language or AUTOMATIC}",
    }
    return keyboard(_options(_), marked)


def changed(settings: ChatSettings, data: str) -> ChatSettings:
    """The settings after a button was pressed, whose data is as SETTING_PRESSED says."""
    _prefix, what, value = data.split(":")
    if what == "creativity":
        return replace(settings, manner=replace(settings.manner, creativity=Creativity(value)))
    if what == "length":
        return replace(settings, manner=replace(settings.manner, length=Length(value)))
    return replace(settings, language=None if value == AUTOMATIC else value)


def _options(_: Translate) -> list[list[Option]]:
    return [
        [
            ("set:creativity:calm", _("Calm")),
            ("set:creativity:trained", _("As trained")),
            ("set:creativity:wild", _("Wild")),
        ],
        [("set:length:short", _("Short")), ("set:length:normal", _("Normal")), ("set:length:long", _("Long"))],
        [("set:language:auto", _("Automatic")), ("set:language:en", "English"), ("set:language:ru", "Русский")],
    ]
