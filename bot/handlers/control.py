"""Control over the dialogue: /retry, /undo and /stop, the buttons under an answer, and edited questions."""

from telegram import BotCommand, Update
from telegram.ext import ContextTypes

from bot.chat_service import Conversation, Line
from bot.handlers.callbacks import Callback, Feature
from bot.handlers.language_barrier import LanguageBarrier
from bot.handlers.toasts import toast
from bot.locales import Locales, Translate
from bot.second_thoughts import Piece, SecondThoughts
from bot.stopping import Stopping
from bot.transport.addressing import conversation_of, language_of, owner_of, person_of, request_of, words_for_bot
from bot.transport.delivery import Delivery
from bot.transport.placement import Press, Wish, place_of, read_press
from bot.transport.previews import Previews

QUOTED = 100  # Characters of a question that are enough to recognize it.


def menu(_: Translate) -> list[BotCommand]:
    """These commands as Telegram lists them, described in one language."""
    return [
        BotCommand("retry", _("Answer the last question differently")),
        BotCommand("undo", _("Take the last question back")),
        BotCommand("stop", _("Stop the answer that I think about")),
    ]


def help_text(_: Translate) -> str:
    """These commands for the overview."""
    return _(
        "/retry: I answer your last question differently, as I do when you edit it\n"
        "/undo: I forget your last question and my answer\n"
        "/stop: I stop thinking about an answer"
    )


class Control(Feature):
    """What people do with the last exchange of their dialogue, or with an answer that is on its way."""

    def __init__(
        self,
        thoughts: SecondThoughts,
        stopping: Stopping,
        barrier: LanguageBarrier,
        delivery: Delivery,
        previews: Previews,
        locales: Locales,
    ) -> None:
        self._thoughts = thoughts
        self._stopping = stopping
        self._barrier = barrier
        self._delivery = delivery
        self._previews = previews
        self._locales = locales

    def callbacks(self) -> dict[str, Callback]:
        """The callbacks by the command's name."""
        return {"retry": self._retry, "undo": self._undo, "stop": self._stop}

    async def revise(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        """An edited message: if it was the last question it is answered anew, else nothing happens."""
        message = update.effective_message
        assert message is not None, "registered for messages only"
        request = request_of(update, words_for_bot(message))
        piece = await self._thoughts.last(request.conversation)
        if piece and piece.is_changed_by(request) and not await self._barrier.stops(update, request.line.text):
            async with self._previews.of(update, piece.answered_in) as preview:
                answer = await self._thoughts.revise(request, piece, preview.grow, preview.ticket)
            await self._delivery.send(update, answer)

    async def press(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        """A button under an answer, perhaps under one that is long past, or somebody else's."""
        _ = self._speak(update)
        press = read_press((update.callback_query and update.callback_query.data) or "")
        if press is None:
            await toast(update, None)
            return
        where = owner_of(update)[0]  # None: the message is too old for Telegram to tell.
        pressed = where and await self._thoughts.find(where, press.piece)
        if pressed and not pressed.is_for(person_of(update)):
            await toast(update, not_yours_text(_))
        elif where and pressed and pressed == await self._thoughts.last(where):
            await self._fulfil(update, press, pressed)
        else:
            await toast(update, _("I can only change my last answer."))
            await self._delivery.take_buttons(update)

    async def _fulfil(self, update: Update, press: Press, piece: Piece) -> None:
        _ = self._speak(update)
        if press.wish is Wish.AGAIN and press.number == len(piece.answers):
            await toast(update, _("Let me think again…"))
            await self._answer_again(update, piece)
        elif press.wish is Wish.SHOW and 1 <= press.number <= len(piece.answers):
            await toast(update, None)
            await self._show(update, await self._thoughts.show(piece, press.number))
        else:  # The second press of a double one, or data that no button of ours has.
            await toast(update, None)

    async def _retry(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        _ = self._speak(update)
        piece = await self._thoughts.last(_where(update))
        if piece is None:
            await self._delivery.send(update, _("There is nothing to answer again: I remember no conversation."))
        elif not piece.is_for(person_of(update)):
            await self._delivery.send(update, not_yours_text(_))
        else:
            await self._answer_again(update, piece)

    async def _undo(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        _ = self._speak(update)
        done = await self._thoughts.undo(_where(update), update.update_id, lambda question: undone_text(_, question))
        await self._delivery.send(update, done or _("There is nothing to take back: I remember no conversation."))

    async def _stop(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        _ = self._speak(update)
        stopped = self._stopping.stop(owner_of(update), before=update.update_id)
        if stopped:
            await self._previews.ended(owner_of(update))  # A draft that came after these words would stand under them.
        nothing = _("There is nothing to stop: I am not thinking about an answer to you.")
        await self._delivery.send(update, _("All right, I have stopped.") if stopped else nothing)

    async def _answer_again(self, update: Update, piece: Piece) -> None:
        request = request_of(update, piece.question.text)
        async with self._previews.of(update, piece.answered_in) as preview:
            answer = await self._thoughts.retry(request, piece, preview.grow, preview.ticket)
        await self._delivery.send(update, answer)

    async def _show(self, update: Update, piece: Piece) -> None:
        place = place_of(piece, self._speak(update))
        await self._delivery.send(update, piece.answers[piece.shown - 1], place=place)

    def _speak(self, update: Update) -> Translate:
        return self._locales.speak(language_of(update))


def not_yours_text(_: Translate) -> str:
    """That an answer was for somebody else."""
    return _("That answer was for somebody else.")


def undone_text(_: Translate, question: Line) -> str:
    """That an exchange is forgotten, and which one."""
    words = question.text if len(question.text) <= QUOTED else f"{question.text[:QUOTED].rstrip()}…"
    return _("Done. I have forgotten this question and my answer to it:\n{question}").format(question=words)


def _where(update: Update) -> Conversation:
    assert update.effective_message is not None, "commands come in messages"
    return conversation_of(update.effective_message)
