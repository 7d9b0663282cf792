"""/versions and /rollback: which versions of a character there are, and back to the one before."""

import re

from telegram import BotCommand, InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.ext import ContextTypes

from bot.errors import RetrainingError
from bot.handlers.backstage import Backstage
from bot.handlers.callbacks import Callback, Feature, Pattern
from bot.handlers.menu_message import change_menu, show_menu
from bot.handlers.retrain import digest, meant, only_asker_text, unknown_text, wanted
from bot.handlers.toasts import toast
from bot.locales import Locales, Translate
from bot.personas import Card, Roster
from bot.training.retraining import Retraining
from bot.training.succession import Shelf, Succession
from bot.transport.addressing import language_of
from bot.transport.delivery import Delivery

VERSION_COMMANDS = ("rollback", "versions")
ROLLBACK_PRESSED = re.compile(r"back:(yes|no):([0-9]{1,16}):([0-9a-f]{16})\Z")
SHOWN = 20  # Versions, the newest of them.


def versions_commands(_: Translate) -> list[BotCommand]:
    """The commands as Telegram lists them for admins, described in one language."""
    return [
        BotCommand("rollback", _("Go back to the version before")),
        BotCommand("versions", _("The versions of a character")),
    ]


class VersionsMenu(Feature):
    """The commands, and the buttons under the question whether to go back."""

    def __init__(
        self,
        backstage: Backstage,
        retraining: Retraining,
        succession: Succession,
        roster: Roster,
        delivery: Delivery,
        locales: Locales,
    ) -> None:
        self._backstage = backstage
        self._retraining = retraining
        self._succession = succession
        self._roster = roster
        self._delivery = delivery
        self._locales = locales

    def callbacks(self) -> dict[str, Callback]:
        """The callbacks by the command's name."""
        return dict(zip(VERSION_COMMANDS, (self._rollback, self._versions), strict=True))

    def buttons(self) -> dict[Pattern, Callback]:
        """The callbacks by the pattern that the data of a button has."""
        return {ROLLBACK_PRESSED: self.pressed}

    async def pressed(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """A button: it counts if the admin for whom it was made has pressed it."""
        query, admin, _ = update.callback_query, self._backstage.admin_of(update), self._speak(update)
        assert query is not None, "registered for callback queries only"
        press = ROLLBACK_PRESSED.match(str(query.data))
        if press is None or query.message is None or admin is None:
            await toast(update, None)
        elif int(press[2]) != admin:
            await toast(update, only_asker_text(_))
        else:
            await toast(update, None)
            text = _("All right, everything stays as it is.")
            if press[1] == "yes":
                text = await self._go_back(_, press[3])
            await change_menu(update, context.bot, self._delivery, text)

    async def _rollback(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        _, card, admin = self._speak(update), await self._asked(update), self._backstage.admin_of(update)
        if card is None or admin is None:
            return
        try:
            shelf = await self._succession.shelf(card.id)
        except RetrainingError as error:
            await self._delivery.send(update, str(error))
            return
        if shelf.live and shelf.earlier:
            await show_menu(update, self._delivery, question_text(_, card, shelf), _keyboard(_, admin, card, shelf))
        else:
            text = _("There is no version of {name} before this one.").format(name=card.name)
            await self._delivery.send(update, text)

    async def _versions(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        _, card = self._speak(update), await self._asked(update)
        if card is None:
            return
        try:
            text = versions_text(_, card, await self._succession.shelf(card.id))
        except RetrainingError as error:
            text = str(error)
        await self._delivery.send(update, text)

    async def _asked(self, update: Update) -> Card | None:
        """Whom an admin has asked about; None, after an answer where one is due, if nobody is to be shown."""
        _, message = await self._backstage.enter(update), update.effective_message
        if _ is None or message is None:
            return None
        card = meant(self._roster, message)
        if card is None:
            await self._delivery.send(update, unknown_text(_, wanted(message), self._roster))
        return card

    async def _go_back(self, _: Translate, state: str) -> str:
        """Go back if everything is still as it was when the question was asked; returns what has come of it."""
        if self._retraining.is_at_work:
            return _("Not while I am learning: the new version is compared with this one.")
        try:
            for card in self._roster.cards:
                shelf = await self._succession.shelf(card.id)
                if digest_of(card, shelf) == state and await self._succession.roll_back(card.id, shelf):
                    return _("{name} answers as version {version} again.").format(
                        name=card.name, version=shelf.earlier[0]
                    )
        except RetrainingError as error:
            return _("That did not work, so everything stays as it is: {reason}").format(reason=error)
        return _("The versions have changed meanwhile. See /versions.")

    def _speak(self, update: Update) -> Translate:
        return self._locales.speak(language_of(update))


def digest_of(card: Card, shelf: Shelf) -> str:
    """What a button knows of the versions that it was made for: a second press finds that they have changed."""
    return digest("\n".join((card.id, shelf.live or "", *shelf.earlier[:1])))


def question_text(_: Translate, card: Card, shelf: Shelf) -> str:
    """The live version, the one before it, and whether to go back."""
    text = _("{name} answers as version {live} now. Shall it be {earlier} again, as before?")
    return text.format(name=card.name, live=shelf.live, earlier=shelf.earlier[0])


def versions_text(_: Translate, card: Card, shelf: Shelf) -> str:
    """All versions, newest first, the live one marked."""
    live = _("{version} (live)").format(version=shelf.live)
    names = [live if name == shelf.live else name for name in reversed(shelf.names)][:SHOWN]
    if not names:
        return _("There are no versions of {name} yet.").format(name=card.name)
    return "\n".join((_("Versions of {name}, newest first:").format(name=card.name), *names))


def _keyboard(_: Translate, admin: int, card: Card, shelf: Shelf) -> InlineKeyboardMarkup:
    labels = {"yes": _("Yes, go back"), "no": _("No")}
    buttons = [
        InlineKeyboardButton(label, callback_data=f"back:{answer}:{admin}:{digest_of(card, shelf)}")
        for answer, label in labels.items()
    ]
    return InlineKeyboardMarkup([buttons])
