"""The queries behind the figures. The database counts: what is read here are sums, a row for each day."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Float, Select, String, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from bot.feedback import Verdict
from bot.storage.tables import Chat, Message, Opinion
from bot.storage.transaction import Sessions, transaction
from bot.upkeep.figures import Figures, Opinions, Traffic, Waits


class UtcDay(FunctionElement[str]):
    """The day of a moment, as YYYY-MM-DD in UTC."""

    inherit_cache = True
    type = String()
    name = "utc_day"


@compiles(UtcDay)
def _utc_day(element: UtcDay, compiler: Any, **options: Any) -> str:  # SQLite keeps the text of a moment in UTC.
    return f"date({compiler.process(element.clauses, **options)})"


@compiles(UtcDay, "postgresql")
def _utc_day_of_postgresql(element: UtcDay, compiler: Any, **options: Any) -> str:
    return f"to_char({compiler.process(element.clauses, **options)} AT TIME ZONE 'UTC', 'YYYY-MM-DD')"


class SqlLedger:
    """See `bot.upkeep.figures.Ledger`."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def figures(self, first: date, last: date) -> Figures:
        """See `bot.upkeep.figures.Ledger`."""
        span = _start(first), _start(last + timedelta(days=1))
        async with transaction(self._sessions) as session:
            traffic = await _by_day(session, traffic_query(*span))
            waits = await _by_day(session, waits_query(*span, by_day=True))
            opinions = await _by_day(session, opinions_query(*span))
            in_all = (await session.execute(traffic_query(*span, by_day=False))).one()
            waits_in_all = (await session.execute(waits_query(*span, by_day=False))).one()
        return Figures(
            first,
            last,
            Traffic(*in_all),
            Waits(*waits_in_all) if waits_in_all[0] is not None else None,
            Opinions(*(sum(row[column] for row in opinions.values()) for column in (0, 1))),
            {day: Traffic(*row) for day, row in traffic.items()},
            {day: Waits(*row) for day, row in waits.items()},
            {day: Opinions(*row) for day, row in opinions.items()},
        )


def traffic_query(start: datetime, end: datetime, by_day: bool = True) -> Select[*tuple[Any, ...]]:
    """How many messages in how many chats, by day or in all."""
    counts = func.count(Message.id), func.count(Chat.chat_id.distinct())
    said = [Message.created_at >= start, Message.created_at < end, Message.is_character.is_(False)]
    if not by_day:
        return select(*counts).join(Chat, Message.chat == Chat.id).where(*said)
    day = UtcDay(Message.created_at)
    return select(day, *counts).join(Chat, Message.chat == Chat.id).where(*said).group_by(day)


def waits_query(start: datetime, end: datetime, by_day: bool) -> Select[*tuple[Any, ...]]:
    """How long half of the answers took at most, and 95 of 100: the values at these ranks, by day or in all.

    Window functions, as not every database knows percentiles.
    """
    day = UtcDay(Message.created_at)
    group = day if by_day else None
    ranked = (
        select(
            day.label("day"),
            Message.waited.label("waited"),
            func.row_number().over(partition_by=group, order_by=Message.waited).label("rank"),
            func.count().over(partition_by=group).label("count"),
        )
        .where(Message.created_at >= start, Message.created_at < end, Message.waited.is_not(None))
        .subquery()
    )
    waits = [_at_rank(ranked, (ranked.c.count + 1) // 2), _at_rank(ranked, (ranked.c.count * 95 + 99) // 100)]
    return select(ranked.c.day, *waits).group_by(ranked.c.day) if by_day else select(*waits)


def opinions_query(start: datetime, end: datetime) -> Select[*tuple[Any, ...]]:
    """How many likes and dislikes, by day."""
    day = UtcDay(Opinion.created_at)
    counts = (_count(Opinion.verdict == verdict) for verdict in (Verdict.LIKED, Verdict.DISLIKED))
    given = select(day, *counts).where(Opinion.created_at >= start, Opinion.created_at < end)
    return given.group_by(day)


def _at_rank(ranked: Any, rank: ColumnElement[int]) -> ColumnElement[float]:
    return func.max(case((ranked.c.rank == rank, ranked.c.waited)), type_=Float)


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(case((condition, 1)))


async def _by_day(session: AsyncSession, query: Select[*tuple[Any, ...]]) -> Mapping[date, tuple[Any, ...]]:
    return {date.fromisoformat(day): tuple(rest) for day, *rest in (await session.execute(query)).all()}


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
