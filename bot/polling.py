"""Taking updates from Telegram, from the first connection to the clean stop."""

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from telegram.constants import UpdateType
from telegram.error import Conflict, InvalidToken, NetworkError, RetryAfter, TelegramError

from bot.chat_order import ChatOrder
from bot.errors import SettingsError
from bot.handlers import AnyApplication
from bot.handlers.commands import menu
from bot.inbox import Inbox
from bot.locales import DEFAULT, LANGUAGES, Locales

log = logging.getLogger(__name__)

UPDATES = [UpdateType.MESSAGE, UpdateType.EDITED_MESSAGE, UpdateType.CALLBACK_QUERY]
RETRY_SECONDS = 5.0
POLLING_TASK = "Updater:start_polling:polling_task"


class Polling:
    """One run of the bot. `grace` is how many seconds the work in hand may take once it is told to stop."""

    def __init__(
        self, application: AnyApplication, inbox: Inbox, order: ChatOrder, locales: Locales, grace: float
    ) -> None:
        self._application = application
        self._inbox = inbox
        self._order = order
        self._locales = locales
        self._grace = grace

    async def run(self, stop: asyncio.Event) -> None:
        """Take and answer updates until `stop` is set. Raises SettingsError if Telegram does not accept the token."""
        try:
            await self._run(stop)
        except InvalidToken:
            raise SettingsError("TELEGRAM_BOT_TOKEN: Telegram does not accept this token") from None
        finally:
            await self._shut_down()

    async def _run(self, stop: asyncio.Event) -> None:
        if not await _unless(stop, self._connect()):
            return
        await _unless(stop, self._announce_commands())
        if left_over := await self._inbox.restore(self._application.bot):
            log.info("%d messages were left in the inbox; they are answered first", left_over)
        await self._application.start()
        if await _unless(stop, self._start_polling()):
            log.info("Taking messages for @%s", self._application.bot.username)
            await _unless(stop, _polling_ended())

    async def _connect(self) -> None:
        while True:
            try:
                return await self._application.initialize()
            except (NetworkError, RetryAfter) as error:
                log.warning("Telegram cannot be reached (%s); next attempt in %g s", error, RETRY_SECONDS)
                await asyncio.sleep(RETRY_SECONDS)

    async def _announce_commands(self) -> None:
        try:
            for language in LANGUAGES:
                code = None if language == DEFAULT else language  # No code: for everyone else.
                await self._application.bot.set_my_commands(menu(self._locales.speak(language)), language_code=code)
        except TelegramError as error:
            log.warning("The command menu could not be registered: %s", error)

    async def _start_polling(self) -> None:
        assert self._application.updater is not None, "built with an updater"
        await self._application.updater.start_polling(
            bootstrap_retries=-1, allowed_updates=UPDATES, drop_pending_updates=False, error_callback=_log_polling_error
        )

    async def _shut_down(self) -> None:
        deadline = asyncio.get_running_loop().time() + self._grace
        await self._stop_fetching(deadline)
        await self._finish_work(deadline)
        await self._inbox.leave()
        await self._application.shutdown()
        await self._application.bot.shutdown()  # Open already where initialize did not come to its end.

    async def _stop_fetching(self, deadline: float) -> None:
        updater = self._application.updater
        if updater and updater.running:
            # The library first waits out its pause after an error, and then tells Telegram what it has received.
            with suppress(TimeoutError, InvalidToken):
                async with asyncio.timeout_at(deadline):
                    await updater.stop()

    async def _finish_work(self, deadline: float) -> None:
        if not self._application.running:
            return
        try:
            async with asyncio.timeout_at(deadline):
                await self._application.stop()
        except TimeoutError:
            log.info("%d messages stay in the inbox for the next start", await self._order.abandon())


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Do the work; True if it came to its end, False if `stop` was set first, and the work was cancelled."""
    working = asyncio.create_task(work)
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        if not working.done():
            working.cancel()
    with suppress(asyncio.CancelledError):
        await working
    return not working.cancelled()


async def _polling_ended() -> None:
    """Return, or raise, when the library's polling ends by itself: only an invalid token makes it."""
    polling = [task for task in asyncio.all_tasks() if task.get_name() == POLLING_TASK]
    await asyncio.gather(*map(asyncio.shield, polling))


def _log_polling_error(error: TelegramError) -> None:
    if isinstance(error, Conflict):
        log.error("Another process takes this bot's messages (409 Conflict); stop it. Trying again")
    else:
        log.warning("Messages could not be fetched (%s); trying again", error)
