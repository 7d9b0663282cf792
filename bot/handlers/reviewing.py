"""/review: admins look at what people like and correct, one thing at a time, before it may be learned from."""

import logging
import re
import textwrap

from telegram import BotCommand, InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.ext import ContextTypes

from bot.chat_service import Line
from bot.handlers.backstage import Backstage
from bot.handlers.callbacks import Callback, Feature, Pattern
from bot.handlers.menu_message import change_menu, show_menu
from bot.handlers.toasts import toast
from bot.locales import Locales, Translate
from bot.review import Case, Desk
from bot.transport.addressing import language_of
from bot.transport.delivery import Delivery, split

log = logging.getLogger(__name__)

PRESSED = re.compile(r"review:(accept|reject|skip):([0-9]{1,18}):([0-9]{1,18})\Z")
LINE_SHOWN = 280  # Characters of a line before the answer.
ANSWER_SHOWN = 1500  # Characters of what it is decided about.


def review_menu(_: Translate) -> list[BotCommand]:
    """The command as Telegram lists it for admins, described in one language."""
    return [BotCommand("review", _("Look at what people like and correct"))]


class Reviewing(Feature):
    """The command, and one callback for the buttons under a case."""

    def __init__(self, backstage: Backstage, desk: Desk, delivery: Delivery, locales: Locales) -> None:
        self._backstage = backstage
        self._desk = desk
        self._delivery = delivery
        self._locales = locales

    def callbacks(self) -> dict[str, Callback]:
        """The callbacks by the command's name."""
        return {"review": self._review}

    def buttons(self) -> dict[Pattern, Callback]:
        """The callbacks by the pattern that the data of a button has."""
        return {PRESSED: self.pressed}

    async def pressed(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """A button under a case, perhaps under one that somebody else has decided meanwhile."""
        query, _ = update.callback_query, self._speak(update)
        assert query is not None, "registered for callback queries only"
        press = PRESSED.match(query.data or "")
        if press is None or query.message is None or self._backstage.admin_of(update) is None:
            await toast(update, None)
            return
        wish, number, receipt = press[1], int(press[2]), int(press[3])
        done = wish == "skip" or await self._desk.decide(number, receipt, accept=wish == "accept")
        await toast(update, None if done else _("That one is decided already, or it has changed."))
        text, buttons = await self._page(_, after=number)
        await change_menu(update, context.bot, self._delivery, text, buttons)

    async def _review(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        if _ := await self._backstage.enter(update):
            await show_menu(update, self._delivery, *await self._page(_))

    async def _page(self, _: Translate, after: int = 0) -> tuple[str, InlineKeyboardMarkup | None]:
        case = await self._desk.next(after)
        if case is not None:
            return case_text(_, case), _keyboard(_, case)
        if after and await self._desk.next():
            return _("That was the last one. /review shows again what you have skipped."), None
        return _("There is nothing left to review."), None

    def _speak(self, update: Update) -> Translate:
        return self._locales.speak(language_of(update))


def case_text(_: Translate, case: Case) -> str:
    """A case in one message: what was said, the answer, and what people think of it."""
    parts = ["\n".join(_quoted(line) for line in case.context)] if case.context else []
    parts += [_("My answer:") + "\n" + _cut(case.answer.text), f"👍 {case.likes}   👎 {case.dislikes}"]
    if case.correction is not None:
        parts.append(_("What I should have said:") + "\n" + _cut(case.correction))
    return split("\n\n".join(parts))[0]  # What is made of emoji alone may still be too long.


def _quoted(line: Line) -> str:
    return f"{line.speaker}: {textwrap.shorten(line.text, LINE_SHOWN, placeholder=' …')}"


def _cut(text: str) -> str:
    return text if len(text) <= ANSWER_SHOWN else f"{text[:ANSWER_SHOWN].rstrip()}…"


def _keyboard(_: Translate, case: Case) -> InlineKeyboardMarkup:
    labels = {"accept": _("✅ Accept"), "reject": _("❌ Reject"), "skip": _("⏭ Skip")}
    buttons = [
        InlineKeyboardButton(label, callback_data=f"review:{wish}:{case.number}:{case.receipt}")
        for wish, label in labels.items()
    ]
    return InlineKeyboardMarkup([buttons])
