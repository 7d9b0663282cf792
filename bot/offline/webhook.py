"""Delivery of updates to a webhook on this machine."""

import asyncio
import re
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from bot.offline.errors import BadRequestError
from bot.offline.updates import UpdateQueue

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
FIRST_RETRY_SECONDS = 0.25
LONGEST_RETRY_SECONDS = 8.0
ANSWER_SECONDS = 60


@dataclass(slots=True)
class Webhook:
    """Where updates are delivered to, and what went wrong last."""

    url: str
    secret_token: str = ""
    max_connections: int = 40
    last_error_date: int = 0
    last_error_message: str = ""


class WebhookDelivery:
    """Posts the updates of a queue one by one, each until it is accepted with a 2xx status."""

    def __init__(self, updates: UpdateQueue) -> None:
        self._updates = updates
        self._task: asyncio.Task[None] | None = None
        self.webhook: Webhook | None = None

    def start(self) -> None:
        """Begins to deliver, if a webhook is set."""
        if self.webhook and self._task is None:
            self._updates.ask_for()
            self._task = asyncio.create_task(self._deliver(self.webhook))

    async def stop(self) -> None:
        """Stops delivering; the webhook stays set."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def set(self, webhook: Webhook | None) -> None:
        """Delivers to another place from now on, or nowhere."""
        await self.stop()
        self.webhook = webhook
        self.start()

    def as_json(self) -> dict[str, Any]:
        """What getWebhookInfo shows."""
        info: dict[str, Any] = {
            "url": self.webhook.url if self.webhook else "",
            "has_custom_certificate": False,
            "pending_update_count": len(self._updates),
        }
        if self.webhook:
            info["max_connections"] = self.webhook.max_connections
            if self.webhook.last_error_date:
                info["last_error_date"] = self.webhook.last_error_date
                info["last_error_message"] = self.webhook.last_error_message
        return info | ({"allowed_updates": self._updates.allowed} if self._updates.allowed else {})

    async def _deliver(self, webhook: Webhook) -> None:
        wait = FIRST_RETRY_SECONDS
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(ANSWER_SECONDS)) as session:
            while True:
                update = await self._updates.first()
                if await self._accepted(session, webhook, update):
                    self._updates.confirm(update["update_id"] + 1)
                    wait = FIRST_RETRY_SECONDS
                else:
                    await asyncio.sleep(wait)
                    wait = min(2 * wait, LONGEST_RETRY_SECONDS)

    async def _accepted(self, session: aiohttp.ClientSession, webhook: Webhook, update: dict[str, Any]) -> bool:
        headers = {"X-Telegram-Bot-Api-Secret-Token": webhook.secret_token} if webhook.secret_token else {}
        try:
            async with session.post(webhook.url, json=update, headers=headers, allow_redirects=False) as answer:
                if 200 <= answer.status < 300:
                    return True
                problem = f"Wrong response from the webhook: {answer.status} {answer.reason}"
        except (aiohttp.ClientError, TimeoutError) as error:
            problem = "Connection refused" if isinstance(error, aiohttp.ClientConnectorError) else "Connection failed"
        webhook.last_error_date, webhook.last_error_message = int(time.time()), problem
        return False


def checked_url(url: str) -> str:
    """A webhook's address. Telegram insists on HTTPS; this server delivers to its own machine only."""
    address = urlsplit(url)
    if address.scheme not in {"http", "https"}:
        raise BadRequestError("bad webhook: An HTTPS URL must be provided for webhook")
    if address.hostname not in LOOPBACK:
        raise BadRequestError("bad webhook: the offline Telegram delivers to this machine only")
    return url


def checked_secret(secret: str) -> str:
    """A secret token: up to 256 letters, digits, underscores and hyphens."""
    if len(secret) > 256:
        raise BadRequestError("secret token is too long")
    if not re.fullmatch(r"[A-Za-z0-9_-]*", secret):
        raise BadRequestError("secret token contains unallowed characters")
    return secret
