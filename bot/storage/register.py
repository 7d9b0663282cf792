"""The query that every update costs; see `bot.arrivals`."""

from typing import cast

from sqlalchemy import BindParameter, Connection, and_, bindparam, exists, literal, or_, select

from bot.arrivals import Arrival
from bot.chat_service import Conversation
from bot.chat_settings import ChatSettings
from bot.gate import Visitor
from bot.storage.settings_book import settings_of
from bot.storage.tables import Ban, Chat, ChatChoices, Opinion
from bot.storage.transaction import Sessions

CHOICES = ChatChoices.__table__
CHAT: BindParameter[int] = bindparam("chat")
THREAD: BindParameter[int] = bindparam("thread")
SENDER: BindParameter[int] = bindparam("sender")
LOOK_UP = select(
    exists().where(or_(Ban.id == SENDER, Ban.id == CHAT)).label("is_banned"),
    exists().where(Chat.chat_id == CHAT, Chat.unreachable_since.is_not(None)).label("was_lost"),
    exists().where(Opinion.user_id == SENDER, Opinion.asked_in.is_not(None)).label("is_asked"),
    CHOICES,
).select_from(
    select(literal(1).label("one"))
    .subquery()
    .outerjoin(CHOICES, and_(CHOICES.c.chat_id == CHAT, CHOICES.c.thread_id == THREAD))
)


class SqlRegister:
    """Implements `bot.arrivals.Register`. Raises StorageError if the database is not available."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def look_up(self, conversation: Conversation, visitor: Visitor) -> Arrival:
        """See `bot.arrivals.Register`."""
        ids = {"chat": conversation.chat_id, "thread": conversation.thread_id, "sender": visitor.sender_id}

        def work(connection: Connection) -> Arrival:
            row = connection.execute(LOOK_UP, ids).one()
            settings = settings_of(cast(ChatChoices, row)) if row.chat_id is not None else ChatSettings()
            return Arrival(settings, bool(row.is_banned), bool(row.was_lost), bool(row.is_asked))

        return await self._sessions.transact(work)
