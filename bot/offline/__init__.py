"""The offline Telegram: a Bot API server on this machine, and a page that looks like a Telegram chat.

Clients talk to it unchanged over HTTP; it knows nothing of the bot that it serves.
"""

from bot.offline.server import OfflineTelegram

__all__ = ["OfflineTelegram"]
