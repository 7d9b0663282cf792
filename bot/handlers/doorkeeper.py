"""Before the other handlers: who is let in, and how much. What is refused is told once, and costs nothing more."""

from datetime import datetime

from telegram import Message, Update
from telegram.ext import ApplicationHandlerStop, CommandHandler, ContextTypes, filters

from bot.arrivals import Arrivals
from bot.gate import Gate, Notices, Refusal, Visitor
from bot.handlers.bans import BAN_COMMANDS
from bot.handlers.offers import offer
from bot.handlers.retrain import RETRAIN_COMMAND
from bot.handlers.toasts import toast
from bot.handlers.versions_menu import VERSION_COMMANDS
from bot.locales import Locales, Translate
from bot.transport.addressing import AddressedToBot, command_of, language_of, visitor_of
from bot.transport.delivery import Delivery
from bot.transport.overhearing import Overheard
from bot.transport.placement import Wish, read_press

ABOUT_DATA, ABOUT_ANSWERS, CHOICES = ("privacy", "export", "forget"), ("cancel", "review"), ("persona", "settings")
FOR_ADMINS = (*BAN_COMMANDS, "stats", "broadcast", "health", RETRAIN_COMMAND, *VERSION_COMMANDS)
FREE = frozenset({"start", "help", "reset", "stop", "undo", *ABOUT_DATA, *ABOUT_ANSWERS, *CHOICES, *FOR_ADMINS})
EVERYBODY = 0


class Doorkeeper:
    """Stops the handling of what the gate refuses; the inbox then closes it."""

    def __init__(
        self,
        arrivals: Arrivals,
        gate: Gate,
        notices: Notices,
        overheard: Overheard,
        delivery: Delivery,
        locales: Locales,
    ) -> None:
        self._arrivals = arrivals
        self._gate = gate
        self._notices = notices
        self._overheard = overheard
        self._delivery = delivery
        self._locales = locales
        self._addressed = AddressedToBot()

    async def let_in(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Stop what comes from a banned person, without a word, and from a stranger, with one."""
        visitor = visitor_of(update)
        if visitor is None or filters.StatusUpdate.ALL.check_update(update):
            return  # What Telegram itself reports of a chat is not said by anybody.
        if await self._is_banned(visitor):
            raise ApplicationHandlerStop
        if not await self._gate.welcomes(visitor):
            if update.inline_query:
                await offer(update, hint=not_yet_text(self._locales.speak(language_of(update))))
            elif self._is_for_bot(update, context):
                await self._turn_away(update, visitor)
            raise ApplicationHandlerStop

    async def count(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Count what is said to the bot, and stop what is too much."""
        visitor = visitor_of(update)
        if visitor is None or not self._costs(update, context):
            return
        refusal = await self._gate.count(visitor, update.update_id)
        if refusal is not None:
            await self._ask_for_patience(update, visitor, refusal)
            raise ApplicationHandlerStop

    async def _is_banned(self, visitor: Visitor) -> bool:
        arrival = self._arrivals.present
        if arrival is not None and not arrival.is_banned:
            return False
        return await self._gate.is_banned(visitor)

    def _costs(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> bool:
        if update.callback_query:
            press = read_press(update.callback_query.data or "")
            return press is not None and press.wish is Wish.AGAIN
        message = _said(update)
        return message is not None and command_of(message) not in FREE and self._is_for_bot(update, context)

    async def _turn_away(self, update: Update, visitor: Visitor) -> None:
        text = stranger_text(self._locales.speak(language_of(update)), visitor)
        await self._tell_once(update, visitor, EVERYBODY if visitor.in_group else visitor.sender_id, text)

    async def _ask_for_patience(self, update: Update, visitor: Visitor, refusal: Refusal) -> None:
        _ = self._locales.speak(language_of(update))
        text = patience_text(_, refusal, self._notices.seconds_to(refusal.until))
        if update.callback_query:
            await toast(update, text)
            return
        listener = EVERYBODY if refusal.of_group else visitor.sender_id
        await self._tell_once(update, visitor, listener, text, refusal.until)

    async def _tell_once(
        self, update: Update, visitor: Visitor, listener: int, text: str, until: datetime | None = None
    ) -> None:
        if self._notices.is_due(visitor.chat_id, listener):
            await self._delivery.send(update, text)
            self._notices.told(visitor.chat_id, listener, until)

    def _is_for_bot(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> bool:
        message = _said(update)
        if message is None or filters.StatusUpdate.ALL.check_update(update):
            return False
        if self._addressed.filter(message) or command_of(message) in _known_commands(context):
            return True
        return self._overheard.filter(message)


def stranger_text(_: Translate, visitor: Visitor) -> str:
    """That the bot talks to its guests only, and how to become one."""
    if visitor.in_group:
        text = _("Sorry, I may not talk in this group yet. To invite me, give this number to whoever runs me: {number}")
        return text.format(number=visitor.chat_id)
    text = _("Sorry, I may not talk with you yet. To get to know me, give this number to whoever runs me: {number}")
    return text.format(number=visitor.sender_id)


def not_yet_text(_: Translate) -> str:
    """The same for whoever asks in another chat, as short as it must be there."""
    return _("Sorry, I may not talk with you yet.")


def patience_text(_: Translate, refusal: Refusal, seconds: int) -> str:
    """That it is too much for now, and when it goes on."""
    if refusal.of_group:
        text = _("So many messages here! I need a rest. This group can write to me again in {wait}.")
    else:
        text = _("So many messages! I need a rest. You can write to me again in {wait}.")
    return text.format(wait=_wait(_, seconds))


def _wait(_: Translate, seconds: int) -> str:
    if seconds <= 60:
        return _("{seconds} s").format(seconds=seconds)
    hours, minutes = divmod(-(-seconds // 60), 60)
    return _("{hours} h {minutes} min").format(hours=hours, minutes=minutes)


def _said(update: Update) -> Message | None:
    return update.message or update.edited_message


def _known_commands(context: ContextTypes.DEFAULT_TYPE) -> set[str]:
    handlers = [handler for group in context.application.handlers.values() for handler in group]
    return {name for handler in handlers if isinstance(handler, CommandHandler) for name in handler.commands}
