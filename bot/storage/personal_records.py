"""The queries on what is held about a person; see `bot.personal_data.Records`.

A new table or column with people's words in it belongs into `said`, `judged`, `waiting` or `announced`, and into
`forget`; a test names them. What they have chosen is in `chosen`.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import takewhile

from sqlalchemy import ColumnElement, and_, delete, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.personal_data import Announced, Chosen, Claim, Judged, Said, Waiting
from bot.storage.erasure import empty_log, rebuild
from bot.storage.tables import Broadcast, Chat, ChatChoices, InboxRow, Message, Opinion, Recipient, State
from bot.storage.transaction import Sessions, transaction


class PersonalRecords:
    """Reads and deletes in the tables of the bot. Raises StorageError if the database is not available."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def said(self, claim: Claim) -> Sequence[Said]:
        query = select(Message, Chat.chat_id, Chat.thread_id).join(Chat, Message.chat == Chat.id)
        async with transaction(self._sessions) as session:
            rows = (await session.execute(query.where(_meant(claim)).order_by(Message.id))).all()
        return [_said(message, chat, topic) for message, chat, topic in rows]

    async def judged(self, claim: Claim) -> Sequence[Judged]:
        query = (
            select(Opinion, Chat.chat_id, Chat.thread_id)
            .join(Message, Opinion.message == Message.id)
            .join(Chat, Message.chat == Chat.id)
            .where(_judged_by(claim))
        )
        async with transaction(self._sessions) as session:
            rows = (await session.execute(query.order_by(Opinion.id))).all()
        return [
            Judged(_utc(opinion.created_at), chat, topic, opinion.verdict, opinion.correction, opinion.state)
            for opinion, chat, topic in rows
        ]

    async def waiting(self, claim: Claim) -> Sequence[Waiting]:
        async with transaction(self._sessions) as session:
            rows = await _unfinished(session, claim)
        return [Waiting(_utc(row.received_at), json.loads(row.payload or "{}"), row.reply) for row in rows]

    async def chosen(self, claim: Claim) -> Sequence[Chosen]:
        query = select(ChatChoices).where(ChatChoices.chat_id == claim.person).order_by(ChatChoices.thread_id)
        async with transaction(self._sessions) as session:
            rows = (await session.scalars(query)).all() if claim.chat_id is None else []
        return [
            Chosen(row.chat_id, row.thread_id, row.persona, row.creativity, row.length, row.language) for row in rows
        ]

    async def announced(self, claim: Claim) -> Sequence[Announced]:
        if claim.chat_id is not None:
            return []
        own = select(Broadcast.created_at, Broadcast.text, Broadcast.stage).where(Broadcast.admin == claim.person)
        coming = select(Broadcast.created_at, literal(None), Recipient.state)
        coming = coming.join(Broadcast, Recipient.broadcast == Broadcast.id).where(Recipient.chat_id == claim.person)
        async with transaction(self._sessions) as session:
            rows = [*(await session.execute(own)).all(), *(await session.execute(coming)).all()]
        return [Announced(_utc(time), text, state) for time, text, state in rows]

    async def forget(self, claim: Claim, request: int) -> None:
        async with transaction(self._sessions) as session:
            # Closed first: who is making an answer right now finds the row closed, and leaves no trace of it.
            # What came in after the request is the beginning of something new.
            for row in takewhile(lambda row: row.update_id != request, await _unfinished(session, claim)):
                row.state, row.payload, row.reply = State.DONE, None, None
            await session.flush()
            judged = select(Opinion.id).join(Message, Opinion.message == Message.id)
            judged = judged.join(Chat, Message.chat == Chat.id).where(_judged_by(claim))
            await session.execute(delete(Opinion).where(Opinion.id.in_(judged)))
            meant = select(Message.id).join(Chat, Message.chat == Chat.id).where(_meant(claim))
            await session.execute(delete(Message).where(Message.id.in_(meant)))
            if claim.chat_id is None:
                await session.execute(delete(Chat).where(Chat.chat_id == claim.person))
                await session.execute(delete(ChatChoices).where(ChatChoices.chat_id == claim.person))
                await session.execute(delete(Recipient).where(Recipient.chat_id == claim.person))
                await session.execute(delete(Broadcast).where(Broadcast.admin == claim.person))
        await rebuild(self._sessions)

    async def sweep(self) -> None:
        await empty_log(self._sessions)


def _meant(claim: Claim) -> ColumnElement[bool]:
    # Lines from before this column was there have no person; in a group nobody can tell whose they are.
    theirs = Message.user_id == claim.person
    if claim.chat_id is None:
        return or_(theirs, Chat.chat_id == claim.person)  # A private chat has its person's id.
    return and_(theirs, Chat.chat_id == claim.chat_id)


def _judged_by(claim: Claim) -> ColumnElement[bool]:
    theirs = Opinion.user_id == claim.person
    return theirs if claim.chat_id is None else and_(theirs, Chat.chat_id == claim.chat_id)


def _said(message: Message, chat: int, topic: int) -> Said:
    return Said(
        _utc(message.created_at),
        chat,
        topic,
        message.mode,
        message.speaker,
        message.is_character,
        message.version,
        message.persona,
        message.text,
    )


async def _unfinished(session: AsyncSession, claim: Claim) -> list[InboxRow]:
    query = select(InboxRow).where(InboxRow.state.in_([State.RECEIVED, State.ANSWERED]))
    rows = await session.scalars(query.order_by(InboxRow.received_at, InboxRow.update_id))
    return [row for row in rows if _comes_from(row.payload, claim)]


def _comes_from(payload: str | None, claim: Claim) -> bool:
    """Whether an update, as Telegram's JSON, is the person's, and from the chat if there is one in the claim."""
    try:
        update = json.loads(payload or "{}")
    except ValueError:
        return False
    content = next((part for part in update.values() if isinstance(part, dict)), {})
    sender = content.get("from") or content.get("user") or {}
    chat = (content.get("message") or content).get("chat") or {}
    return sender.get("id") == claim.person and claim.chat_id in (None, chat.get("id"))


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)  # SQLite keeps no zone.
