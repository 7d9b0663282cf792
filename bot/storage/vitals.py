"""The queries behind the bot's health; see `bot.upkeep.health.Vitals`."""

from datetime import UTC

from sqlalchemy import func, select, text

from bot.storage.tables import InboxRow, State
from bot.storage.transaction import Sessions, transaction
from bot.upkeep.health import Mail

SIZES = {
    "sqlite": text("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"),
    "postgresql": text("SELECT pg_database_size(current_database())"),
}


class SqlVitals:
    """Each call is a transaction. Raises StorageError if the database is not available."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def mail(self) -> Mail:
        """See `bot.upkeep.health.Vitals`."""
        query = select(InboxRow.state, func.count()).group_by(InboxRow.state)
        first = select(func.min(InboxRow.received_at)).where(InboxRow.state == State.RECEIVED)
        async with transaction(self._sessions) as session:
            counts = {state: int(count) for state, count in (await session.execute(query)).all()}
            oldest = await session.scalar(first)
        return Mail(
            counts.get(State.RECEIVED, 0),
            oldest.replace(tzinfo=oldest.tzinfo or UTC) if oldest else None,  # SQLite keeps no zone.
            counts.get(State.ANSWERED, 0),
            counts.get(State.FAILED, 0),
        )

    async def size(self) -> int:
        """See `bot.upkeep.health.Vitals`."""
        async with transaction(self._sessions) as session:
            return int(await session.scalar(SIZES[session.get_bind().dialect.name]) or 0)
