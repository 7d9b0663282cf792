"""/retrain: an admin lets a character learn anew, and can call it off."""

import hashlib
import re

from telegram import BotCommand, InlineKeyboardButton, InlineKeyboardMarkup, Message, Update
from telegram.ext import ContextTypes

from bot.handlers.backstage import Backstage
from bot.handlers.callbacks import Callback, Feature, Pattern
from bot.handlers.menu_message import change_menu, show_menu
from bot.handlers.toasts import toast
from bot.locales import Locales, Translate
from bot.personas import Card, Roster
from bot.training.records import Order
from bot.training.reports import TrainingPress
from bot.training.retraining import Retraining
from bot.training.texts import busy_text, offer_text
from bot.transport.addressing import language_of
from bot.transport.delivery import Delivery

RETRAIN_COMMAND = "retrain"
TRAINING_PRESSED = re.compile(r"train:(start|no|cancel|resume):([0-9]{1,16}):([0-9a-f]{1,18})\Z")


def retrain_menu(_: Translate) -> list[BotCommand]:
    """The command as Telegram lists it for admins, described in one language."""
    return [BotCommand(RETRAIN_COMMAND, _("Let a character learn anew"))]


class Retrain(Feature):
    """The command, and one callback for the buttons under its question and under what comes of it."""

    def __init__(
        self, backstage: Backstage, retraining: Retraining, roster: Roster, delivery: Delivery, locales: Locales
    ) -> None:
        self._backstage = backstage
        self._retraining = retraining
        self._roster = roster
        self._delivery = delivery
        self._locales = locales

    def callbacks(self) -> dict[str, Callback]:
        """The callbacks by the command's name."""
        return {RETRAIN_COMMAND: self._retrain}

    def buttons(self) -> dict[Pattern, Callback]:
        """The callbacks by the pattern that the data of a button has."""
        return {TRAINING_PRESSED: self.pressed}

    async def pressed(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """A button: it counts if the admin for whom it was made has pressed it."""
        query, admin, _ = update.callback_query, self._backstage.admin_of(update), self._speak(update)
        assert query is not None, "registered for callback queries only"
        found = TRAINING_PRESSED.match(str(query.data))
        if found is None or query.message is None or admin is None:
            await toast(update, None)
            return
        press = TrainingPress(found[1], int(found[2]), found[3])
        if press.admin != admin:
            await toast(update, only_asker_text(_))
        elif press.wish == "start":
            await self._start(update, context, press, query.message.message_id)
        elif press.wish == "no":
            await toast(update, None)
            await change_menu(update, context.bot, self._delivery, _("All right, everything stays as it is."))
        elif press.wish == "cancel":
            called_off = self._retraining.cancel(_number(press))
            await toast(update, _("I am stopping it…") if called_off else _("That is over already."))
        else:
            goes_on = await self._retraining.go_on(_number(press), query.message.message_id)
            await toast(update, _("I go on.") if goes_on else _("That cannot go on any more. See /retrain."))

    async def _start(
        self, update: Update, context: ContextTypes.DEFAULT_TYPE, press: TrainingPress, message: int
    ) -> None:
        _ = self._speak(update)
        card = next((card for card in self._roster.cards if digest(card.id) == press.what), None)
        problem = self._problem(_, card, press.what)
        if card is None or problem:
            await toast(update, None)
            await change_menu(update, context.bot, self._delivery, problem)
            return
        language = self._locales.language(language_of(update))
        training = await self._retraining.begin(Order(card.id, press.admin, message, language))
        if (training.order.admin, training.order.message) == (press.admin, message):
            await toast(update, None)  # From here on the message is the report's.
            return
        await toast(update, _("One thing at a time, please: I am still learning."))

    async def _retrain(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        _, admin = await self._backstage.enter(update), self._backstage.admin_of(update)
        message = update.effective_message
        if _ is None or admin is None or message is None:
            return
        card = meant(self._roster, message)
        if problem := self._problem(_, card, wanted(message)):
            await self._delivery.send(update, problem)
        elif card and self._retraining.is_at_work:
            await self._delivery.send(update, self._busy(_))
        elif card:
            offer = await self._retraining.offer(card.id)
            await show_menu(update, self._delivery, offer_text(_, card.name, offer), _keyboard(_, admin, card))

    def _busy(self, _: Translate) -> str:
        learner = self._roster.card(self._retraining.learner).name
        return busy_text(_, learner, self._retraining.progress)

    def _problem(self, _: Translate, card: Card | None, wanted: str) -> str:
        """Why a training cannot begin; empty if it can."""
        if card is None:
            return unknown_text(_, wanted, self._roster)
        if package := self._retraining.missing_package():
            text = _(
                "I cannot learn here yet: {package} is not installed. On the computer that I run on: make install-dev"
            )
            return text.format(package=package)
        if script := self._retraining.missing_script():
            return _("I cannot find the script {file} (SCRIPT).").format(file=script)
        return ""

    def _speak(self, update: Update) -> Translate:
        return self._locales.speak(language_of(update))


def only_asker_text(_: Translate) -> str:
    """That a button is another admin's."""
    return _("Only the one who asked can press this.")


def unknown_text(_: Translate, wanted: str, roster: Roster) -> str:
    """That nobody of this name is here, and who is."""
    names = ", ".join(card.id for card in roster.cards)
    return _("I know nobody called {name}. There are: {names}").format(name=wanted, names=names)


def wanted(message: Message) -> str:
    """The word after a command; empty if there is none."""
    return " ".join((message.text or "").split()[1:])


def meant(roster: Roster, message: Message) -> Card | None:
    """The character whom a command is about, by id or name; without a word, the one who plays by default."""
    words = wanted(message).casefold()
    if not words:
        return roster.card(None)
    return next((card for card in roster.cards if words in (card.id.casefold(), card.name.casefold())), None)


def digest(text: str) -> str:
    """What stands in a button for a text that may be too long for it."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _number(press: TrainingPress) -> int:
    return int(press.what) if press.what.isdecimal() else 0


def _keyboard(_: Translate, admin: int, card: Card) -> InlineKeyboardMarkup:
    labels = {"start": _("▶ Start"), "no": _("Not now")}
    buttons = [
        InlineKeyboardButton(label, callback_data=str(TrainingPress(wish, admin, digest(card.id))))
        for wish, label in labels.items()
    ]
    return InlineKeyboardMarkup([buttons])
