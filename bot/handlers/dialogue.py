"""Plain messages: the dialogue."""

from telegram import Update
from telegram.ext import ContextTypes

from bot.addressing import language_of, request_of, words_for_bot
from bot.chat_service import ChatService
from bot.delivery import Delivery
from bot.locales import Locales
from bot.previews import Previews


class Dialogue:
    """Answers what people write, and says so kindly where it is not text."""

    def __init__(self, service: ChatService, delivery: Delivery, previews: Previews, locales: Locales) -> None:
        self._service = service
        self._delivery = delivery
        self._previews = previews
        self._locales = locales

    async def talk(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        """The next line of the dialogue."""
        assert update.effective_message is not None, "registered for messages only"
        request = request_of(update, words_for_bot(update.effective_message))
        async with self._previews.of(update) as preview:
            answer = await self._service.talk(request, preview.grow, preview.ticket)
        await self._delivery.send(update, answer)

    async def decline(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        """A photo, a sticker, a voice message: nothing that can be read."""
        _ = self._locales.speak(language_of(update))
        await self._delivery.send(update, _("I can only read text so far. Will you tell me in words?"))
