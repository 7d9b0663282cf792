"""Flood control: calls keep within Telegram's limits on messages, and what need not be does not use them up."""

from collections.abc import Callable, Coroutine
from typing import Any

from telegram.error import RetryAfter
from telegram.ext import AIORateLimiter

WHERE_THERE_IS_ROOM = -1  # As `rate_limit_args` of a call that is better left out than waited for.
FREELY = -2  # The same of a call that only asks whether a message is there.
ROOM = 5  # Messages to a group that are always left for answers, of the 20 a minute that Telegram allows.
ROOM_AGAIN_SECONDS = 3
UNLIMITED = ("sendChatAction", "sendMessageDraft")  # These are no messages either.

Result = bool | dict[str, Any] | list[dict[str, Any]]


class FloodControl(AIORateLimiter):
    """Keeps within Telegram's limits on messages, which "typing" and drafts are not.

    Where Telegram limits a chat all the same, RetryAfter is raised and the others go on. It is also raised where a
    call is to be made only WHERE_THERE_IS_ROOM, and there is none.
    """

    async def process_request(  # The signature is the library's.
        self,
        callback: Callable[..., Coroutine[Any, Any, Result]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: int | None,
    ) -> Result:
        if endpoint in UNLIMITED or rate_limit_args == FREELY:
            return await callback(*args, **kwargs)
        if "chat_id" not in data:
            return await super().process_request(callback, args, kwargs, endpoint, data, rate_limit_args)
        if rate_limit_args == WHERE_THERE_IS_ROOM:
            rate_limit_args = None
            if not self._has_room(data["chat_id"]):
                raise RetryAfter(ROOM_AGAIN_SECONDS)
        limits: list[RetryAfter] = []

        async def attempt(*args: Any, **kwargs: Any) -> Result:
            try:
                return await callback(*args, **kwargs)
            except RetryAfter as error:  # The library would hold up every chat if it saw this.
                limits.append(error)
                return False

        result = await super().process_request(attempt, args, kwargs, endpoint, data, rate_limit_args)
        if limits:
            raise limits[0]
        return result

    def _has_room(self, chat_id: int) -> bool:
        """Whether one more call leaves enough of a group's messages for answers; private chats are not counted."""
        return chat_id > 0 or self._get_group_limiter(chat_id).has_capacity(ROOM + 1)
