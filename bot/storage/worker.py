"""Transactions as plain functions: what every message costs is done in one piece, and not statement by statement.

With SQLite a statement takes less time than handing it to a thread and back, which aiosqlite does four times for each.
So a whole transaction goes to a thread at once. There is one such thread, as SQLite lets one write at a time anyway:
what comes meanwhile waits for it, and not for a lock.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL, Engine
from sqlalchemy.ext.asyncio import AsyncEngine

T = TypeVar("T")


class Worker(Protocol):
    """Runs transactions."""

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Call `work` and commit, or roll back if it raises."""
        ...

    async def close(self) -> None: ...


class AsyncWorker:
    """On a database whose driver is asynchronous by itself."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def run(self, work: Callable[[Connection], T]) -> T:
        """See `Worker`."""
        async with self._engine.begin() as connection:
            return await connection.run_sync(work)

    async def close(self) -> None:
        """Nothing of its own is open."""


class ThreadWorker:
    """On an SQLite file; `on_connect` is given each new connection of the driver's."""

    def __init__(self, url: URL, on_connect: Callable[[Any, object], None]) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="database")
        self._url = url.set(drivername="sqlite")
        self._on_connect = on_connect
        self._engine: Engine | None = None

    async def run(self, work: Callable[[Connection], T]) -> T:
        """See `Worker`."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._run, work)

    async def close(self) -> None:
        """Close the connection; the next transaction opens another one."""
        if self._engine is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._engine.dispose)

    def _run(self, work: Callable[[Connection], T]) -> T:
        if self._engine is None:
            # Parameters are message texts: they must not show up in errors.
            self._engine = create_engine(self._url, hide_parameters=True, pool_size=1, max_overflow=0)
            event.listen(self._engine, "connect", self._on_connect)
        with self._engine.begin() as connection:
            return work(connection)
