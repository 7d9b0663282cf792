"""When something goes wrong, now or in an earlier life of the process: the log first, then a friendly line."""

import logging
from collections.abc import Awaitable, Collection
from functools import partial

from telegram import Bot, Message, Update
from telegram.constants import ChatType
from telegram.error import TelegramError
from telegram.ext import ApplicationHandlerStop, ContextTypes

from bot.chat_service import AlreadyAnsweredError
from bot.errors import BotError, CastingError, EmptyAnswerError, StorageError
from bot.inbox import ATTEMPTS, Again, Inbox
from bot.locales import Locales, Translate
from bot.stopping import StoppedError
from bot.transport.addressing import language_of
from bot.transport.delivery import Delivery, SendLaterError

log = logging.getLogger(__name__)


class Failures:
    """Takes up what was left behind, and closes what cannot be handled."""

    def __init__(self, inbox: Inbox, delivery: Delivery, locales: Locales, admins: Collection[int]) -> None:
        self._inbox = inbox
        self._delivery = delivery
        self._locales = locales
        self._admins = admins

    async def resume(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Before all other handlers: send an answer that was made already; set aside what crashes the process."""
        row = self._inbox.left_over(update.update_id)
        if row is None:
            return
        if row.reply is not None:
            await self._delivery.send(update, row.reply, row.parts_sent)
            raise ApplicationHandlerStop
        if row.attempts >= ATTEMPTS:
            await self._set_aside(update, context.bot)
            raise ApplicationHandlerStop

    async def report(self, update: object, context: ContextTypes.DEFAULT_TYPE) -> None:
        """The error handler: whatever a handler raised ends here, and no further handler runs."""
        _log(update, context.error)
        if isinstance(update, Update):
            await self._settle(update, context)
        raise ApplicationHandlerStop

    async def ask_to_wait(self, update: Update) -> None:
        """For what cannot even be put on record: Telegram keeps it until it can."""
        if update.message is not None and update.message.chat.type == ChatType.PRIVATE:
            await self._apologize(update, StorageError())

    async def _settle(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        error = context.error
        if isinstance(error, AlreadyAnsweredError):
            await self._delivery.retract(update)
            self._inbox.release(update.update_id)
        elif isinstance(error, StoppedError):
            await self._delivery.retract(update)
            await self._inbox.close(update.update_id)
        elif isinstance(error, (SendLaterError, StorageError)):
            await self._put_off(update, error, partial(context.application.process_update, update))
        else:
            await self._delivery.retract(update)
            await self._apologize(update, error)
            await self._inbox.close(update.update_id, failed=True)

    async def _put_off(self, update: Update, error: BotError, again: Again) -> None:
        """The database, or Telegram, is not available: the message is on record, and is answered once that is over."""
        if self._inbox.postpone(update, again) and isinstance(error, StorageError):
            await self._apologize(update, error)

    async def _set_aside(self, update: Update, bot: Bot) -> None:
        notice = f"The bot ended three times while handling update {update.update_id}, so it was left out."
        log.error(notice)
        await self._delivery.retract(update)
        await self._apologize(update, None)
        await self._inbox.close(update.update_id, failed=True)
        for admin in self._admins:
            await _attempt(bot.send_message(admin, notice))

    async def _apologize(self, update: Update, error: Exception | None) -> None:
        if update.effective_message is not None:
            text = _friendly(self._locales.speak(language_of(update)), error)
            await _attempt(update.effective_message.reply_text(text, allow_sending_without_reply=True))


def _log(update: object, error: Exception | None) -> None:
    number = update.update_id if isinstance(update, Update) else "?"
    if isinstance(error, StoppedError):
        log.info("Update %s: %s", number, error)
    elif isinstance(error, BotError):
        log.warning("Update %s: %s", number, error)
    else:
        log.error("Update %s could not be handled", number, exc_info=error)


def _friendly(_: Translate, error: Exception | None) -> str:
    if isinstance(error, EmptyAnswerError):
        return _("I am at a loss for words. Could you put it another way?")
    if isinstance(error, StorageError):
        return _("Sorry, I cannot think straight right now. I will answer as soon as I can.")
    if isinstance(error, CastingError):
        return _("Sorry, nobody can answer here right now. Try again in a while, or choose somebody else: /persona")
    return _("Sorry, something went wrong on my side. Please try again in a moment.")


async def _attempt(sending: Awaitable[Message]) -> None:
    """One attempt: a notice of a failure is not to become another failure."""
    try:
        await sending
    except (TelegramError, BotError) as error:
        log.warning("A notice could not be sent: %s", error)
