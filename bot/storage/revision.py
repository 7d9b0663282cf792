"""The queries on the last exchange of a dialogue: its answers, which one is shown, and taking it back."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.chat_service import Conversation, Exchange, Line, Mode
from bot.second_thoughts import Piece
from bot.storage.exchanges import DIALOGUE, LINES, PIECE, PIECE_ANSWERED_BY, Said, lines, piece_of
from bot.storage.repository import SqlUnitOfWork
from bot.storage.tables import Chat, Message
from bot.storage.transaction import UNAVAILABLE, unavailable

LAST_QUESTION = DIALOGUE.with_only_columns(Message.id).where(Message.is_character.is_(False)).limit(1)
LINES_BEFORE = LINES.where(Message.id < bindparam("before")).limit(bindparam("count"))


class SqlRevision(SqlUnitOfWork):
    """One transaction; see `bot.second_thoughts.Revision`. Raises StorageError if the database is not available.

    Here a session reads and changes, and what a unit of work has collected is done in its transaction.
    """

    _session: AsyncSession

    async def __aenter__(self) -> Self:
        self._session = self._sessions()
        return await super().__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()  # Rolls back what was not committed.
        if isinstance(error, UNAVAILABLE):
            raise unavailable(error) from error

    async def commit(self) -> None:
        await self._session.run_sync(lambda session: self._write(session.connection()))
        await self._session.commit()

    async def last_piece(self, conversation: Conversation) -> Piece | None:
        number = await self._session.scalar(LAST_QUESTION, await self._dialogue(conversation))
        return await self._piece(number)

    async def piece(self, conversation: Conversation, number: int) -> Piece | None:
        query = (
            select(Message.id)
            .join(Chat, Message.chat == Chat.id)
            .where(Chat.chat_id == conversation.chat_id, Chat.thread_id == conversation.thread_id)
            .where(Message.id == number, Message.mode == Mode.DIALOGUE, Message.is_character.is_(False))
        )
        return await self._piece(await self._session.scalar(query))

    async def piece_answered_by(self, receipt: int) -> Piece | None:
        values = {"receipt": receipt}
        return piece_of(await self._sessions.transact(lambda here: here.execute(PIECE_ANSWERED_BY, values).all()))

    async def context_before(self, conversation: Conversation, piece: Piece, limit: int) -> list[Line]:
        values = {**await self._dialogue(conversation), "before": piece.id, "count": limit}
        return lines((await self._session.execute(LINES_BEFORE, values)).all())

    async def add_answer(self, piece: Piece, exchange: Exchange) -> None:
        await self._session.execute(update(Message).where(Message.question == piece.id).values(is_shown=False))
        self._said.append(Said(exchange, question=piece.id))

    async def show(self, piece: Piece, number: int) -> None:
        chosen = (await self._answers(piece.id))[number - 1]
        answers = update(Message).where(Message.question == piece.id)
        await self._session.execute(answers.values(is_shown=Message.id == chosen.id))

    async def take_back(self, piece: Piece) -> None:
        both = update(Message).where(or_(Message.id == piece.id, Message.question == piece.id))
        await self._session.execute(both.values(is_shown=False))

    async def replace(self, conversation: Conversation, piece: Piece, exchange: Exchange) -> None:
        await self.take_back(piece)
        self._said.append(Said(exchange, conversation, answered_in=piece.answered_in))

    async def _piece(self, question: int | None) -> Piece | None:
        return piece_of((await self._session.execute(PIECE, {"question": question})).all()) if question else None

    async def _answers(self, question: int) -> Sequence[Message]:
        query = select(Message).where(Message.question == question).order_by(Message.id)
        return (await self._session.scalars(query)).all()
