"""/settings: how answers are given in a chat, in groups also to what, and the language of the interface there."""

import logging
from dataclasses import replace

from telegram import Bot, BotCommand, InlineKeyboardMarkup, Update
from telegram.constants import ChatType
from telegram.ext import ContextTypes

from bot.arrivals import Arrivals
from bot.chat_settings import Attention, ChatSettings, Creativity, Length, SettingsAtHand
from bot.errors import StorageError
from bot.handlers.authority import hears_all, may_choose, only_admins_text
from bot.handlers.callbacks import Callback, Feature, Pattern
from bot.handlers.menu_message import Option, change_menu, keyboard, show_menu
from bot.handlers.toasts import toast
from bot.locales import Locales, Translate
from bot.transport.addressing import conversation_of, language_of, owner_of, visitor_of
from bot.transport.delivery import Delivery

log = logging.getLogger(__name__)

AUTOMATIC = "auto"
SETTING_PRESSED = (
    r"^set:(creativity:(calm|trained|wild)|length:(short|normal|long)"
    r"|language:(auto|en|ru)|attention:(addressed|all))\Z"
)


class SettingsMenu(Feature):
    """The command, its buttons, and what a chat has chosen for all other handlers."""

    def __init__(self, arrivals: Arrivals, book: SettingsAtHand, delivery: Delivery, locales: Locales) -> None:
        self._arrivals = arrivals
        self._book = book
        self._delivery = delivery
        self._locales = locales

    def callbacks(self) -> dict[str, Callback]:
        """The callbacks by the command's name."""
        return {"settings": self._settings}

    def buttons(self) -> dict[Pattern, Callback]:
        """The callbacks by the pattern that the data of a button has."""
        return {SETTING_PRESSED: self.pressed}

    async def open(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        """Before all other handlers: lay open what the chat has chosen, and let them speak its language."""
        where, arrival = owner_of(update)[0], None
        try:
            arrival = await self._arrivals.look_up(where, visitor_of(update))
        except StorageError as error:  # Who needs the database says so; this one only would like to have it.
            log.info("Update %d: what the chat has chosen is not known (%s)", update.update_id, error)
        self._book.open(where, arrival.settings if arrival else None)
        self._locales.choose(self._book.page.language)

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
            await change_menu(update, context.bot, self._delivery, *await self._menu(update, context.bot, settings))

    async def _settings(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        _, message = self._speak(update), update.effective_message
        assert message is not None, "commands come in messages"
        if await may_choose(update, context.bot):
            settings = await self._book.read(conversation_of(message))
            await show_menu(update, self._delivery, *await self._menu(update, context.bot, settings))
        else:
            await self._delivery.send(update, only_admins_text(_))

    async def _menu(self, update: Update, bot: Bot, settings: ChatSettings) -> tuple[str, InlineKeyboardMarkup]:
        _, chat = self._speak(update), update.effective_chat
        in_group = chat is not None and chat.type != ChatType.PRIVATE
        parts = [settings_text(_)]
        if chat and in_group:
            parts.append(attention_text(_))
            parts += [] if await hears_all(bot, chat.id) else [deaf_text(_)]
        return "\n\n".join(parts), buttons(_, settings, in_group)

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


def attention_text(_: Translate) -> str:
    """What the further row in groups is about."""
    return _(
        "Fourth row: what I answer in this group. Either only what is meant for me: my name, a reply to me, a command. "
        "Or all messages."
    )


def deaf_text(_: Translate) -> str:
    """That not all messages of a group reach the bot."""
    return _("So far I hear only what is meant for me here. Make me an admin of this group, and I can hear you all.")


def buttons(_: Translate, settings: ChatSettings, in_group: bool = False) -> InlineKeyboardMarkup:
    """The menu, with what holds marked."""
    manner = settings.manner
    marked = {
        f"set:creativity:{manner.creativity}",
        f"set:length:{manner.length}",
        f"set:language:{settings.language or AUTOMATIC}",
        f"set:attention:{settings.attention}",
    }
    return keyboard([*_options(_), *([_attention_options(_)] if in_group else [])], marked)


def changed(settings: ChatSettings, data: str) -> ChatSettings:
    """The settings after a button was pressed, whose data is as SETTING_PRESSED says."""
    _prefix, what, value = data.split(":")
    if what == "creativity":
        return replace(settings, manner=replace(settings.manner, creativity=Creativity(value)))
    if what == "length":
        return replace(settings, manner=replace(settings.manner, length=Length(value)))
    if what == "attention":
        return replace(settings, attention=Attention(value))
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


def _attention_options(_: Translate) -> list[Option]:
    return [("set:attention:addressed", _("What is meant for me")), ("set:attention:all", _("All messages"))]
