"""The queries of the review, and on what it has accepted."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from bot.chat_service import Line, Mode
from bot.feedback import Verdict
from bot.review import CONTEXT, Case, Lesson
from bot.storage.tables import Chat, Message, Opinion, Review
from bot.storage.transaction import Sessions, transaction


class SqlDesk:
    """See `bot.review.Desk`; each call is a transaction. Raises StorageError if the database is not available."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def next(self, after: int = 0) -> Case | None:
        """See `bot.review.Desk`."""
        query = _undecided().where(Opinion.id > after).order_by(Opinion.id).limit(1)
        async with transaction(self._sessions) as session:
            row = (await session.execute(query)).first()
            return await _case(session, *row) if row else None

    async def decide(self, number: int, receipt: int, accept: bool) -> bool:
        """See `bot.review.Desk`."""
        state = Review.ACCEPTED if accept else Review.REJECTED
        new = update(Opinion).where(Opinion.state == Review.NEW).values(state=state)
        shown = new.where(Opinion.id == number, Opinion.receipt == receipt, Opinion.verdict != Verdict.WITHDRAWN)
        async with transaction(self._sessions) as session:
            # The condition is part of the change: of two at the same moment, one finds nothing to change.
            row = (await session.execute(shown.returning(Opinion.message, Opinion.verdict))).first()
            if row is None:
                return False
            message, verdict = row
            if verdict == Verdict.LIKED:
                await session.execute(new.where(Opinion.message == message, Opinion.verdict == Verdict.LIKED))
        return True

    async def lessons(self) -> list[Lesson]:
        """Everything that was accepted, in the order of the verdicts; an answer that several like is there once."""
        query = _answers().where(Opinion.state == Review.ACCEPTED, or_(_is_liked(), _is_corrected()))
        async with transaction(self._sessions) as session:
            rows = (await session.execute(query.order_by(Opinion.id))).all()
            liked: set[int] = set()
            lessons = []
            for opinion, answer in rows:
                if opinion.verdict == Verdict.LIKED and answer.id in liked:
                    continue
                liked |= {answer.id} if opinion.verdict == Verdict.LIKED else set()
                lessons.append(await _lesson(session, opinion, answer))
        return lessons


def _answers() -> Select[Opinion, Message]:
    return select(Opinion, Message).join(Message, Opinion.message == Message.id)


def _undecided() -> Select[Opinion, Message]:
    """Corrections, and of all the likes of an answer the first, unless it was decided about one of them already."""
    other = aliased(Opinion)
    settled = or_(other.state != Review.NEW, other.id < Opinion.id)
    same = and_(other.message == Opinion.message, other.verdict == Verdict.LIKED, settled, other.id != Opinion.id)
    first_like = and_(_is_liked(), ~exists().where(same))
    return _answers().where(Opinion.state == Review.NEW, or_(first_like, _is_corrected()))


def _is_liked() -> ColumnElement[bool]:
    return Opinion.verdict == Verdict.LIKED


def _is_corrected() -> ColumnElement[bool]:
    return and_(Opinion.verdict == Verdict.DISLIKED, Opinion.correction.is_not(None))


async def _case(session: AsyncSession, opinion: Opinion, answer: Message) -> Case:
    query = select(Opinion.verdict, func.count()).where(Opinion.message == answer.id).group_by(Opinion.verdict)
    counts = {verdict: int(count) for verdict, count in (await session.execute(query)).all()}
    return Case(
        opinion.id,
        opinion.receipt,
        await _context(session, answer),
        Line(answer.speaker, answer.text, is_character=True),
        counts.get(Verdict.LIKED, 0),
        counts.get(Verdict.DISLIKED, 0),
        opinion.correction,
    )


async def _lesson(session: AsyncSession, opinion: Opinion, answer: Message) -> Lesson:
    context = await _context(session, answer)
    text = answer.text if opinion.correction is None else opinion.correction
    return Lesson(context, answer.speaker, text, answer.version, opinion.correction is not None)


async def _context(session: AsyncSession, answer: Message) -> Sequence[Line]:
    """The lines before an answer, its question last; of what was reset before the last time nothing is known."""
    question = await session.get(Message, answer.question) if answer.question else None
    if question is None:
        return []
    asked = Line(question.speaker, question.text)
    if question.mode != Mode.DIALOGUE:
        return [asked]
    reset = await session.scalar(select(Chat.reset_after).where(Chat.id == question.chat)) or 0
    query = (
        select(Message.speaker, Message.text, Message.is_character)
        .where(Message.chat == question.chat, Message.mode == Mode.DIALOGUE, Message.is_shown)
        .where(Message.id < question.id, Message.id > (reset if reset < question.id else 0))
        .order_by(Message.id.desc())
        .limit(CONTEXT - 1)
    )
    rows = (await session.execute(query)).all()
    return [*(Line(*row) for row in reversed(rows)), asked]
