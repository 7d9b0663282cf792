"""The queries on broadcasts; see `bot.upkeep.broadcast.BroadcastBook`."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, delete, exists, func, insert, literal, select, update
from sqlalchemy.exc import IntegrityError

from bot.storage import tables
from bot.storage.tables import Ban, Chat, Recipient, Stage, now
from bot.storage.transaction import Sessions, transaction
from bot.upkeep.broadcast import Broadcast, Draft, Outcome, Start, Tally

WAITING = "waiting"


class SqlBroadcastBook:
    """Each call is a transaction. `audience` are the only chats that may get a broadcast; None: all of them may."""

    def __init__(self, sessions: Sessions, audience: Collection[int] | None = None) -> None:
        self._sessions = sessions
        self._audience = audience

    async def draft(self, admin: int, text: str) -> Draft:
        """See `bot.upkeep.broadcast.BroadcastBook`."""
        row = tables.Broadcast(admin=admin, text=text)
        former = delete(tables.Broadcast).where(_drafts(admin))
        count = select(func.count(Chat.chat_id.distinct())).where(*self._reachable())
        async with transaction(self._sessions) as session:
            await session.execute(former)
            session.add(row)
            await session.flush()
            return Draft(row.id, await session.scalar(count) or 0)

    async def start(self, number: int, admin: int, message: int, language: str | None) -> Start:
        """See `bot.upkeep.broadcast.BroadcastBook`."""
        begin = update(tables.Broadcast).where(tables.Broadcast.id == number, _drafts(admin))
        begin = begin.values(stage=Stage.LIVE, message=message, language=language)
        everybody = select(literal(number), Chat.chat_id, literal(WAITING)).where(*self._reachable()).distinct()
        try:
            async with transaction(self._sessions) as session:
                # An index lets only one be live, whoever else begins in the same moment.
                if await session.scalar(begin.returning(tables.Broadcast.id)) is None:
                    return Start.OVER
                await session.execute(insert(Recipient).from_select(["broadcast", "chat_id", "state"], everybody))
        except IntegrityError:
            return Start.BUSY
        return Start.BEGUN

    async def discard(self, number: int, admin: int) -> bool:
        """See `bot.upkeep.broadcast.BroadcastBook`."""
        gone = delete(tables.Broadcast).where(tables.Broadcast.id == number, _drafts(admin))
        async with transaction(self._sessions) as session:
            return await session.scalar(gone.returning(tables.Broadcast.id)) is not None

    async def stop(self, number: int, admin: int) -> bool:
        """See `bot.upkeep.broadcast.BroadcastBook`."""
        live = tables.Broadcast.stage == Stage.LIVE, tables.Broadcast.is_stopped.is_(False)
        mine = tables.Broadcast.id == number, tables.Broadcast.admin == admin
        stop = update(tables.Broadcast).where(*mine, *live).values(is_stopped=True)
        async with transaction(self._sessions) as session:
            return await session.scalar(stop.returning(tables.Broadcast.id)) is not None

    async def current(self) -> Broadcast | None:
        """See `bot.upkeep.broadcast.BroadcastBook`."""
        async with transaction(self._sessions) as session:
            row = await session.scalar(select(tables.Broadcast).where(tables.Broadcast.stage == Stage.LIVE))
        return Broadcast(row.id, row.admin, row.text, row.message or 0, row.language, row.is_stopped) if row else None

    async def next(self, number: int) -> int | None:
        """See `bot.upkeep.broadcast.BroadcastBook`."""
        query = (
            select(Recipient.chat_id)
            .join(tables.Broadcast, Recipient.broadcast == tables.Broadcast.id)
            .where(Recipient.broadcast == number, Recipient.state == WAITING, tables.Broadcast.is_stopped.is_(False))
            .where(~exists().where(Ban.id == Recipient.chat_id))  # Perhaps since it began.
            .order_by(Recipient.chat_id)
            .limit(1)
        )
        async with transaction(self._sessions) as session:
            return await session.scalar(query)

    async def mark(self, number: int, chat_id: int, outcome: Outcome) -> None:
        """See `bot.upkeep.broadcast.BroadcastBook`."""
        this = update(Recipient).where(Recipient.broadcast == number, Recipient.chat_id == chat_id)
        async with transaction(self._sessions) as session:
            await session.execute(this.values(state=outcome))
            if outcome is Outcome.BLOCKED:
                await session.execute(update(Chat).where(Chat.chat_id == chat_id).values(unreachable_since=now()))

    async def tally(self, number: int) -> Tally:
        """See `bot.upkeep.broadcast.BroadcastBook`."""
        query = select(Recipient.state, func.count()).where(Recipient.broadcast == number).group_by(Recipient.state)
        async with transaction(self._sessions) as session:
            return Tally(**{state: int(count) for state, count in (await session.execute(query)).all()})

    async def end(self, number: int) -> None:
        """See `bot.upkeep.broadcast.BroadcastBook`."""
        async with transaction(self._sessions) as session:
            await session.execute(delete(tables.Broadcast).where(tables.Broadcast.id == number))

    async def heard_from(self, chat_id: int) -> None:
        """See `bot.upkeep.broadcast.BroadcastBook`."""
        lost = Chat.chat_id == chat_id, Chat.unreachable_since.is_not(None)
        async with transaction(self._sessions) as session:
            # Looked at first: a change that changes nothing would still wait for whoever writes.
            if await session.scalar(select(Chat.id).where(*lost).limit(1)) is not None:
                await session.execute(update(Chat).where(*lost).values(unreachable_since=None))

    def _reachable(self) -> list[ColumnElement[bool]]:
        conditions = [Chat.unreachable_since.is_(None), ~exists().where(Ban.id == Chat.chat_id)]
        return conditions if self._audience is None else [*conditions, Chat.chat_id.in_(self._audience)]


def _drafts(admin: int) -> ColumnElement[bool]:
    return (tables.Broadcast.admin == admin) & (tables.Broadcast.stage == Stage.DRAFT)
