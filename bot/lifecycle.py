"""One run of the bot, from the first connection to Telegram to the clean stop."""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any, Protocol

from telegram.error import InvalidToken, NetworkError, RetryAfter

from bot.chat_order import ChatOrder
from bot.errors import SettingsError
from bot.handlers import AnyApplication
from bot.inbox import Inbox
from bot.transport.menus import Menus

log = logging.getLogger(__name__)

RETRY_SECONDS = 5.0


class Intake(Protocol):
    """A way by which updates come into the inbox."""

    async def start(self) -> None:
        """Begin to take updates. Raises SettingsError, and what Telegram answers, if that cannot be."""
        ...

    async def ended(self) -> None:
        """Return, or raise, when it has come to an end by itself."""
        ...

    async def stop(self, deadline: float) -> None:
        """Take no more; what is being taken may take until `deadline`, a time of the event loop's clock."""
        ...


class Companion(Protocol):
    """Work that goes on beside the answers, from the connection to Telegram on."""

    def start(self) -> None: ...
    async def stop(self, deadline: float) -> None:
        """Come to an end by `deadline`, a time of the event loop's clock."""
        ...


class Lifecycle:
    """Connects, takes up what was left behind, takes and answers updates, and stops.

    `grace` is how many seconds the work in hand may take once it is told to stop.
    """

    def __init__(
        self,
        application: AnyApplication,
        inbox: Inbox,
        order: ChatOrder,
        menus: Menus,
        intake: Intake,
        companions: Sequence[Companion],
        grace: float,
    ) -> None:
        self._application = application
        self._inbox = inbox
        self._order = order
        self._menus = menus
        self._intake = intake
        self._companions = companions
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
        await _unless(stop, self._menus.announce(self._application.bot))
        if left_over := await self._inbox.restore(self._application.bot):
            log.info("%d messages were left in the inbox; they are answered first", left_over)
        await self._application.start()
        for companion in self._companions:
            companion.start()
        if await _unless(stop, self._intake.start()):
            log.info("Taking messages for @%s", self._application.bot.username)
            await _unless(stop, self._intake.ended())

    async def _connect(self) -> None:
        while True:
            try:
                return await self._application.initialize()
            except (NetworkError, RetryAfter) as error:
                log.warning("Telegram cannot be reached (%s); next attempt in %g s", error, RETRY_SECONDS)
                await asyncio.sleep(RETRY_SECONDS)

    async def _shut_down(self) -> None:
        deadline = asyncio.get_running_loop().time() + self._grace
        stopping = [companion.stop(deadline) for companion in self._companions]
        await asyncio.gather(self._stop_answering(deadline), *stopping)
        await self._inbox.leave()
        await self._application.shutdown()
        await self._application.bot.shutdown()  # Open already where initialize did not come to its end.

    async def _stop_answering(self, deadline: float) -> None:
        await self._intake.stop(deadline)
        await self._finish_work(deadline)

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
