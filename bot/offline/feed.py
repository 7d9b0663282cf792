"""Tells whoever listens what happens in the world: the page's event stream and waiting tests."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

BACKLOG = 2000


class Feed:
    """Hands every event to every reader; a reader that falls far behind is cut off, and is to read the state anew."""

    def __init__(self) -> None:
        self._readers: set[asyncio.Queue[dict[str, Any] | None]] = set()

    def publish(self, event: dict[str, Any]) -> None:
        for queue in list(self._readers):
            if queue.qsize() >= BACKLOG:
                self._readers.discard(queue)
                queue.put_nowait(None)
            else:
                queue.put_nowait(event)

    @contextmanager
    def reader(self) -> Iterator[asyncio.Queue[dict[str, Any] | None]]:
        """A queue of the events from now on; None marks its end."""
        queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._readers.add(queue)
        try:
            yield queue
        finally:
            self._readers.discard(queue)

    def close(self) -> None:
        """Ends every reader."""
        for queue in self._readers:
            queue.put_nowait(None)
        self._readers.clear()
