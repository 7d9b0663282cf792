"""Where an answer comes from: the lines of the script that it is like. Knows neither Telegram nor SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.chat_service import Conversation, Line
from bot.errors import BotError


class NoAnswerError(BotError):
    """The conversation has no such answer of the character's."""


class UnknownOriginError(BotError):
    """What the answer comes from is not on record."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A character's answer, as it was stored, and the version that gave it; no `persona`: nobody wrote down whose."""

    text: str
    version: str
    persona: str = ""


@dataclass(frozen=True, slots=True)
class ScriptLine:
    """A line of the script and the one that it answers, if any; `episode` and `place` may be empty."""

    said: Line
    before: Line | None
    episode: str
    place: str


@dataclass(frozen=True, slots=True)
class Origin:
    """What an answer may come from: lines of the script, most alike first.

    `copied` says that it has eight words in a row of the first line, `whole` that the first line is made of its very
    words, be they few.
    """

    lines: Sequence[ScriptLine]
    copied: bool
    whole: bool


class Script(Protocol):
    """What the character learned from."""

    async def trace(self, answer: Answer) -> Origin | None:
        """Where an answer may come from; None where that is not known."""
        ...


class Answers(Protocol):
    """What the character has answered."""

    async def answer(self, conversation: Conversation, part: str | None = None) -> Answer | None:
        """The newest answer in a conversation; with a `part`, the newest that is just this text, or else has it."""
        ...


class Origins:
    """Explains answers. What is explained is an answer on record, never words that somebody brings along."""

    def __init__(self, answers: Answers, script: Script) -> None:
        self._answers = answers
        self._script = script

    async def explain(self, conversation: Conversation, part: str | None = None) -> tuple[Answer, Origin]:
        """The last answer of a conversation, or the one that `part` is a part of, and where it comes from.

        Raises NoAnswerError, also for an empty part, and UnknownOriginError.
        """
        answer = None if part == "" else await self._answers.answer(conversation, part)
        if answer is None:
            raise NoAnswerError("the conversation has no such answer")
        origin = await self._script.trace(answer)
        if origin is None:
            raise UnknownOriginError(f"the origin of what version {answer.version} says is not on record")
        return answer, origin
