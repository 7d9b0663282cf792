"""The queries: what was said (a unit of work for the service), and the rows of the inbox."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, timedelta
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from bot.chat_service import AlreadyAnsweredError, Conversation, Exchange, Line, Mode
from bot.chat_settings import SettingsBook
from bot.personas import Roster
from bot.storage.settings_book import SqlSettingsBook
from bot.storage.tables import Chat, InboxRow, Message, State, now
from bot.storage.transaction import UNAVAILABLE, Sessions, statements, transaction, unavailable


class SqlUnitOfWork:
    """One transaction; see `bot.chat_service.UnitOfWork`. Raises StorageError if the database is not available.

    The `book` has what chats have chosen, and the `roster` tells which character that stands for: the dialogue is the
    one with that character.
    """

    def __init__(self, sessions: Sessions, roster: Roster | None = None, book: SettingsBook | None = None) -> None:
        self._session = sessions()
        self._roster = roster or Roster()
        self._book = book or SqlSettingsBook(sessions)
        self._answered_question: int | None = None  # The question that is answered here.
        self._given: Message | None = None  # The answer to it.

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()  # Rolls back what was not committed.
        if isinstance(error, UNAVAILABLE):
            raise unavailable(error) from error

    async def context(self, conversation: Conversation, limit: int) -> list[Line]:
        return await self._lines((await self._dialogue(conversation)).limit(limit))

    async def remember(self, conversation: Conversation, exchange: Exchange) -> None:
        chat = await self._chat(conversation)
        question = message_of(chat.id, exchange, exchange.question)
        question.message = exchange.message
        self._session.add(question)
        await self._session.flush()  # Ids tell the order: the question's first.
        self._answer(question, message_of(chat.id, exchange, exchange.answer))

    async def forget_context(self, conversation: Conversation) -> None:
        chat = await self._chat(conversation)
        last = await self._session.scalar(select(func.max(Message.id)).where(Message.chat == chat.id))
        chat.reset_after = last or 0

    async def answered(self, receipt: int, answer: str) -> None:
        change = (
            update(InboxRow)
            .where(InboxRow.update_id == receipt, InboxRow.state == State.RECEIVED)
            .values(state=State.ANSWERED, reply=answer, question=self._answered_question)
        )
        received_at = await self._session.scalar(change.returning(InboxRow.received_at))
        if received_at is None:
            raise AlreadyAnsweredError("answered by another process")
        if self._given is not None:
            waited = now() - received_at.replace(tzinfo=received_at.tzinfo or UTC)  # SQLite keeps no zone.
            self._given.waited = max(0.0, waited.total_seconds())

    async def commit(self) -> None:
        await self._session.commit()

    async def _lines(self, newest_first: Select[Message]) -> list[Line]:
        columns = newest_first.with_only_columns(Message.speaker, Message.text, Message.is_character, Message.user_id)
        rows = (await self._session.execute(columns)).all()
        return [Line(*row[:3], person=None if row.is_character else row.user_id) for row in reversed(rows)]

    def _answer(self, question: Message, answer: Message) -> None:
        answer.question = question.id
        self._session.add(answer)
        self._answered_question, self._given = question.id, answer

    async def _dialogue(self, conversation: Conversation) -> Select[Message]:
        """What the dialogue with the present character consists of, newest first."""
        persona = self._roster.resolve((await self._book.read(conversation)).persona)
        return dialogue(conversation).where(func.coalesce(Message.persona, self._roster.default) == persona)

    async def _chat(self, conversation: Conversation) -> Chat:
        key = {"chat_id": conversation.chat_id, "thread_id": conversation.thread_id}
        chat = await self._session.scalar(select(Chat).filter_by(**key))
        if chat is None:
            chat = Chat(**key)
            self._session.add(chat)
            await self._session.flush()
        return chat


def dialogue(conversation: Conversation) -> Select[Message]:
    """What the dialogues with all characters consist of, newest first."""
    return (
        select(Message)
        .join(Chat, Message.chat == Chat.id)
        .where(Chat.chat_id == conversation.chat_id, Chat.thread_id == conversation.thread_id)
        .where(Message.mode == Mode.DIALOGUE, Message.id > Chat.reset_after, Message.is_shown)
        .order_by(Message.id.desc())
    )


def message_of(chat: int, exchange: Exchange, line: Line) -> Message:
    """One of the two lines of an exchange, as a new row."""
    return Message(
        chat=chat,
        mode=exchange.mode,
        is_character=line.is_character,
        speaker=line.speaker,
        text=line.text,
        version=exchange.version if line.is_character else "",
        persona=exchange.persona or None,
        user_id=exchange.person,
    )


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An update that was left behind. `reply` is its answer, if it was made already; see `InboxRow`."""

    update_id: int
    payload: str
    reply: str | None
    parts_sent: int
    attempts: int
    shown_in: int | None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the answer to a question stands: the numbers of the messages that hold it, in order."""

    question: int
    messages: Sequence[int]


# Their numbers come back, but for those that are there already.
ADD_UPDATES = {
    dialect.dialect.name: dialect.insert(InboxRow).on_conflict_do_nothing().returning(InboxRow.update_id)
    for dialect in (sqlite, postgresql)
}


class InboxRepository:
    """The rows of the inbox; each call is a transaction. Raises StorageError if the database is not available."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def add(self, payloads: Mapping[int, str]) -> set[int]:
        """Put updates on record, by their numbers; returns which of them were not there already."""
        rows = [{"update_id": number, "payload": payload} for number, payload in payloads.items()]
        async with statements(self._sessions) as connection:
            add = ADD_UPDATES[connection.dialect.name]
            return set((await connection.scalars(add, rows)).all())

    async def unfinished(self, update_id: int | None = None) -> list[Unfinished]:
        """What is still to be answered or sent, in the order of arrival; all of it, or one update."""
        columns = (InboxRow.update_id, InboxRow.payload, InboxRow.reply, InboxRow.parts_sent, InboxRow.attempts)
        query = select(*columns, InboxRow.shown_in).where(InboxRow.state.in_([State.RECEIVED, State.ANSWERED]))
        if update_id is not None:
            query = query.where(InboxRow.update_id == update_id)
        async with self._transaction() as session:
            rows = (await session.execute(query.order_by(InboxRow.received_at, InboxRow.update_id))).all()
        return [Unfinished(row[0], row[1] or "{}", *row[2:]) for row in rows]

    async def finish(self, update_id: int, state: State, standing: Standing | None = None) -> None:
        """Close a row, and drop the texts in it."""
        await self._change(update_id, standing, state=state, payload=None, reply=None, question=None, shown_in=None)

    async def begin_again(self, update_id: int) -> None:
        """Count one more attempt, before it is made."""
        await self._change(update_id, attempts=InboxRow.attempts + 1)

    async def show_in(self, update_id: int, message: int) -> None:
        """Remember the message in which the answer is being written."""
        await self._change(update_id, shown_in=message)

    async def part_sent(self, update_id: int, parts: int, standing: Standing | None = None) -> None:
        """Remember that the first `parts` messages of a reply have gone out."""
        await self._change(update_id, standing, parts_sent=parts)

    async def forgive(self) -> None:
        """Forget all attempts: this process ends in good order."""
        async with self._transaction() as session:
            await session.execute(update(InboxRow).where(InboxRow.attempts > 0).values(attempts=0))

    async def prune(self, age: timedelta) -> None:
        """Delete closed rows that were received longer ago than `age`."""
        async with self._transaction() as session:
            closed = InboxRow.state.in_([State.DONE, State.FAILED])
            await session.execute(delete(InboxRow).where(closed, InboxRow.received_at < now() - age))

    async def _change(self, update_id: int, standing: Standing | None = None, **values: Any) -> None:
        async with self._transaction() as session:
            await session.execute(update(InboxRow).where(InboxRow.update_id == update_id).values(**values))
            if standing:
                stands = update(Message).where(Message.id == standing.question)
                await session.execute(stands.values(answered_in=list(standing.messages)))

    def _transaction(self) -> AbstractAsyncContextManager[AsyncSession]:
        return transaction(self._sessions)
