"""A transaction of its own for a few queries, and what it raises where the database is not available."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from sqlalchemy.exc import InterfaceError, OperationalError, TimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, async_sessionmaker

from bot.errors import StorageError

Sessions = async_sessionmaker[AsyncSession]

# What may be different in a minute: locked, disk full, connection lost. Other errors are mistakes of ours.
UNAVAILABLE = (OperationalError, InterfaceError, TimeoutError)


@asynccontextmanager
async def transaction(sessions: Sessions) -> AsyncIterator[AsyncSession]:
    """Commit at the end of the block, undo everything if it raises. Raises StorageError."""
    with storage_errors():
        async with sessions() as session, session.begin():
            yield session


@asynccontextmanager
async def statements(sessions: Sessions) -> AsyncIterator[AsyncConnection]:
    """A transaction as above, without a session: for what every message costs, as statements alone are cheaper."""
    engine: AsyncEngine = sessions.kw["bind"]
    with storage_errors():
        async with engine.begin() as connection:
            yield connection


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
