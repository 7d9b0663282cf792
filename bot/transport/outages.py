"""What a call that failed tells: whether Telegram has perhaps carried it out, and when to try again."""

from datetime import timedelta

import aiohttp
import httpx
from telegram.error import RetryAfter, TelegramError, TimedOut

# No request was written. The others of the two clients are raised after that.
UNSENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
UNSENT_BY_PROXY = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
MOST_TIMED_OUT, MOST_CUT_OFF = 2, 6  # How often at most a message is sent that nobody confirms.
FAILURES = (aiohttp.ClientError, TimeoutError, httpx.HTTPError)


def perhaps_sent(error: TelegramError) -> bool:
    """Whether the request may have reached Telegram although no answer came back."""
    return isinstance(error.__cause__, FAILURES) and not unsent(error)


def is_enough(error: TelegramError, doubts: int) -> bool:
    """Whether a message is left at that which was perhaps sent `doubts` times, the last time with this error.

    When Telegram is slow, it has mostly taken what timed out. Where connections are cut, it has mostly not: all of the
    pool's may be dead. An answer that is lost is worse than one that is there twice.
    """
    return doubts >= (MOST_TIMED_OUT if isinstance(error, TimedOut) else MOST_CUT_OFF)


def unsent(error: TelegramError) -> bool:
    """Whether the request has not even left: the network is down, or the server is."""
    return isinstance(error.__cause__, (*UNSENT, *UNSENT_BY_PROXY))


def seconds_asked(error: TelegramError) -> float:
    """How long Telegram wants to be left alone."""
    if not isinstance(error, RetryAfter):
        return 0.0
    asked = error.retry_after
    return asked.total_seconds() if isinstance(asked, timedelta) else asked
