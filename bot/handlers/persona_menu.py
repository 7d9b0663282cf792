"""/persona: who plays in a chat."""

import hashlib
import logging

from telegram import BotCommand, InlineKeyboardMarkup, Update
from telegram.ext import ContextTypes

from bot.casting import Casting
from bot.chat_service import Conversation
from bot.errors import CastingError
from bot.handlers.authority import may_choose, only_admins_text
from bot.handlers.callbacks import Callback, Feature, Pattern
from bot.handlers.menu_message import change_menu, keyboard, show_menu
from bot.handlers.toasts import toast
from bot.locales import Locales, Translate
from bot.personas import Card
from bot.transport.addressing import conversation_of, language_of, owner_of
from bot.transport.delivery import Delivery

log = logging.getLogger(__name__)

PERSONA_PRESSED = r"^who:[0-9a-f]{16}\Z"


class PersonaMenu(Feature):
    """The command, and the buttons with the characters on offer."""

    def __init__(self, casting: Casting, delivery: Delivery, locales: Locales) -> None:
        self._casting = casting
        self._cards = casting.roster.cards
        self._delivery = delivery
        self._locales = locales

    def callbacks(self) -> dict[str, Callback]:
        """The callbacks by the command's name."""
        return {"persona": self._persona}

    def buttons(self) -> dict[Pattern, Callback]:
        """The callbacks by the pattern that the data of a button has."""
        return {PERSONA_PRESSED: self.pressed}

    async def pressed(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """A button with a character, perhaps with one that is not on offer any more."""
        _, where = self._speak(update), owner_of(update)[0]
        data = update.callback_query and update.callback_query.data
        card = next((card for card in self._cards if button_data(card) == data), None)
        if where is None or card is None:
            await toast(update, _("I cannot find this one any more. /persona shows who is here."))
        elif not await may_choose(update, context.bot):
            await toast(update, only_admins_text(_))
        else:
            await toast(update, _("{name} is coming…").format(name=card.name))
            await self._switch(update, context, where, card)

    async def _persona(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        _, message = self._speak(update), update.effective_message
        assert message is not None, "commands come in messages"
        card = await self._casting.character(conversation_of(message))
        if len(self._cards) > 1 and await may_choose(update, context.bot):
            await show_menu(update, self._delivery, menu_text(_, card), self._buttons(card))
        else:
            reason = only_admins_text(_) if len(self._cards) > 1 else _("Nobody else is here to choose from.")
            await self._delivery.send(update, f"{present_text(_, card)}\n\n{reason}")

    async def _switch(
        self, update: Update, context: ContextTypes.DEFAULT_TYPE, where: Conversation, card: Card
    ) -> None:
        _ = self._speak(update)
        try:
            await self._casting.choose(where, card)
        except CastingError as error:
            log.error("/persona: %s", error)
            old = await self._casting.character(where)
            text = _("Sorry, {name} cannot come right now, so {old} stays.")
            await self._delivery.send(update, text.format(name=card.name, old=old.name))
        else:
            await change_menu(update, context.bot, self._delivery, arrival_text(_, card), self._buttons(card))

    def _buttons(self, current: Card) -> InlineKeyboardMarkup:
        return keyboard([[(button_data(card), card.name)] for card in self._cards], {button_data(current)})

    def _speak(self, update: Update) -> Translate:
        return self._locales.speak(language_of(update))


def persona_commands(_: Translate) -> list[BotCommand]:
    """The command as Telegram lists it, described in one language."""
    return [BotCommand("persona", _("Choose who talks here"))]


def persona_help(_: Translate) -> str:
    """The command for the overview."""
    return _("/persona: you choose who talks here")


def button_data(card: Card) -> str:
    """What the button with a character says: a digest, as an id may be too long for a button."""
    return f"who:{hashlib.sha256(card.id.encode()).hexdigest()[:16]}"


def present_text(_: Translate, card: Card) -> str:
    """Who plays now."""
    return "\n".join(filter(None, (_("{name} is talking here.").format(name=card.name), card.about)))


def menu_text(_: Translate, card: Card) -> str:
    """Who plays now, and the question who shall."""
    return f"{present_text(_, card)}\n\n" + _("Who shall it be?")


def arrival_text(_: Translate, card: Card) -> str:
    """Who has come, and what that means for the conversations."""
    greeting = f"“{card.greeting}”" if card.greeting else ""
    note = _(
        "From now on {name} answers here, and has not heard what you told others. "
        "They remember it: choose them again, and you go on where you were."
    ).format(name=card.name)
    return "\n\n".join(filter(None, ("\n".join(filter(None, (card.name, card.about))), greeting, note)))
