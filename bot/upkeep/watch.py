"""The watch: a small server beside the bot that tells machines how it is, where the operator has asked for it.

GET /metrics is for Prometheus. GET /healthz answers 200 if the bot can do its work and 503 if not, with a line of JSON.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client.aiohttp import make_aiohttp_handler
from telegram import Bot
from telegram.error import TelegramError

from bot.errors import SettingsError, StorageError
from bot.upkeep.health import Physician
from bot.upkeep.metrics import Metrics

log = logging.getLogger(__name__)

LATELY_SECONDS = 30.0  # How long what Telegram has said about itself is believed.
PATIENCE_SECONDS = 5.0
CLOSING_SECONDS = 1.0


class Watch:
    """Serves both addresses at the address and port `listen`."""

    def __init__(self, metrics: Metrics, physician: Physician, bot: Bot, listen: tuple[str, int]) -> None:
        self._metrics = metrics
        self._physician = physician
        self._line = Line(bot)
        self._listen = listen
        self._show = make_aiohttp_handler(metrics.registry)

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Answer until the block ends. Raises SettingsError if the port will not do."""
        app = web.Application()
        app.add_routes([web.get("/metrics", self._tell_metrics), web.get("/healthz", self._tell_health)])
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=CLOSING_SECONDS)
        await runner.setup()
        try:
            await self._start(runner)
            yield
        finally:
            await runner.cleanup()

    async def _start(self, runner: web.AppRunner) -> None:
        host, port = self._listen
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error
            raise SettingsError(f"METRICS_LISTEN, METRICS_PORT: cannot listen on {host}:{port}: {reason}") from None

    async def _tell_metrics(self, request: web.Request) -> web.StreamResponse:
        try:
            self._metrics.note(await self._physician.examine())
        except StorageError as error:  # What is counted in this process is told all the same.
            log.warning("The metrics are not complete: %s", error)
        return await self._show(request)

    async def _tell_health(self, _request: web.Request) -> web.Response:
        try:
            loaded, database = (await self._physician.examine()).loaded, True
        except StorageError:
            loaded, database = self._physician.loaded, False
        found = {"database": database, "telegram": await self._line.is_open(), "model": bool(loaded)}
        return web.json_response(found, status=200 if all(found.values()) else 503)


class Line:
    """The line to Telegram, tried now and then: whoever asks often does not trouble Telegram as often."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._trying = asyncio.Lock()
        self._last: tuple[float, bool] | None = None

    async def is_open(self) -> bool:
        """Whether Telegram has answered lately."""
        async with self._trying:
            moment = asyncio.get_running_loop().time()
            if self._last is None or moment - self._last[0] >= LATELY_SECONDS:
                self._last = moment, await self._answers()
            return self._last[1]

    async def _answers(self) -> bool:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._bot.get_me()
        except (TelegramError, TimeoutError, RuntimeError):  # The last where the connection is closed already.
            return False
        return True
