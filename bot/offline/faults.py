"""Faults on request: what a test asks the server to do wrong."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from bot.offline.errors import ApiError

Result = TypeVar("Result")
KINDS = frozenset({"400", "403", "404", "429", "500", "drop", "drop_after", "slow"})


class DroppedConnectionError(Exception):
    """The connection is to be closed without an answer."""


@dataclass(slots=True)
class Fault:
    """One kind of failure for the next `count` calls of a method ("*": of any), in one chat or in all.

    The first `after` of these calls go well.
    """

    method: str
    kind: str
    count: int = 1
    retry_after: int = 1
    seconds: float = 1.0
    chat_id: int | None = None
    after: int = 0

    def hits(self, method: str, chat_id: str) -> bool:
        of_chat = self.chat_id is None or str(self.chat_id) == chat_id
        return self.count > 0 and of_chat and self.method.lower() in {"*", method.lower()}


class Faults:
    """The faults that are still to happen, first come first served."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._waiting.append(fault)

    def clear(self) -> None:
        self._waiting.clear()

    def as_json(self) -> list[dict[str, Any]]:
        return [{"method": fault.method, "kind": fault.kind, "count": fault.count} for fault in self._waiting]

    async def around(self, method: str, chat_id: str, act: Callable[[], Awaitable[Result]]) -> Result:
        """Carries out a call, or spoils it. Raises ApiError or DroppedConnectionError."""
        fault = self._take(method, chat_id)
        if fault is None:
            return await act()
        if fault.kind == "400":
            raise ApiError(400, "Bad Request: refused")
        if fault.kind == "404":
            raise ApiError(404, "Not Found: method not found")
        if fault.kind == "403":
            raise ApiError(403, "Forbidden: bot was blocked by the user")
        if fault.kind == "429":
            raise ApiError(
                429, f"Too Many Requests: retry after {fault.retry_after}", {"retry_after": fault.retry_after}
            )
        if fault.kind == "500":
            raise ApiError(500, "Internal Server Error")
        if fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
            return await act()
        if fault.kind == "drop_after":
            await act()
        raise DroppedConnectionError

    def _take(self, method: str, chat_id: str) -> Fault | None:
        fault = next((fault for fault in self._waiting if fault.hits(method, chat_id)), None)
        if fault and fault.after:
            fault.after -= 1
            return None
        if fault:
            fault.count -= 1
            self._waiting = [waiting for waiting in self._waiting if waiting.count > 0]
        return fault
