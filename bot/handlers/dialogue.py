"""Plain messages: the dialogue."""

import logging

from telegram import Message, Update
from telegram.error import TelegramError
from telegram.ext import ContextTypes

from bot.chat_service import ChatService
from bot.handlers.language_barrier import LanguageBarrier
from bot.locales import Locales
from bot.transport.addressing import conversation_of, language_of, request_of, words_for_bot
from bot.transport.delivery import Delivery
from bot.transport.messages import reply
from bot.transport.previews import Previews
from bot.unreadable import CAPTION, Excuses, kind_of

log = logging.getLogger(__name__)


class Dialogue:
    """Answers what people write, and says so kindly where it is not text."""

    def __init__(
        self,
        service: ChatService,
        barrier: LanguageBarrier,
        delivery: Delivery,
        previews: Previews,
        locales: Locales,
    ) -> None:
        self._service = service
        self._barrier = barrier
        self._delivery = delivery
        self._previews = previews
        self._locales = locales
        self._excuses = Excuses()

    async def talk(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        """The next line of the dialogue."""
        assert update.effective_message is not None, "registered for messages only"
        request = request_of(update, words_for_bot(update.effective_message))
        if await self._barrier.stops(update, request.line.text):
            return
        async with self._previews.of(update) as preview:
            answer = await self._service.talk(request, preview.grow, preview.ticket)
        await self._delivery.send(update, answer)

    async def decline(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """A photo, a sticker, a voice message: nothing that can be read but for the words that came with it."""
        message = update.effective_message
        assert message is not None, "registered for messages only"
        is_told = self._excuses.is_told(message)  # Each picture of an album is a message of its own.
        if message.caption:
            if not is_told:
                await self._mention(message, await self._excuse(update, message, CAPTION))
            await self.talk(update, context)
        elif not is_told:
            await self._delivery.send(update, await self._excuse(update, message, kind_of(message)))

    async def _excuse(self, update: Update, message: Message, kind: str) -> str:
        card = await self._service.character(conversation_of(message))
        return self._excuses.choose(self._locales.speak(language_of(update)), card, message, kind)

    async def _mention(self, message: Message, text: str) -> None:
        try:
            await reply(message, text)
        except TelegramError as error:  # The answer that follows matters more.
            log.info("A remark is left out (%s)", error)
