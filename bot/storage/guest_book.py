"""The guest book in the database: bans, and the messages that were let in."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.gate import Overrun, Quota, Visitor
from bot.storage.tables import Admission, Ban, MovedGroup
from bot.storage.transaction import Sessions, transaction


class SqlGuestBook:
    """See `bot.gate.GuestBook`; each call is a transaction.

    On SQLite, writers come one after the other, so counts are exact whichever process asks. On PostgreSQL, messages of
    one person to several processes in the same instant may all be let in.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def is_banned(self, visitor: Visitor) -> bool:
        """Whether there is a ban of the sender or of the chat."""
        query = select(Ban.id).where(Ban.id.in_({visitor.sender_id, visitor.chat_id})).limit(1)
        async with transaction(self._sessions) as session:
            return await session.scalar(query) is not None

    async def ban(self, banned_id: int, admin: int) -> None:
        """Put a ban on record, if there is none yet."""
        with suppress(IntegrityError):
            async with transaction(self._sessions) as session:
                session.add(Ban(id=banned_id, banned_by=admin))

    async def unban(self, banned_id: int) -> bool:
        """Delete a ban; False if there was none."""
        async with transaction(self._sessions) as session:
            gone = await session.scalar(delete(Ban).where(Ban.id == banned_id).returning(Ban.id))
        return gone is not None

    async def enter(self, receipt: int, visitor: Visitor, moment: datetime, quotas: Sequence[Quota]) -> list[Overrun]:
        """Put an admission on record and return nothing, or the quotas that are used up."""
        entry = Admission(update_id=receipt, sender_id=visitor.sender_id, chat_id=visitor.chat_id, admitted_at=moment)
        try:
            async with transaction(self._sessions) as session:
                session.add(entry)
                await session.flush()  # First: from here on, SQLite lets nobody else write until the counts are taken.
                overruns = [each for quota in quotas if (each := await _overrun(session, entry, quota))]
                if overruns:
                    await session.rollback()
        except IntegrityError:
            return []  # Let in before, and handled again.
        return overruns

    async def former_id(self, chat_id: int) -> int | None:
        """The number that a supergroup had before it was one, if that is on record."""
        query = select(MovedGroup.former_id).where(MovedGroup.id == chat_id)
        async with transaction(self._sessions) as session:
            return await session.scalar(query)

    async def forget(self, before: datetime) -> None:
        """Delete the admissions before a moment."""
        async with transaction(self._sessions) as session:
            await session.execute(delete(Admission).where(Admission.admitted_at < before))


async def _overrun(session: AsyncSession, entry: Admission, quota: Quota) -> Overrun | None:
    same = Admission.chat_id == entry.chat_id if quota.of_group else Admission.sender_id == entry.sender_id
    query = (
        select(Admission.admitted_at)
        .where(same, Admission.admitted_at >= quota.start, Admission.update_id != entry.update_id)
        .order_by(Admission.admitted_at.desc())
        .offset(quota.most - 1)
        .limit(1)
    )
    oldest = await session.scalar(query)
    # SQLite gives times back without their zone, which is always UTC.
    return Overrun(quota, oldest.replace(tzinfo=oldest.tzinfo or UTC)) if oldest else None
