"""Inline mode: who types the bot's name and a question, in whatever chat, is offered an answer to send there.

Each answer is one of its own, by the character that the person has chosen in the private chat, and nothing of it is
kept. Telegram sends what is typed as it grows: a question is answered once the typing has stopped.
"""

import asyncio
from contextlib import suppress

from telegram import Bot, InlineQueryResultArticle, InputTextMessageContent, Update
from telegram.ext import ContextTypes

from bot.chat_service import ChatService, Conversation, Line, Request
from bot.errors import BotError
from bot.gate import Gate, Notices
from bot.handlers.doorkeeper import patience_text
from bot.handlers.language_barrier import LanguageBarrier
from bot.handlers.offers import offer
from bot.locales import Locales, Translate
from bot.stopping import StoppedError, Stopping
from bot.transport.addressing import language_of, owner_of, visitor_of
from bot.transport.delivery import split
from bot.transport.messages import NO_PREVIEW


class InlineMode:
    """Answers inline queries; of one person only the newest, `pause` seconds after it was typed."""

    def __init__(
        self,
        service: ChatService,
        barrier: LanguageBarrier,
        stopping: Stopping,
        gate: Gate,
        notices: Notices,
        locales: Locales,
        pause: float,
    ) -> None:
        self._service = service
        self._barrier = barrier
        self._stopping = stopping
        self._gate = gate
        self._notices = notices
        self._locales = locales
        self._pause = pause

    async def answer(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        """What is typed so far."""
        query, _ = update.inline_query, self._locales.speak(language_of(update))
        assert query is not None, "registered for inline queries only"
        self._stopping.stop(owner_of(update), before=update.update_id)
        words = query.query.strip()
        if not words:
            await offer(update, hint=_("Ask me something, and I answer here."))
            return
        with suppress(StoppedError):  # By the next query; to this one nobody waits for an answer any more.
            await self._answer(update, words)

    async def _answer(self, update: Update, words: str) -> None:
        _ = self._locales.speak(language_of(update))
        async with self._stopping.errand(update.update_id).thinking():
            await asyncio.sleep(self._pause)
        request = _request(update, words)
        if hint := await self._refusal(update, _) or await self._barrier.hint(request.conversation, words, _):
            await offer(update, hint=hint)
            return
        try:
            answer = await self._service.whisper(request)
        except StoppedError:
            raise
        except BotError:
            await offer(update, hint=_("Sorry, I have no answer right now. Ask me again in a while."))
            raise
        await offer(update, _article(update, words, answer))

    async def _refusal(self, update: Update, _: Translate) -> str | None:
        """Why the question is one too many, if it is; from here on it counts."""
        visitor = visitor_of(update)
        assert visitor is not None, "somebody has typed it"
        refusal = await self._gate.count(visitor, update.update_id)
        return patience_text(_, refusal, self._notices.seconds_to(refusal.until)) if refusal else None


def inline_help(_: Translate, bot: Bot) -> list[str]:
    """Inline mode for the overview, if the bot has it."""
    text = _("@{name} QUESTION, in any other chat: I offer an answer that you can send there")
    return [text.format(name=bot.username)] if bot.supports_inline_queries else []


def offered_text(words: str, answer: Line) -> str:
    """What is sent into the chat, where nobody has seen the question."""
    return split(f"“{words}”\n\n{answer.speaker}: {answer.text}")[0]


def _request(update: Update, words: str) -> Request:
    assert update.inline_query is not None, "made of inline queries only"
    person = update.inline_query.from_user
    line = Line(person.first_name, words)
    return Request(Conversation(person.id), line, receipt=update.update_id, person=person.id)


def _article(update: Update, words: str, answer: Line) -> InlineQueryResultArticle:
    content = InputTextMessageContent(offered_text(words, answer), link_preview_options=NO_PREVIEW)
    return InlineQueryResultArticle(str(update.update_id), answer.speaker, content, description=answer.text)
