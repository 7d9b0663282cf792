"""Updates as Telegram gives them: one that the library cannot read is left out, and does not stand before the others.

The library fails to read all of what it was given if it cannot read one update, asks for the same again at once, and
writes all of it into the log.
"""

import logging
from typing import Any

from telegram import Bot, Update
from telegram.request import HTTPXRequest

from bot.transport.addressing import owner_of

HIGHEST_ID = 2**63 - 1
JsonObject = dict[str, Any]

log = logging.getLogger(__name__)


def update_of(data: Any, bot: Bot | None) -> Update:
    """The update in what JSON has given. Raises ValueError, which quotes nothing of it."""
    try:
        update = Update.de_json(data, bot)
        update.to_json()  # As the inbox does to keep it.
        owner_of(update)  # As the order of work does, before anything is handled.
    except Exception as error:  # Whatever the library makes of what is no update.
        raise ValueError(f"is no update ({type(error).__name__})") from None
    if not _is_number(update.update_id):
        raise ValueError("is an update without a number")
    return update


class Fetching(HTTPXRequest):
    """The request by which updates are asked for."""

    @staticmethod
    def parse_json_payload(payload: bytes) -> JsonObject:
        """The answer of Telegram; an update in it that cannot be read has nothing but its number any more."""
        answer = HTTPXRequest.parse_json_payload(payload)
        if isinstance(answer.get("result"), list):
            answer["result"] = [part for update in answer["result"] for part in _readable(update)]
        return answer


def _readable(data: Any) -> list[JsonObject]:
    try:
        update_of(data, None)
    except ValueError as error:
        number = data.get("update_id") if isinstance(data, dict) else None
        log.error("Update %s is left out: what Telegram sent %s", number if _is_number(number) else "?", error)
        # With its number it can be confirmed, so that Telegram does not send it again.
        return [{"update_id": number}] if _is_number(number) else []
    return [data]


def _is_number(value: object) -> bool:
    return type(value) is int and 0 <= value <= HIGHEST_ID
