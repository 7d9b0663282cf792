"""Groups that become supergroups: they go on under another number, and what is sent to the old one goes to the new."""

import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from telegram.error import BadRequest, ChatMigrated

from bot.transport.flood_control import UNLIMITED, FloodControl, Result

log = logging.getLogger(__name__)

Move = Callable[[int, int], Awaitable[None]]  # What is on record of a group, from its old number to the new one.


class Forwarding(FloodControl):
    """Flood control that sends on to the supergroup what is meant for the group that it was.

    An answer may be the first to learn of it, so `move` is awaited before. A supergroup counts its messages anew: by
    the same number it has another one, so only those that were sent on can be changed there.
    """

    def __init__(self, move: Move, max_retries: int, messages_per_second: float) -> None:
        super().__init__(overall_max_rate=messages_per_second, max_retries=max_retries)
        self._move = move
        self._sent_on: set[tuple[int, int]] = set()  # Old numbers of groups, and the messages sent on from there.

    async def process_request(  # The signature is the library's.
        self,
        callback: Callable[..., Coroutine[Any, Any, Result]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: int | None,
    ) -> Result:
        try:
            return await super().process_request(callback, args, kwargs, endpoint, data, rate_limit_args)
        except ChatMigrated as error:
            old, new = int(data["chat_id"]), error.new_chat_id
            log.info("A group has become a supergroup: %s goes to %d", endpoint, new)
            if endpoint not in UNLIMITED:
                await self._move(old, new)
            data = self._forwarded(data, old, new)
        result = await super().process_request(callback, (endpoint, data), kwargs, endpoint, data, rate_limit_args)
        if isinstance(result, dict) and "message_id" in result:
            self._sent_on.add((old, result["message_id"]))
        return result

    def _forwarded(self, data: dict[str, Any], old: int, new: int) -> dict[str, Any]:
        """The arguments of a call, for the supergroup. Raises BadRequest where they name a message of the group."""
        if "message_ids" in data or ("message_id" in data and (old, data["message_id"]) not in self._sent_on):
            raise BadRequest("the message is in the group that this supergroup was")
        return {name: value for name, value in data.items() if name != "reply_parameters"} | {"chat_id": new}
