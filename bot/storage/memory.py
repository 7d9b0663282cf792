"""A history in memory, gone when the process ends: what the terminal chat uses."""

from types import TracebackType
from typing import Self

from bot.chat_service import Conversation, Exchange, Line, Mode


class MemoryHistory:
    """Gives units of work (see `bot.chat_service.UnitOfWork`) that share one history."""

    def __init__(self) -> None:
        self._lines: dict[Conversation, list[Line]] = {}

    def unit_of_work(self) -> "MemoryUnitOfWork":
        """A unit of work on this history."""
        return MemoryUnitOfWork(self._lines)


class MemoryUnitOfWork:
    """Works on a copy, which `commit` puts in the history's place."""

    def __init__(self, lines: dict[Conversation, list[Line]]) -> None:
        self._lines = lines
        self._changed: dict[Conversation, list[Line]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._changed.clear()

    async def context(self, conversation: Conversation, limit: int) -> list[Line]:
        lines = self._lines.get(conversation, [])
        return lines[max(0, len(lines) - limit) :]

    async def remember(self, conversation: Conversation, exchange: Exchange) -> None:
        if exchange.mode is Mode.DIALOGUE:
            lines = self._changed.setdefault(conversation, list(self._lines.get(conversation, [])))
            lines += [exchange.question, exchange.answer]

    async def forget_context(self, conversation: Conversation) -> None:
        self._changed[conversation] = []

    async def answered(self, receipt: int, answer: str) -> None:
        """Nothing is on record here."""

    async def commit(self) -> None:
        self._lines.update(self._changed)
