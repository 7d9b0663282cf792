"""The queries on what chats have chosen."""

from bot.chat_service import Conversation
from bot.chat_settings import Attention, ChatSettings, Creativity, Length, Manner
from bot.storage.tables import ChatChoices
from bot.storage.transaction import Sessions, transaction


class SqlSettingsBook:
    """Implements `bot.chat_settings.SettingsBook`. Raises StorageError if the database is not available."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def read(self, conversation: Conversation) -> ChatSettings:
        """See `bot.chat_settings.SettingsBook`."""
        key = conversation.chat_id, conversation.thread_id
        async with transaction(self._sessions) as session:
            row = await session.get(ChatChoices, key)
        return settings_of(row) if row else ChatSettings()

    async def write(self, conversation: Conversation, settings: ChatSettings) -> None:
        """See `bot.chat_settings.SettingsBook`."""
        row = ChatChoices(
            chat_id=conversation.chat_id,
            thread_id=conversation.thread_id,
            persona=settings.persona,
            creativity=settings.manner.creativity,
            length=settings.manner.length,
            language=settings.language,
            attention=settings.attention,
        )
        async with transaction(self._sessions) as session:
            await session.merge(row)


def settings_of(row: ChatChoices) -> ChatSettings:
    """What a row says."""
    manner = Manner(Creativity(row.creativity), Length(row.length))
    return ChatSettings(row.persona, manner, row.language, Attention(row.attention))
