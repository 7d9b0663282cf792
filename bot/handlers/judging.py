"""Judging answers: 👍 and 👎 as buttons and as Telegram's reactions, and what should have been said instead."""

import logging
from functools import partial

from telegram import Bot, ForceReply, Message, MessageEntity, ReactionTypeEmoji, ReplyParameters, Update, User
from telegram.constants import ChatType
from telegram.error import BadRequest
from telegram.ext import ApplicationHandlerStop, ContextTypes

from bot.arrivals import Arrivals
from bot.feedback import PRESSED, Feedback, Gesture, Judgement, Outcome, Verdict, read_judgement, verdict_of
from bot.handlers.callbacks import Callback, Feature, Pattern
from bot.handlers.toasts import toast
from bot.locales import Locales, Translate
from bot.transport.addressing import language_of, original_of, person_of, replies_to_bot, words_for_bot
from bot.transport.delivery import Delivery
from bot.transport.placement import buttons_of

log = logging.getLogger(__name__)


class Judging(Feature):
    """What people say about an answer, in their own time, be it the last one or not. Everybody who reads it may."""

    def __init__(self, arrivals: Arrivals, feedback: Feedback, delivery: Delivery, locales: Locales) -> None:
        self._arrivals = arrivals
        self._feedback = feedback
        self._delivery = delivery
        self._locales = locales

    def callbacks(self) -> dict[str, Callback]:
        """The callbacks by the command's name."""
        return {"cancel": self._cancel}

    def buttons(self) -> dict[Pattern, Callback]:
        """The callbacks by the pattern that the data of a button has."""
        return {PRESSED: self.pressed}

    async def pressed(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """A button under an answer."""
        query, chat, person = update.callback_query, update.effective_chat, person_of(update)
        assert query is not None, "registered for callback queries only"
        judgement = read_judgement(query.data or "")
        if judgement is None or chat is None or person is None or query.message is None:
            await toast(update, None)
        elif judgement.gesture is Gesture.CORRECT:
            await self._offer_correction(update, context.bot, judgement)
        else:
            outcome = await self._feedback.press(chat.id, person, judgement, update.update_id)
            await toast(update, verdict_text(self._speak(update), outcome))
            await self._change_buttons(update, context.bot, outcome, query.message.message_id)

    async def reacted(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """A reaction to a message, perhaps to one that is no answer; who hides behind a group has no verdict."""
        change, person = update.message_reaction, person_of(update)
        assert change is not None, "registered for reactions only"
        verdict, before = (verdict_of(_emojis(reactions)) for reactions in (change.new_reaction, change.old_reaction))
        if person is None or verdict == before:
            return
        outcome = await self._feedback.react(change.chat.id, change.message_id, person, verdict, update.update_id)
        last = outcome.piece.answered_in[-1] if outcome else change.message_id  # Buttons are under the last part.
        await self._change_buttons(update, context.bot, outcome, last)

    async def listen(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        """Before the other handlers: words that the bot has asked for are no line of the dialogue, and cost nothing."""
        message, person, _ = update.effective_message, person_of(update), self._speak(update)
        assert message is not None, "registered for messages only"
        in_group = message.chat.type != ChatType.PRIVATE
        if person is None or (in_group and not replies_to_bot(message)):
            return
        if (arrival := self._arrivals.present) is not None and not arrival.is_asked:
            return
        thanks = _("Thank you! I have written that down, so that I can learn from it.")
        words, original = words_for_bot(message), original_of(message)
        reply_to = original.message_id if original else None
        taken = self._feedback.correct(
            message.chat_id, person, words, update.update_id, message.date, reply_to, confirm=thanks
        )
        if await taken:
            await self._delivery.send(update, thanks)
            raise ApplicationHandlerStop

    async def _cancel(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        message, person, _ = update.effective_message, person_of(update), self._speak(update)
        assert message is not None, "commands come in messages"
        done = _("All right, never mind.")
        if person and await self._feedback.cancel(message.chat_id, person, update.update_id, confirm=done):
            await self._delivery.send(update, done)
        elif message.chat.type == ChatType.PRIVATE:  # In a group it may be meant for another bot.
            await self._delivery.send(update, _("There is nothing to cancel: I was not waiting for anything."))

    async def _offer_correction(self, update: Update, bot: Bot, judgement: Judgement) -> None:
        query, chat, _ = update.callback_query, update.effective_chat, self._speak(update)
        assert query is not None, "only buttons offer it"
        assert chat is not None, "only buttons in chats offer it"
        wished = await self._feedback.wishes(chat.id, query.from_user.id, judgement)
        if wished is None:
            await toast(update, unknown_text(_))
        elif not wished:
            await toast(update, _("I am all ears: tell me what I should have said."))
        else:
            await toast(update, None)
            await self._delivery.carry_out(update, partial(self._ask, update, bot, judgement))

    async def _ask(self, update: Update, bot: Bot, judgement: Judgement) -> None:
        query = update.callback_query
        assert query is not None, "only buttons ask for it"
        assert query.message is not None, "only buttons in chats ask for it"
        chat, topic = query.message.chat, _topic(query.message) if isinstance(query.message, Message) else None
        text, entities = question_text(self._speak(update), query.from_user, chat.type == ChatType.PRIVATE)
        question = await bot.send_message(
            chat.id,
            text,
            entities=entities,
            message_thread_id=topic,
            reply_parameters=ReplyParameters(query.message.message_id, allow_sending_without_reply=True),
            reply_markup=ForceReply(selective=True),
        )
        person, receipt = query.from_user.id, update.update_id
        await self._feedback.ask(chat.id, person, judgement, receipt, question.message_id)

    async def _change_buttons(self, update: Update, bot: Bot, outcome: Outcome | None, message: int) -> None:
        chat = update.effective_chat
        if outcome is None or not outcome.is_other or chat is None:
            return
        buttons = buttons_of(outcome.piece, self._speak(update), outcome.is_last)

        async def change() -> None:
            try:
                await bot.edit_message_reply_markup(chat.id, message, reply_markup=buttons)
            except BadRequest as error:  # They are as they should be, or the message is gone.
                log.info("Update %d: the buttons stay (%s)", update.update_id, error)

        await self._delivery.carry_out(update, change)

    def _speak(self, update: Update) -> Translate:
        return self._locales.speak(language_of(update))


def help_text(_: Translate) -> str:
    """Judging for the overview."""
    return _("👍 or 👎 under an answer: you tell me how I did, and I can learn from it")


def verdict_text(_: Translate, outcome: Outcome | None) -> str:
    """What a verdict is answered with."""
    if outcome is None:
        return unknown_text(_)
    if outcome.verdict is Verdict.LIKED:
        return _("Thank you! 👍")
    if outcome.verdict is Verdict.DISLIKED:
        return _("Thank you for telling me. What should I have said? Tell me with the button below.")
    return _("All right, taken back.")


def unknown_text(_: Translate) -> str:
    """That there is nothing on record of an answer."""
    return _("I do not remember that answer any more.")


def question_text(_: Translate, person: User, in_private: bool) -> tuple[str, list[MessageEntity]]:
    """How somebody is asked for better words; in a group by name, as only that person's reply counts."""
    if in_private:
        return _("What should I have said? Write me my words, or /cancel."), []
    text = _("{name}, what should I have said? Reply to this message with my words, or write /cancel.")
    before = text.partition("{name}")[0]
    offset, length = (len(part.encode("utf-16-le", "surrogatepass")) // 2 for part in (before, person.first_name))
    return text.format(name=person.first_name), [
        MessageEntity(MessageEntity.TEXT_MENTION, offset=offset, length=length, user=person)
    ]


def _emojis(reactions: tuple[object, ...]) -> list[str]:
    return [reaction.emoji for reaction in reactions if isinstance(reaction, ReactionTypeEmoji)]


def _topic(message: Message) -> int | None:
    return message.message_thread_id if message.is_topic_message else None
