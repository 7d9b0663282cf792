"""Updates as Telegram gives them: one that the library cannot read is left out, and does not stand before the others.

The library fails to read all of what it was given if it cannot read one update, asks for the same again at once, and
writes all of it into the log.
"""

import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Any

from telegram import Bot, Update
from telegram.request import BaseRequest

from bot.transport.addressing import owner_of

HIGHEST_ID = 2**63 - 1
JsonObject = dict[str, Any]
Record = Callable[[Sequence[tuple[Update, str]]], Awaitable[None]]

log = logging.getLogger(__name__)


def update_of(data: Any, bot: Bot | None) -> Update:
    """The update in what JSON has given. Raises ValueError, which quotes nothing of it."""
    try:
        update = Update.de_json(data, bot)
        hash((owner_of(update), update.effective_chat))  # As the order of work does, before anything is handled.
    except Exception as error:  # Whatever the library makes of what is no update.
        raise ValueError(f"is no update ({type(error).__name__})") from None
    if not is_number(update.update_id):
        raise ValueError("is an update without a number")
    return update


class Fetching(BaseRequest):
    """The request by which updates are asked for: what has come is on record before the library sees any of it.

    An update that cannot be read has nothing but its number any more. `record` commits all the others at once. With the
    `bot`, which is built with this request, an update can be answered while it waits to be committed.
    """

    bot: Bot | None = None

    def __init__(self, request: BaseRequest, record: Record) -> None:
        self._request = request
        self._record = record

    @property
    def read_timeout(self) -> float | None:
        """See `telegram.request.BaseRequest`, as for the methods below."""
        return self._request.read_timeout

    async def initialize(self) -> None:
        await self._request.initialize()

    async def shutdown(self) -> None:
        await self._request.shutdown()

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        status, body = await self._request.do_request(*args, **kwargs)
        return (status, await self._kept(body)) if status == HTTPStatus.OK else (status, body)

    async def _kept(self, body: bytes) -> bytes:
        answer = self.parse_json_payload(body)
        found = answer.get("result")
        if not isinstance(found, list) or not found:
            return body
        readable = [part for data in found for part in _readable(data, self.bot)]
        await self._record([(update, json.dumps(data)) for data, update in readable])
        return json.dumps({**answer, "result": [data for data, _update in readable]}).encode()


def _readable(data: Any, bot: Bot | None) -> list[tuple[JsonObject, Update]]:
    try:
        return [(data, update_of(data, bot))]
    except ValueError as error:
        number = data.get("update_id") if isinstance(data, dict) else None
        log.error("Update %s is left out: what Telegram sent %s", number if is_number(number) else "?", error)
        # With its number it can be confirmed, so that Telegram does not send it again.
        return [({"update_id": number}, Update(number))] if isinstance(number, int) and is_number(number) else []


def is_number(value: object) -> bool:
    """Whether this is a number as Telegram gives them to updates and messages, and the database holds them."""
    return type(value) is int and 0 <= value <= HIGHEST_ID
