"""A history in memory, gone when the process ends: what the terminal chat uses."""

from types import TracebackType
from typing import Self

from bot.chat_service import Conversation, Exchange, Line, Mode
from bot.origins import Answer


class MemoryHistory:
    """Gives units of work (see `bot.chat_service.UnitOfWork`) that share one history."""

    def __init__(self) -> None:
        self._lines: dict[Conversation, list[Line]] = {}
        self._answers: dict[Conversation, list[Answer]] = {}

    def unit_of_work(self) -> "MemoryUnitOfWork":
        """A unit of work on this history."""
        return MemoryUnitOfWork(self._lines, self._answers)

    async def answer(self, conversation: Conversation, part: str | None = None) -> Answer | None:
        """See `bot.origins.Answers`."""
        answers = self._answers.get(conversation, [])
        having = [answer for answer in answers if part is None or part in answer.text]
        return next((answer for answer in reversed(having) if answer.text == part), having[-1] if having else None)


class MemoryUnitOfWork:
    """Works on a copy, which `commit` puts in the history's place."""

    def __init__(self, lines: dict[Conversation, list[Line]], answers: dict[Conversation, list[Answer]]) -> None:
        self._lines = lines
        self._answers = answers
        self._changed: dict[Conversation, list[Line]] = {}
        self._given: list[tuple[Conversation, Answer]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._changed.clear()
        self._given.clear()

    async def context(self, conversation: Conversation, limit: int) -> list[Line]:
        lines = self._lines.get(conversation, [])
        return lines[max(0, len(lines) - limit) :]

    async def remember(self, conversation: Conversation, exchange: Exchange) -> None:
        self._given.append((conversation, Answer(exchange.answer.text, exchange.version, exchange.persona)))
        if exchange.mode is Mode.DIALOGUE:
            lines = self._changed.setdefault(conversation, list(self._lines.get(conversation, [])))
            lines += [exchange.question, exchange.answer]

    async def forget_context(self, conversation: Conversation) -> None:
        self._changed[conversation] = []

    async def answered(self, receipt: int, answer: str) -> None:
        """Nothing is on record here."""

    async def commit(self) -> None:
        self._lines.update(self._changed)
        for conversation, answer in self._given:
            self._answers.setdefault(conversation, []).append(answer)
