"""The admins' commands /ban and /unban; everybody else who uses them gets no answer at all."""

import re

from telegram import BotCommand, Message, Update
from telegram.ext import ContextTypes

from bot.gate import Gate
from bot.handlers.callbacks import Callback, Feature
from bot.locales import Locales, Translate
from bot.transport.addressing import language_of, original_of, visitor_of
from bot.transport.delivery import Delivery

BAN_COMMANDS = ("ban", "unban")
ID_SHAPE = r"-?[1-9][0-9]{0,15}"


def ban_menu(_: Translate) -> list[BotCommand]:
    """The commands as Telegram lists them for admins, described in one language."""
    return [
        BotCommand("ban", _("Give somebody no answers any more")),
        BotCommand("unban", _("Give somebody answers again")),
    ]


class Bans(Feature):
    """One callback per command."""

    def __init__(self, gate: Gate, delivery: Delivery, locales: Locales) -> None:
        self._gate = gate
        self._delivery = delivery
        self._locales = locales

    def callbacks(self) -> dict[str, Callback]:
        """The callbacks by the command's name."""
        return dict(zip(BAN_COMMANDS, (self._ban, self._unban), strict=True))

    async def _ban(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        admin = self._admin(update)
        if admin is None:
            return
        _ = self._locales.speak(language_of(update))
        number = named_id(update.effective_message)
        if number is None:
            text = usage_text(_, "/ban")
        elif await self._gate.ban(number, admin):
            text = _("{number} gets no answers from me any more. If that was a mistake: /unban {number}")
        else:
            text = _("{number} is one of my admins and cannot be banned.")
        await self._delivery.send(update, text.format(number=number))

    async def _unban(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        if self._admin(update) is None:
            return
        _ = self._locales.speak(language_of(update))
        number = named_id(update.effective_message)
        if number is None:
            text = usage_text(_, "/unban")
        elif await self._gate.unban(number):
            text = _("{number} gets answers from me again.")
        else:
            text = _("{number} is not banned.")
        await self._delivery.send(update, text.format(number=number))

    def _admin(self, update: Update) -> int | None:
        visitor = visitor_of(update)
        return visitor.sender_id if visitor and self._gate.is_admin(visitor.sender_id) else None


def usage_text(_: Translate, command: str) -> str:
    """How one says whom a command is about."""
    return _(
        "Whom do you mean? Write {command} with a number, or reply with {command} to a message of that person."
    ).format(command=command)


def named_id(message: Message | None) -> int | None:
    """Whom a command is about: the id after it, or else whoever wrote the message that it replies to."""
    if message is None or not message.text:
        return None
    if words := message.text.split()[1:]:
        return int(words[0]) if len(words) == 1 and re.fullmatch(ID_SHAPE, words[0]) else None
    return _author_id(message)


def _author_id(message: Message) -> int | None:
    original = original_of(message)
    if original is None:
        return None
    author = original.sender_chat or original.from_user
    return author.id if author and author.id != message.get_bot().id else None
