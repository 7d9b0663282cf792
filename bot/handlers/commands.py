"""The commands: /start, /help, /ask, /reset."""

from telegram import BotCommand, Update
from telegram.ext import ContextTypes

from bot.chat_service import ChatService, Conversation
from bot.handlers import control, judging
from bot.handlers.callbacks import Callback, Feature
from bot.handlers.inline import inline_help
from bot.handlers.language_barrier import LanguageBarrier
from bot.handlers.persona_menu import persona_commands, persona_help
from bot.handlers.settings_menu import settings_commands, settings_help
from bot.locales import Locales, Translate
from bot.transport.addressing import conversation_of, language_of, request_of
from bot.transport.delivery import Delivery
from bot.transport.previews import Previews


def menu(_: Translate) -> list[BotCommand]:
    """The commands as Telegram lists them, described in one language."""
    return [
        BotCommand("ask", _("Ask a single question")),
        *control.menu(_),
        BotCommand("reset", _("Forget our conversation")),
        BotCommand("why", _("Where my last answer comes from")),
        *persona_commands(_),
        *settings_commands(_),
        BotCommand("help", _("What I can do")),
        BotCommand("privacy", _("What I keep about you")),
        BotCommand("export", _("Get what I keep about you")),
        BotCommand("forget", _("Delete what I keep about you")),
        BotCommand("start", _("Say hello")),
    ]


def help_text(_: Translate, name: str, *more: str) -> str:
    """What the bot can do, in one language; `name` is the character's, `more` are further lines on commands."""
    hello = _("I am {name}. Just write to me, and I answer with our conversation in mind.").format(name=name)
    talk = _(
        "/ask QUESTION: a single question, apart from our conversation\n"
        "/reset: I forget what we talked about\n"
        "/why: where my last answer comes from; as a reply to another answer, where that one does"
    )
    return "\n".join((f"{hello}\n", talk, *more, _("/help: this overview")))


def greeting_text(_: Translate, name: str, greeting: str) -> str:
    """The first words: the character's own if there are any, and where to look further."""
    hello = greeting or _("Hi! I am {name}.").format(name=name)
    return "\n\n".join((hello, _("Write me something, or see /help.")))


def ask_usage(_: Translate) -> str:
    """How /ask is meant."""
    return _(
        "Put your question after the command, like this:\n"
        "/ask Who are you?\n\n"
        "I answer it on its own, without looking at our conversation and without adding to it."
    )


def reset_text(_: Translate) -> str:
    """That the conversation is forgotten."""
    return _("Done. I have forgotten what we talked about; let us start afresh.")


class Commands(Feature):
    """One callback per command."""

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

    def callbacks(self) -> dict[str, Callback]:
        """The callbacks by the command's name."""
        return {"start": self._start, "help": self._help, "ask": self._ask, "reset": self._reset}

    async def unknown(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        """Answer a command that does not exist."""
        _ = self._speak(update)
        await self._delivery.send(update, _("I do not know this command. /help lists those that I know."))

    async def _start(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        card = await self._service.character(_where(update))
        text = greeting_text(self._speak(update), card.name, card.greeting)
        await self._delivery.send(update, text)

    async def _help(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        _ = self._speak(update)
        here = _("/privacy: what I keep about you\n/export: get it as a file\n/forget: have it deleted")
        card = await self._service.character(_where(update))
        more = (
            control.help_text(_),
            judging.help_text(_),
            persona_help(_),
            settings_help(_),
            *inline_help(_, context.bot),
            here,
        )
        await self._delivery.send(update, help_text(_, card.name, *more))

    async def _ask(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        question = _words_after_command(update)
        if not question:
            await self._delivery.send(update, ask_usage(self._speak(update)))
            return
        if await self._barrier.stops(update, question):
            return
        async with self._previews.of(update) as preview:
            answer = await self._service.ask(request_of(update, question), preview.grow, preview.ticket)
        await self._delivery.send(update, answer)

    async def _reset(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        await self._service.reset(_where(update))
        await self._delivery.send(update, reset_text(self._speak(update)))

    def _speak(self, update: Update) -> Translate:
        return self._locales.speak(language_of(update))


def _where(update: Update) -> Conversation:
    assert update.effective_message is not None, "commands come in messages"
    return conversation_of(update.effective_message)


def _words_after_command(update: Update) -> str:
    text = (update.effective_message and update.effective_message.text) or ""
    _command, *words = text.split(maxsplit=1)
    return words[0].strip() if words else ""
