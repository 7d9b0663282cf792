"""/privacy, /export and /forget: what is kept about a person is told, given out, or deleted for good."""

import logging
from functools import partial

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.constants import ChatType
from telegram.ext import ContextTypes

from bot.handlers.callbacks import Callback, Feature, Pattern
from bot.handlers.menu_message import change_menu, show_menu
from bot.handlers.toasts import toast
from bot.locales import Locales, Translate
from bot.personal_data import Claim, Records, document
from bot.transport.addressing import language_of, person_of
from bot.transport.delivery import Delivery

log = logging.getLogger(__name__)

PRESSED = r"^forget:(yes|no):[0-9]+\Z"
FILE_NAME = "my-data.json"


class Privacy(Feature):
    """One callback per command, and one for the two buttons under /forget's question."""

    def __init__(self, records: Records, delivery: Delivery, locales: Locales, retention_days: int) -> None:
        self._records = records
        self._delivery = delivery
        self._locales = locales
        self._retention_days = retention_days

    def callbacks(self) -> dict[str, Callback]:
        """The callbacks by the command's name."""
        return {"privacy": self._privacy, "export": self._export, "forget": self._forget}

    def buttons(self) -> dict[Pattern, Callback]:
        """The callbacks by the pattern that the data of a button has."""
        return {PRESSED: self.pressed}

    async def pressed(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """A button under the question whether to forget: it counts if the one who asked has pressed it."""
        query, claim, _ = update.callback_query, _claim(update), self._speak(update)
        assert query is not None, "registered for callback queries only"
        answer, person = str(query.data).split(":")[1:]
        if claim is None or claim.person != int(person):
            await toast(update, _("Only the one who asked can press this."))
            return
        await toast(update, None)
        text = _("All right, I keep everything.")
        if answer == "yes":
            await self._records.forget(claim, update.update_id)
            text = _("Done. I have deleted it all.")
        await change_menu(update, context.bot, self._delivery, text)
        if answer == "yes":
            await self._records.sweep()  # The press itself was on record until now.

    async def _privacy(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        await self._delivery.send(update, privacy_text(self._speak(update), self._retention_days))

    async def _export(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        claim, message, _ = _claim(update), update.effective_message, self._speak(update)
        assert message is not None, "commands come in messages"
        if claim is None:
            await self._delivery.send(update, _nobody(_))
            return
        caption = _("This is everything that I keep about you.")
        if claim.chat_id is not None:
            caption = _("This is everything that I keep of what you said here, and what I answered.")
        content = await document(self._records, claim)
        send = partial(message.reply_document, content, caption, filename=FILE_NAME, allow_sending_without_reply=True)
        await self._delivery.carry_out(update, send)

    async def _forget(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        claim, message, _ = _claim(update), update.effective_message, self._speak(update)
        assert message is not None, "commands come in messages"
        if claim is None:
            await self._delivery.send(update, _nobody(_))
            return
        question = _("Shall I forget everything you ever told me, here and in groups, and all my answers?")
        if claim.chat_id is not None:
            question = _("Shall I forget everything you told me in this group, and my answers to it?")
        text = question + "\n" + _("I cannot undo it.")
        await show_menu(update, self._delivery, text, _keyboard(_, claim.person))

    def _speak(self, update: Update) -> Translate:
        return self._locales.speak(language_of(update))


def privacy_text(_: Translate, retention_days: int) -> str:
    """What is kept, for how long and where, and how to get or delete it."""
    what = _(
        "I keep what you write to me and what I answer, with your name, your Telegram number and the time, so that I "
        "can follow our conversation. All of it stays on the computer of the person who runs me and goes nowhere else."
    )
    judging = _(
        "If you like, dislike or correct an answer of mine, I keep that too. The person who runs me can look at it, "
        "with the lines before it, and teach me with what is good."
    )
    blocking = _("If you block me, I remember that until you write to me again.")
    inline = _("What you ask me with my @name in other chats I answer, and do not keep.")
    if retention_days:
        duration = _("How many days I keep it: {days}. Then I delete it by myself.").format(days=retention_days)
    else:
        duration = _("I keep it until you tell me to forget it.")
    ways = _(
        "/export: I send it to you as a file\n"
        "/forget: I delete it for good\n\n"
        "The messages that you see in Telegram stay there until you delete them yourself."
    )
    return "\n\n".join((what, judging, blocking, duration, inline, ways))


def _nobody(_: Translate) -> str:
    return _("You do not write under your own name here, so I cannot tell which words are yours.")


def _claim(update: Update) -> Claim | None:
    """All of a person in a private chat; in a group, where others read along, what was said in it."""
    person, chat = person_of(update), update.effective_chat
    if person is None or chat is None:
        return None
    return Claim(person, None if chat.type == ChatType.PRIVATE else chat.id)


def _keyboard(_: Translate, person: int) -> InlineKeyboardMarkup:
    yes = InlineKeyboardButton(_("Yes, forget it"), callback_data=f"forget:yes:{person}")
    no = InlineKeyboardButton(_("No, keep it"), callback_data=f"forget:no:{person}")
    return InlineKeyboardMarkup([[yes, no]])
