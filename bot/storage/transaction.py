"""A transaction of its own for a few queries, and what it raises where the database is not available."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import InterfaceError, OperationalError, TimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from bot.errors import StorageError
from bot.storage.worker import Worker

T = TypeVar("T")


class Sessions(async_sessionmaker[AsyncSession]):
    """Sessions on a database, and transactions without one: of statements alone, which cost less."""

    def __init__(self, engine: AsyncEngine, worker: Worker) -> None:
        super().__init__(engine, class_=AsyncSession, expire_on_commit=False)
        self._worker = worker

    async def transact(self, work: Callable[[Connection], T]) -> T:
        """Call `work` and commit, or roll back if it raises. Raises StorageError."""
        with storage_errors():
            return await self._worker.run(work)


# What may be different in a minute: locked, disk full, connection lost. Other errors are mistakes of ours.
UNAVAILABLE = (OperationalError, InterfaceError, TimeoutError)


@asynccontextmanager
async def transaction(sessions: Sessions) -> AsyncIterator[AsyncSession]:
    """Commit at the end of the block, undo everything if it raises. Raises StorageError."""
    with storage_errors():
        async with sessions() as session, session.begin():
            yield session


@contextmanager
def storage_errors() -> Iterator[None]:
    """Turn a driver's errors of a database that is not available into StorageError."""
    try:
        yield
    except UNAVAILABLE as error:
        raise unavailable(error) from error


def unavailable(error: BaseException) -> StorageError:
    """The error to raise in place of a driver's; it quotes no parameters."""
    return StorageError(f"the database is not available: {getattr(error, 'orig', None) or type(error).__name__}")
