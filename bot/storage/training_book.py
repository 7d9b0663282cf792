"""The queries on trainings."""

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.storage.tables import TrainingRow
from bot.storage.transaction import Sessions, transaction
from bot.training.events import Verdict
from bot.training.records import Order, Phase, Training

CAN_GO_ON = (Phase.FAILED, Phase.CANCELLED, Phase.INTERRUPTED)
UNDER_WAY = TrainingRow.phase == Phase.UNDER_WAY


class SqlTrainingBook:
    """Implements `bot.training.records.Book`. Raises StorageError if the database is not available."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def open(self, order: Order) -> tuple[Training, bool]:
        """See `bot.training.records.Book`."""
        same_press = (TrainingRow.admin == order.admin) & (TrainingRow.message == order.message)
        in_the_way = select(TrainingRow).where(or_(UNDER_WAY, same_press)).order_by(same_press.desc()).limit(1)
        async with transaction(self._sessions) as session:
            row = await session.scalar(in_the_way)
            if row is not None:
                return _training(row), False
            row = TrainingRow(
                persona=order.persona,
                admin=order.admin,
                message=order.message,
                language=order.language,
                phase=Phase.UNDER_WAY,
            )
            session.add(row)
            await session.flush()
            return _training(row), True

    async def reopen(self, number: int, message: int) -> Training | None:
        """See `bot.training.records.Book`."""
        async with transaction(self._sessions) as session:
            row = await session.get(TrainingRow, number)
            if row is None or row.phase not in CAN_GO_ON or not await _is_next(session, row):
                return None
            row.phase, row.message, row.is_told, row.crashes = Phase.UNDER_WAY, message, False, 0
            return _training(row)

    async def save(self, training: Training) -> None:
        """See `bot.training.records.Book`."""
        async with transaction(self._sessions) as session:
            row = await session.get_one(TrainingRow, training.number)
            row.phase, row.pid, row.run = training.phase, training.pid, training.run
            row.crashes, row.seconds = training.crashes, training.seconds
            row.verdict = training.verdict.model_dump_json() if training.verdict else None
            row.note, row.is_told = training.note, False

    async def under_way(self) -> Training | None:
        """See `bot.training.records.Book`."""
        async with transaction(self._sessions) as session:
            row = await session.scalar(select(TrainingRow).where(UNDER_WAY).limit(1))
        return _training(row) if row else None

    async def untold(self) -> list[Training]:
        """See `bot.training.records.Book`."""
        query = select(TrainingRow).where(~UNDER_WAY, TrainingRow.is_told.is_(False)).order_by(TrainingRow.id)
        async with transaction(self._sessions) as session:
            return [_training(row) for row in await session.scalars(query)]

    async def told(self, number: int) -> None:
        """See `bot.training.records.Book`."""
        async with transaction(self._sessions) as session:
            await session.execute(update(TrainingRow).where(TrainingRow.id == number).values(is_told=True))

    async def usual_seconds(self, persona: str) -> float | None:
        """See `bot.training.records.Book`."""
        done = (TrainingRow.persona == persona) & (TrainingRow.phase == Phase.DONE)
        query = select(TrainingRow.seconds).where(done).order_by(TrainingRow.id.desc()).limit(1)
        async with transaction(self._sessions) as session:
            return await session.scalar(query)


async def _is_next(session: AsyncSession, row: TrainingRow) -> bool:
    """Whether nothing is under way, and nothing of the same persona came later: the trainer knows the last one only."""
    later = (TrainingRow.id > row.id) & (TrainingRow.persona == row.persona)
    return await session.scalar(select(TrainingRow.id).where(or_(UNDER_WAY, later)).limit(1)) is None


def _training(row: TrainingRow) -> Training:
    return Training(
        row.id,
        Order(row.persona, row.admin, row.message, row.language),
        Phase(row.phase),
        row.pid,
        row.run,
        row.crashes,
        row.seconds,
        Verdict.model_validate_json(row.verdict) if row.verdict else None,
        row.note,
    )
