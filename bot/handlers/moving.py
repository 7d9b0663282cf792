"""A group that becomes a supergroup: Telegram says so in the old chat and in the new one, in either order."""

from telegram import Update
from telegram.ext import ContextTypes

from bot.transport.moved_groups import Move


class Moving:
    """Takes along what is on record."""

    def __init__(self, move: Move) -> None:
        self._move = move

    async def moved(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        """One of the two notices."""
        message = update.effective_message
        assert message is not None, "registered for messages only"
        if message.migrate_to_chat_id:
            await self._move(message.chat_id, message.migrate_to_chat_id)
        elif message.migrate_from_chat_id:
            await self._move(message.migrate_from_chat_id, message.chat_id)
