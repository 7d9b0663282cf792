"""/why: where an answer comes from."""

import textwrap
from collections.abc import Iterator

from telegram import Message, Update
from telegram.ext import ContextTypes

from bot.chat_service import Conversation, Line
from bot.handlers.callbacks import Callback, Feature
from bot.locales import Locales, Translate
from bot.origins import Answer, NoAnswerError, Origin, Origins, ScriptLine, UnknownOriginError
from bot.transport.addressing import conversation_of, language_of, original_of, replies_to_bot
from bot.transport.delivery import Delivery

SHOWN = 280  # characters of a line: what fits on the screen of a phone besides the others


class Why(Feature):
    """Explains the answer that is replied to, or the last one."""

    def __init__(self, origins: Origins, delivery: Delivery, locales: Locales) -> None:
        self._origins = origins
        self._delivery = delivery
        self._locales = locales

    def callbacks(self) -> dict[str, Callback]:
        """The callbacks by the command's name."""
        return {"why": self._explain}

    async def _explain(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        message = update.effective_message
        assert message is not None, "commands come in messages"
        _ = self._locales.speak(language_of(update))
        async with self._delivery.typing(update):
            text = await explanation(_, self._origins, conversation_of(message), part_meant(message))
        await self._delivery.send(update, text)


def part_meant(message: Message) -> str | None:
    """The text of the answer that a message replies to: None if it replies to nothing, empty if to something else."""
    original = original_of(message)
    if message.external_reply:  # to a message of another chat
        return ""
    if original is None:
        return None
    return (original.text or "") if replies_to_bot(message) else ""


async def explanation(_: Translate, origins: Origins, conversation: Conversation, part: str | None = None) -> str:
    """The answer to /why in words; `part` is the text of the answer that is meant, None for the last one."""
    try:
        return origin_text(_, *await origins.explain(conversation, part))
    except NoAnswerError:
        if part is None:
            return _("I have not answered anything here yet. Write me something first, then send /why.")
        return _("I can explain only what I answered here. Send /why as a reply to one of my answers.")
    except UnknownOriginError:
        return _("Sorry, I do not know what I learned that from.")


def origin_text(_: Translate, answer: Answer, origin: Origin) -> str:
    """Where an answer comes from: whether it is a copy, and the lines that it is like."""
    parts = [_("My answer: “{text}”").format(text=_short(answer.text)), _verdict(_, origin)]
    if origin.lines:
        parts.append(_("The lines of my script that are most like it:"))
    parts += [f"{number}. " + "\n".join(_shown(_, line)) for number, line in enumerate(origin.lines, 1)]
    return "\n\n".join(parts)


def _verdict(_: Translate, origin: Origin) -> str:
    if origin.copied:
        return _("It is a copy: eight words or more in a row are just as in my script.")
    if origin.whole:
        return _("These very words are in my script. It is a short line: I say “copy” from eight words in a row on.")
    return _("It is new: nowhere are eight words in a row just as in my script.")


def _shown(_: Translate, line: ScriptLine) -> Iterator[str]:
    yield _quoted(_, line.said)
    if line.before:
        yield _("after {line}").format(line=_quoted(_, line.before))
    where = [_("Episode {episode}").format(episode=line.episode)] if line.episode else []
    if where := [*where, *filter(None, [line.place])]:
        yield ", ".join(where)


def _quoted(_: Translate, line: Line) -> str:
    return _("{speaker}: “{text}”").format(speaker=line.speaker, text=_short(line.text))


def _short(text: str) -> str:
    return textwrap.shorten(text, SHOWN, placeholder=" …")
