"""The language barrier: whoever writes in a language that the character does not speak is told so, and no more."""

from collections.abc import Sequence

from telegram import Update

from bot.chat_service import ChatService, Conversation
from bot.languages import LanguageDetector, says_enough
from bot.locales import Locales, Translate
from bot.recent import Recent
from bot.transport.addressing import conversation_of, language_of, owner_of
from bot.transport.delivery import Delivery


class LanguageBarrier:
    """Stands before what asks the character for an answer. It explains itself once in a row of foreign messages."""

    def __init__(self, service: ChatService, detector: LanguageDetector, delivery: Delivery, locales: Locales) -> None:
        self._service = service
        self._detector = detector
        self._delivery = delivery
        self._locales = locales
        self._met: Recent[tuple[Conversation | None, int | None], bool] = Recent()

    async def stops(self, update: Update, words: str) -> bool:
        """Whether the words of a message are foreign to the character; then the update is answered with that."""
        message = update.effective_message
        assert message is not None, "only messages have words"
        if not says_enough(words):  # Nor does it end a row of foreign messages.
            return False
        card = await self._service.character(conversation_of(message))
        is_foreign = await self._detector.is_foreign(words, card.languages)
        if is_foreign:
            _ = self._locales.speak(language_of(update))
            told = self._met.last(owner_of(update))
            text = reminder_text(_, card.languages) if told else foreign_text(_, card.name, card.languages)
            await self._delivery.send(update, text)
        self._met.replace(owner_of(update), is_foreign)
        return is_foreign

    async def hint(self, conversation: Conversation, words: str, _: Translate) -> str | None:
        """What is said to foreign words where there is room for few; None where they are not foreign."""
        card = await self._service.character(conversation)
        return reminder_text(_, card.languages) if await self._detector.is_foreign(words, card.languages) else None


def foreign_text(_: Translate, name: str, languages: Sequence[str]) -> str:
    """That a character does not speak a language, and which it does."""
    text = _("Sorry, {name} does not speak this language and would only be guessing. Please write in {languages}.")
    return text.format(name=name, languages=_names(_, languages))


def reminder_text(_: Translate, languages: Sequence[str]) -> str:
    """The same for somebody who has just been told."""
    return _("In {languages}, please 🙂").format(languages=_names(_, languages))


def _names(_: Translate, languages: Sequence[str]) -> str:
    """Languages as they stand after "write in"; those without a name here by their code."""
    names = {
        "de": _("German"),
        "en": _("English"),
        "es": _("Spanish"),
        "fr": _("French"),
        "it": _("Italian"),
        "pl": _("Polish"),
        "pt": _("Portuguese"),
        "ru": _("Russian"),
        "uk": _("Ukrainian"),
    }
    return _(" or ").join(names.get(code, code) for code in languages)
