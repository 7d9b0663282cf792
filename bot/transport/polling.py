"""Taking updates from Telegram by asking for them, again and again."""

import asyncio
import logging
from contextlib import suppress

from telegram.constants import UpdateType
from telegram.error import Conflict, InvalidToken, TelegramError

from bot.handlers import AnyApplication

log = logging.getLogger(__name__)

UPDATES = [
    UpdateType.MESSAGE,
    UpdateType.EDITED_MESSAGE,
    UpdateType.CALLBACK_QUERY,
    UpdateType.MESSAGE_REACTION,
    UpdateType.INLINE_QUERY,
]
POLLING_TASK = "Updater:start_polling:polling_task"


class Polling:
    """Fetches updates with the library's updater. A webhook that was set before is removed; what waits is kept."""

    def __init__(self, application: AnyApplication) -> None:
        self._application = application

    async def start(self) -> None:
        """Begin to fetch, as soon as Telegram can be reached."""
        assert self._application.updater is not None, "built with an updater"
        await self._application.updater.start_polling(
            bootstrap_retries=-1, allowed_updates=UPDATES, drop_pending_updates=False, error_callback=_log_polling_error
        )

    async def ended(self) -> None:
        """Return, or raise, when the library's polling ends by itself: only an invalid token makes it."""
        polling = [task for task in asyncio.all_tasks() if task.get_name() == POLLING_TASK]
        await asyncio.gather(*map(asyncio.shield, polling))

    async def stop(self, deadline: float) -> None:
        """Fetch no more; `deadline` is a time of the event loop's clock."""
        updater = self._application.updater
        if updater and updater.running:
            # The library first waits out its pause after an error, and then tells Telegram what it has received.
            with suppress(TimeoutError, InvalidToken):
                async with asyncio.timeout_at(deadline):
                    await updater.stop()


def _log_polling_error(error: TelegramError) -> None:
    if isinstance(error, Conflict):
        log.error("Another process takes this bot's messages (409 Conflict); stop it. Trying again")
    else:
        log.warning("Messages could not be fetched (%s); trying again", error)
