"""The query for answers that were given."""

from sqlalchemy import func, select

from bot.chat_service import Conversation
from bot.origins import Answer
from bot.storage.tables import Chat, Message
from bot.storage.transaction import Sessions, transaction


class AnswerRepository:
    """Implements `bot.origins.Answers`. Raises StorageError if the database is not available."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def answer(self, conversation: Conversation, part: str | None = None) -> Answer | None:
        """See `bot.origins.Answers`."""
        query = (
            select(Message.text, Message.version, func.coalesce(Message.persona, ""))
            .join(Chat, Message.chat == Chat.id)
            .where(Chat.chat_id == conversation.chat_id, Chat.thread_id == conversation.thread_id)
            .where(Message.is_character, Message.is_shown)
        )
        if part is not None:  # A long answer was sent in several messages.
            query = query.where(Message.text.contains(part, autoescape=True)).order_by(Message.text != part)
        async with transaction(self._sessions) as session:
            row = (await session.execute(query.order_by(Message.id.desc()).limit(1))).first()
        return Answer(*row) if row else None
