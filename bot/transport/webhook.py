"""Taking updates from Telegram by being called: a small server behind an address that Telegram knows.

The library's own webhook server is not used: it needs one more package, and logs whole messages. A call is answered
with 200 once the inbox has the update on disk; until then Telegram keeps it and calls again.
"""

import asyncio
import hmac
import json
import logging
import os
from contextlib import suppress

from aiohttp import web
from telegram import Bot, Update
from telegram.error import BadRequest, NetworkError, RetryAfter

from bot.errors import SettingsError
from bot.inbox import Inbox
from bot.transport.polling import UPDATES
from bot.transport.updates import update_of

log = logging.getLogger(__name__)

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
RETRY_SECONDS = 5.0
TAKING_SECONDS = 2.0  # What a call may still take when the server stops. An update not on disk by then comes again.
ONE_AT_A_TIME = 1  # Over several connections Telegram's calls overtake each other, and so would a chat's messages.


class Webhook:
    """Has Telegram call `url`, and takes the calls that arrive at the address and port `listen`.

    The path of a call does not matter, as a web server in between may change it; the secret does.
    """

    def __init__(self, bot: Bot, inbox: Inbox, url: str, secret: str, listen: tuple[str, int]) -> None:
        self._bot = bot
        self._inbox = inbox
        self._url = url
        self._secret = secret
        self._listen = listen
        app = web.Application()
        app.add_routes([web.post("/{path:.*}", self._take)])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=TAKING_SECONDS)

    async def start(self) -> None:
        """Listen, then tell Telegram the address. Raises SettingsError if the port, or the address, will not do."""
        await self._runner.setup()
        host, port = self._listen
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            # The error repeats the address in words of its own.
            reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error
            raise SettingsError(f"WEBHOOK_LISTEN, WEBHOOK_PORT: cannot listen on {host}:{port}: {reason}") from None
        await self._announce()

    async def ended(self) -> None:
        """Never: a server does not end by itself."""
        await asyncio.Event().wait()

    async def stop(self, deadline: float) -> None:
        """Take no more calls. The webhook stays set, so that Telegram keeps what comes for the next start."""
        with suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                await self._runner.cleanup()

    async def _announce(self) -> None:
        while True:
            try:
                await self._bot.set_webhook(
                    self._url,
                    secret_token=self._secret,
                    allowed_updates=UPDATES,
                    max_connections=ONE_AT_A_TIME,
                    drop_pending_updates=False,
                )
                return
            except BadRequest as error:  # A kind of NetworkError to the library, but it would not get better.
                raise SettingsError(f"WEBHOOK_URL: Telegram does not accept it: {error}") from None
            except (NetworkError, RetryAfter) as error:
                log.warning("The webhook could not be set (%s); next attempt in %g s", error, RETRY_SECONDS)
                await asyncio.sleep(RETRY_SECONDS)

    async def _take(self, request: web.Request) -> web.Response:
        given = request.headers.get(SECRET_HEADER, "")
        if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), self._secret.encode()):
            raise web.HTTPForbidden
        try:
            update = read_update(await request.read(), self._bot)
        except ValueError as error:
            log.warning("A call of the webhook was refused: %s", error)
            raise web.HTTPBadRequest from None
        await self._inbox.record([(update, (await request.read()).decode("utf-8", "replace"))])
        await self._inbox.put(update)
        return web.Response()


def read_update(body: bytes, bot: Bot) -> Update:
    """The update in the body of a call. Raises ValueError, which quotes nothing of it."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("its body is no JSON") from None
    try:
        return update_of(data, bot)
    except ValueError as error:
        raise ValueError(f"its body {error}") from None
