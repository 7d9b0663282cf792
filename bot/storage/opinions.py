"""The queries on what people think of answers."""

from datetime import UTC, datetime

from sqlalchemy import Select, String, cast, select, update

from bot.chat_service import Conversation, Mode
from bot.feedback import Opinion, Verdict
from bot.second_thoughts import Piece
from bot.storage import tables
from bot.storage.revision import SqlRevision
from bot.storage.tables import Chat, Message, Review


class SqlOpinions(SqlRevision):
    """One transaction; see `bot.feedback.Opinions`. Raises StorageError if the database is not available."""

    async def exchange(self, chat_id: int, number: int) -> Piece | None:
        found = await self._session.scalar(_questions(chat_id).where(Message.id == number))
        return await self._piece(found.id if found else None)

    async def exchange_in(self, chat_id: int, message: int) -> Piece | None:
        # The list is text to every database; which of the few rows with these digits it is, is seen here.
        like = cast(Message.answered_in, String).contains(str(message))
        rows = await self._session.scalars(_questions(chat_id).where(like).order_by(Message.id.desc()))
        return await self._piece(next((row.id for row in rows if message in (row.answered_in or ())), None))

    async def is_last(self, piece: Piece) -> bool:
        query = select(Chat).join(Message, Message.chat == Chat.id).where(Message.id == piece.id)
        chat = await self._session.scalar(query)
        if chat is None or piece.mode is not Mode.DIALOGUE:
            return False
        last = await self.last_piece(Conversation(chat.chat_id, chat.thread_id))
        return last is not None and last.id == piece.id

    async def opinion(self, piece: Piece, number: int, person: int) -> Opinion | None:
        row = await self._row(piece, number, person)
        return Opinion(Verdict(row.verdict), row.receipt, _utc(row.asked_at)) if row else None

    async def judge(self, piece: Piece, number: int, person: int, opinion: Opinion) -> None:
        row = await self._row(piece, number, person)
        if row is None:
            row = tables.Opinion(message=await self._answer_id(piece, number), user_id=person)
            self._session.add(row)
        row.verdict, row.receipt, row.state = opinion.verdict, opinion.receipt, Review.NEW
        row.correction = row.asked_in = row.asked_at = None
        await self._session.flush()

    async def ask(self, piece: Piece, number: int, person: int, question: int, moment: datetime) -> None:
        await self.end_waiting(person)
        row = await self._row(piece, number, person)
        assert row is not None, "whoever is asked has a verdict"
        row.asked_in, row.asked_at = question, moment

    async def asked_in(self, chat_id: int, person: int, question: int) -> int | None:
        return await self._session.scalar(_asked(chat_id, person).where(tables.Opinion.asked_in == question))

    async def asked_since(self, chat_id: int, person: int, moment: datetime) -> int | None:
        return await self._session.scalar(_asked(chat_id, person).where(tables.Opinion.asked_at >= moment))

    async def correct(self, number: int, words: str, receipt: int) -> None:
        row = await self._session.get_one(tables.Opinion, number)
        row.correction, row.receipt, row.state = words, receipt, Review.NEW
        row.asked_in = None
        await self.end_waiting(row.user_id)

    async def end_waiting(self, person: int) -> None:
        theirs = update(tables.Opinion).where(tables.Opinion.user_id == person)
        await self._session.execute(theirs.values(asked_at=None))

    async def stop_asking(self, chat_id: int, person: int) -> bool:
        waiting = list(await self._session.scalars(_asked(chat_id, person)))
        change = update(tables.Opinion).where(tables.Opinion.id.in_(waiting))
        await self._session.execute(change.values(asked_in=None, asked_at=None))
        return bool(waiting)

    async def _row(self, piece: Piece, number: int, person: int) -> tables.Opinion | None:
        query = select(tables.Opinion).where(
            tables.Opinion.message == await self._answer_id(piece, number), tables.Opinion.user_id == person
        )
        return await self._session.scalar(query)

    async def _answer_id(self, piece: Piece, number: int) -> int:
        return (await self._answers(piece.id))[number - 1].id


def _questions(chat_id: int) -> Select[Message]:
    query = select(Message).join(Chat, Message.chat == Chat.id)
    return query.where(Chat.chat_id == chat_id, Message.is_character.is_(False))


def _asked(chat_id: int, person: int) -> Select[int]:
    return (
        select(tables.Opinion.id)
        .join(Message, tables.Opinion.message == Message.id)
        .join(Chat, Message.chat == Chat.id)
        .where(Chat.chat_id == chat_id, tables.Opinion.user_id == person, tables.Opinion.asked_in.is_not(None))
        .order_by(tables.Opinion.asked_at.desc())
    )


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=moment.tzinfo or UTC) if moment else None  # SQLite keeps no zone.
