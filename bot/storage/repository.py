"""The queries: what was said (a unit of work for the service), and the rows of the inbox."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib import import_module
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Insert, Update, UpdateBase, bindparam, delete, func, select, update

from bot.chat_service import Conversation, Exchange, Line
from bot.chat_settings import SettingsBook
from bot.personas import Roster
from bot.storage.exchanges import Said, last_lines, reset, store
from bot.storage.settings_book import SqlSettingsBook
from bot.storage.tables import InboxRow, Message, State, now
from bot.storage.transaction import Sessions


class SqlUnitOfWork:
    """One transaction; see `bot.chat_service.UnitOfWork`. Raises StorageError if the database is not available.

    What is to be changed is collected and done at the commit. The `book` has what chats have chosen, and the `roster`
    tells which character that stands for: the dialogue is the one with that character. `newest` tells after which
    message an answer will stand.
    """

    def __init__(
        self,
        sessions: Sessions,
        roster: Roster | None = None,
        book: SettingsBook | None = None,
        newest: Callable[[], int] = lambda: 0,
    ) -> None:
        self._sessions = sessions
        self._roster = roster or Roster()
        self._book = book or SqlSettingsBook(sessions)
        self._newest = newest
        self._forgotten: list[Conversation] = []
        self._said: list[Said] = []
        self._receipt: int | None = None
        self._answer = ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing was changed that was not committed."""

    async def context(self, conversation: Conversation, limit: int) -> list[Line]:
        dialogue = await self._dialogue(conversation)
        return await self._sessions.transact(lambda connection: last_lines(connection, dialogue, limit))

    async def remember(self, conversation: Conversation, exchange: Exchange) -> None:
        self._said.append(Said(exchange, conversation))

    async def forget_context(self, conversation: Conversation) -> None:
        self._forgotten.append(conversation)

    async def answered(self, receipt: int, answer: str) -> None:
        self._receipt, self._answer = receipt, answer

    async def commit(self) -> None:
        """Make the changes. Raises AlreadyAnsweredError."""
        await self._sessions.transact(self._write)

    def _write(self, connection: Connection) -> None:
        for conversation in self._forgotten:
            reset(connection, conversation)
        store(connection, self._said, self._receipt, self._answer, self._newest())

    async def _dialogue(self, conversation: Conversation) -> dict[str, Any]:
        """Which dialogue it is, for the statements on dialogues: the one with the present character."""
        return {
            "chat_id": conversation.chat_id,
            "thread_id": conversation.thread_id,
            "default": self._roster.default,
            "persona": self._roster.resolve((await self._book.read(conversation)).persona),
        }


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An update that was left behind. `reply` is its answer, if it was made already; see `InboxRow`."""

    update_id: int
    payload: str
    reply: str | None
    parts_sent: int
    attempts: int
    shown_in: int | None
    newest: int | None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the answer to a question stands: the numbers of the messages that hold it, in order."""

    question: int
    messages: Sequence[int]


FINISH = (
    update(InboxRow)
    .where(InboxRow.update_id == bindparam("number"))
    .values(state=bindparam("how"), payload=None, reply=None, question=None, shown_in=None, newest=bindparam("known"))
)
STAND = update(Message).where(Message.id == bindparam("asked")).values(answered_in=bindparam("numbers"))


class InboxRepository:
    """The rows of the inbox; each call is a transaction. Raises StorageError if the database is not available."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def add(self, payloads: Mapping[int, str]) -> set[int]:
        """Put updates on record, by their numbers; returns which of them were not there already."""
        rows = [{"update_id": number, "payload": payload} for number, payload in payloads.items()]

        def work(connection: Connection) -> set[int]:
            return set(connection.scalars(_add_updates(connection.dialect.name), rows))

        return await self._sessions.transact(work)

    async def unfinished(self, update_id: int | None = None) -> list[Unfinished]:
        """What is still to be answered or sent, in the order of arrival; all of it, or one update."""
        columns = (InboxRow.update_id, InboxRow.payload, InboxRow.reply, InboxRow.parts_sent, InboxRow.attempts)
        query = select(*columns, InboxRow.shown_in, InboxRow.newest)
        query = query.where(InboxRow.state.in_([State.RECEIVED, State.ANSWERED]))
        if update_id is not None:
            query = query.where(InboxRow.update_id == update_id)
        query = query.order_by(InboxRow.received_at, InboxRow.update_id)
        rows = await self._sessions.transact(lambda connection: connection.execute(query).all())
        return [Unfinished(row[0], row[1] or "{}", *row[2:]) for row in rows]

    async def finish(self, update_id: int, state: State, newest: int = 0, standing: Standing | None = None) -> None:
        """Close a row, and drop the texts in it."""
        await self._change(FINISH, {"number": update_id, "how": state, "known": newest}, standing)

    async def newest(self) -> int:
        """The newest message that was known when a row was changed last; 0 if no row knows any."""
        query = select(func.max(InboxRow.newest))
        return await self._sessions.transact(lambda connection: connection.scalar(query)) or 0

    async def begin_again(self, update_id: int) -> None:
        """Count one more attempt, before it is made."""
        await self._change(_update(update_id).values(attempts=InboxRow.attempts + 1))

    async def show_in(self, update_id: int, message: int) -> None:
        """Remember the message in which the answer is being written."""
        await self._change(_update(update_id).values(shown_in=message))

    async def part_sent(self, update_id: int, parts: int, newest: int = 0, standing: Standing | None = None) -> None:
        """Remember that the first `parts` messages of a reply have gone out."""
        await self._change(_update(update_id).values(parts_sent=parts, newest=newest), standing=standing)

    async def know(self, update_id: int, newest: int) -> None:
        """Remember the newest message: what is still to be sent will stand after it."""
        await self._change(_update(update_id).values(newest=newest))

    async def forgive(self) -> None:
        """Forget all attempts: this process ends in good order."""
        await self._change(update(InboxRow).where(InboxRow.attempts > 0).values(attempts=0))

    async def prune(self, age: timedelta) -> None:
        """Delete closed rows that were received longer ago than `age`."""
        closed = InboxRow.state.in_([State.DONE, State.FAILED])
        await self._change(delete(InboxRow).where(closed, InboxRow.received_at < now() - age))

    async def _change(
        self, change: UpdateBase, values: Mapping[str, Any] | None = None, standing: Standing | None = None
    ) -> None:
        def work(connection: Connection) -> None:
            connection.execute(change, values)
            if standing:
                connection.execute(STAND, {"asked": standing.question, "numbers": list(standing.messages)})

        await self._sessions.transact(work)


@cache
def _add_updates(dialect: str) -> Insert:
    """The numbers come back, but for those that are there already. Each dialect is loaded where it is needed."""
    insert = import_module(f"sqlalchemy.dialects.{dialect}").insert
    add: Insert = insert(InboxRow).on_conflict_do_nothing().returning(InboxRow.update_id)
    return add


def _update(update_id: int) -> Update:
    return update(InboxRow).where(InboxRow.update_id == update_id)
