"""The queries on the last exchange of a dialogue: its answers, which one is shown, and taking it back."""

from collections.abc import Sequence

from sqlalchemy import or_, select, update

from bot.chat_service import Conversation, Exchange, Line, Mode
from bot.feedback import Verdict
from bot.second_thoughts import Piece
from bot.storage.repository import SqlUnitOfWork, message_of
from bot.storage.tables import Chat, InboxRow, Message, Opinion


class SqlRevision(SqlUnitOfWork):
    """One transaction; see `bot.second_thoughts.Revision`. Raises StorageError if the database is not available."""

    async def last_piece(self, conversation: Conversation) -> Piece | None:
        query = (await self._dialogue(conversation)).where(Message.is_character.is_(False)).limit(1)
        return await self._piece(await self._session.scalar(query))

    async def piece(self, conversation: Conversation, number: int) -> Piece | None:
        query = (
            select(Message)
            .join(Chat, Message.chat == Chat.id)
            .where(Chat.chat_id == conversation.chat_id, Chat.thread_id == conversation.thread_id)
            .where(Message.id == number, Message.mode == Mode.DIALOGUE, Message.is_character.is_(False))
        )
        return await self._piece(await self._session.scalar(query))

    async def piece_answered_by(self, receipt: int) -> Piece | None:
        query = select(Message).join(InboxRow, InboxRow.question == Message.id).where(InboxRow.update_id == receipt)
        return await self._piece(await self._session.scalar(query))

    async def context_before(self, conversation: Conversation, piece: Piece, limit: int) -> list[Line]:
        return await self._lines((await self._dialogue(conversation)).where(Message.id < piece.id).limit(limit))

    async def add_answer(self, piece: Piece, exchange: Exchange) -> None:
        question = await self._session.get_one(Message, piece.id)
        await self._session.execute(update(Message).where(Message.question == piece.id).values(is_shown=False))
        self._answer(question, message_of(question.chat, exchange, exchange.answer))

    async def show(self, piece: Piece, number: int) -> None:
        chosen = (await self._answers(piece.id))[number - 1]
        answers = update(Message).where(Message.question == piece.id)
        await self._session.execute(answers.values(is_shown=Message.id == chosen.id))

    async def take_back(self, piece: Piece) -> None:
        lines = update(Message).where(or_(Message.id == piece.id, Message.question == piece.id))
        await self._session.execute(lines.values(is_shown=False))

    async def replace(self, conversation: Conversation, piece: Piece, exchange: Exchange) -> None:
        await self.take_back(piece)
        await self.remember(conversation, exchange)
        question = await self._session.get_one(Message, self._answered_question)
        question.answered_in = list(piece.answered_in)

    async def _piece(self, question: Message | None) -> Piece | None:
        if question is None:
            return None
        answers = await self._answers(question.id)
        shown = [number for number, answer in enumerate(answers, 1) if answer.is_shown]
        disliked = await self._disliked(answers)
        return Piece(
            question.id,
            Line(question.speaker, question.text),
            tuple(answer.text for answer in answers),
            shown[0] if shown else 0,
            question.user_id,
            question.message,
            tuple(question.answered_in or ()),
            frozenset(number for number, answer in enumerate(answers, 1) if answer.id in disliked),
            Mode(question.mode),
        )

    async def _disliked(self, answers: Sequence[Message]) -> set[int]:
        query = select(Opinion.message).where(Opinion.verdict == Verdict.DISLIKED)
        ids = [answer.id for answer in answers]
        return set(await self._session.scalars(query.where(Opinion.message.in_(ids))))

    async def _answers(self, question: int) -> Sequence[Message]:
        query = select(Message).where(Message.question == question).order_by(Message.id)
        return (await self._session.scalars(query)).all()
