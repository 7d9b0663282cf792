"""What a call that failed tells: whether Telegram has perhaps carried it out, and when to try again."""

from datetime import timedelta

import httpx
from telegram.error import RetryAfter, TelegramError

UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)  # No request was written.


def perhaps_sent(error: TelegramError) -> bool:
    """Whether the request may have reached Telegram although no answer came back."""
    return isinstance(error.__cause__, httpx.HTTPError) and not isinstance(error.__cause__, UNSENT)


def unsent(error: TelegramError) -> bool:
    """Whether the request has not even left: the network is down, or the server is."""
    return isinstance(error.__cause__, UNSENT)


def seconds_asked(error: TelegramError) -> float:
    """How long Telegram wants to be left alone."""
    if not isinstance(error, RetryAfter):
        return 0.0
    asked = error.retry_after
    return asked.total_seconds() if isinstance(asked, timedelta) else asked
