"""/broadcast: an admin writes to all chats at once, after a look at what goes out and to how many."""

import re

from telegram import BotCommand, InlineKeyboardButton, InlineKeyboardMarkup, Message, Update
from telegram.constants import MessageLimit
from telegram.ext import ContextTypes

from bot.arrivals import Arrivals
from bot.handlers.backstage import Backstage
from bot.handlers.callbacks import Callback, Feature, Pattern
from bot.handlers.menu_message import change_menu, show_menu
from bot.handlers.toasts import toast
from bot.locales import Locales, Translate
from bot.transport.addressing import language_of, original_of
from bot.transport.delivery import Delivery, split
from bot.upkeep.broadcast import BroadcastBook, Start
from bot.upkeep.broadcaster import Broadcaster

BROADCAST_PRESSED = re.compile(r"broadcast:(send|cancel|stop):([0-9]{1,18})\Z")
CUT = " …"


def broadcast_menu(_: Translate) -> list[BotCommand]:
    """The command as Telegram lists it for admins, described in one language."""
    return [BotCommand("broadcast", _("Write to all chats"))]


class Broadcasting(Feature):
    """The command, a callback for the buttons, and an ear for those who could not be reached before."""

    def __init__(
        self,
        arrivals: Arrivals,
        backstage: Backstage,
        book: BroadcastBook,
        broadcaster: Broadcaster,
        delivery: Delivery,
        locales: Locales,
    ) -> None:
        self._arrivals = arrivals
        self._backstage = backstage
        self._book = book
        self._broadcaster = broadcaster
        self._delivery = delivery
        self._locales = locales

    def callbacks(self) -> dict[str, Callback]:
        """The callbacks by the command's name."""
        return {"broadcast": self._broadcast}

    def buttons(self) -> dict[Pattern, Callback]:
        """The callbacks by the pattern that the data of a button has."""
        return {BROADCAST_PRESSED: self.pressed}

    async def hear(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        """Before the other handlers: from where something comes, there the bot may write again."""
        arrival = self._arrivals.present
        if update.effective_chat is not None and (arrival is None or arrival.was_lost):
            await self._book.heard_from(update.effective_chat.id)

    async def pressed(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """A button under a draft, or under what is being sent: it counts if the admin who wrote it has pressed it."""
        query, admin, _ = update.callback_query, self._backstage.admin_of(update), self._speak(update)
        assert query is not None, "registered for callback queries only"
        press = BROADCAST_PRESSED.match(query.data or "")
        if press is None or query.message is None or admin is None:
            await toast(update, None)
            return
        wish, number = press[1], int(press[2])
        if wish == "send":
            started = await self._book.start(number, admin, query.message.message_id, language_of(update))
            await toast(update, start_text(_, started))
        else:
            change = self._book.stop if wish == "stop" else self._book.discard
            done = await change(number, admin)
            await toast(update, None if done else start_text(_, Start.OVER))
            if done and wish == "cancel":
                await change_menu(update, context.bot, self._delivery, _("All right, I send nothing."))
        self._broadcaster.wake()

    async def _broadcast(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        _, admin = await self._backstage.enter(update), self._backstage.admin_of(update)
        message = update.effective_message
        if _ is None or admin is None or message is None:
            return
        text = broadcast_words(message)
        if not text:
            await self._delivery.send(update, usage_text(_))
            return
        draft = await self._book.draft(admin, text)
        if not draft.chats:
            await self._book.discard(draft.id, admin)
            await self._delivery.send(update, _("There is nobody yet to whom I could send it."))
            return
        await show_menu(update, self._delivery, draft_text(_, draft.chats, text), _keyboard(_, draft.id))

    def _speak(self, update: Update) -> Translate:
        return self._locales.speak(language_of(update))


def broadcast_words(message: Message) -> str:
    """What is to be sent: what follows the command, or else the text of the message that it replies to."""
    _command, *words = (message.text or "").split(maxsplit=1)
    original = original_of(message)
    if words or original is None:
        return words[0].strip() if words else ""
    return (original.text or original.caption or "").strip()


def usage_text(_: Translate) -> str:
    """How /broadcast is meant."""
    return _(
        "Put your words after the command, like this:\n"
        "/broadcast Tomorrow I am away.\n"
        "Or reply with /broadcast to the message whose words you mean. I show you what goes out before I send it."
    )


def draft_text(_: Translate, chats: int, text: str) -> str:
    """A draft, with the number of chats it goes to; a long one is cut off, as it does not change on its way."""
    head = _("Shall I send this? Chats that get it: {number}").format(number=chats) + "\n\n"
    room = MessageLimit.MAX_TEXT_LENGTH - len(head) - len(CUT)
    parts = split(text, room)
    return head + (text if len(parts) == 1 else parts[0] + CUT)


def start_text(_: Translate, started: Start) -> str | None:
    """Why a broadcast has not begun; None if it has."""
    if started is Start.BUSY:
        return _("Another one is on its way. Please try again when it is done.")
    return _("That is over already.") if started is Start.OVER else None


def _keyboard(_: Translate, number: int) -> InlineKeyboardMarkup:
    send = InlineKeyboardButton(_("📣 Send"), callback_data=f"broadcast:send:{number}")
    cancel = InlineKeyboardButton(_("Cancel"), callback_data=f"broadcast:cancel:{number}")
    return InlineKeyboardMarkup([[send, cancel]])
