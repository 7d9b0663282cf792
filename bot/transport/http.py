"""Calls of Telegram over HTTP: by aiohttp, or by httpx, as the library itself does, behind a proxy.

A call by httpx takes eight times the processor time of one by aiohttp, more than all else that a message costs. But it
knows more kinds of proxies.
"""

from typing import Any
from urllib.request import getproxies

import aiohttp
import httpx
from telegram.error import NetworkError, TimedOut
from telegram.request import BaseRequest, HTTPXRequest, RequestData

FORM = "application/x-www-form-urlencoded"
Seconds = Any  # As the library gives them: a number, None for no limit, or a mark for the default.


class DirectRequest(BaseRequest):
    """The library's requests, each for `seconds` at most until there is an answer; updates may be waited for longer."""

    def __init__(self, connections: int, seconds: float) -> None:
        self._connections = connections
        self._seconds = seconds
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float | None:
        """Seconds without an answer."""
        return self._seconds

    async def initialize(self) -> None:
        """Open the connections' pool, if it is not open."""
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=self._connections, ssl=httpx.create_ssl_context())
            headers = {"User-Agent": self.USER_AGENT}
            self._session = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), headers=headers
            )

    async def shutdown(self) -> None:
        """Close it."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Seconds = BaseRequest.DEFAULT_NONE,
        write_timeout: Seconds = BaseRequest.DEFAULT_NONE,
        connect_timeout: Seconds = BaseRequest.DEFAULT_NONE,
        pool_timeout: Seconds = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """The status and the body of an answer. Raises TimedOut and NetworkError."""
        if self._session is None:
            raise RuntimeError("this request is not initialized")
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=self._or_default(connect_timeout), sock_read=self._or_default(read_timeout)
        )
        body, headers = _encoded(request_data)
        try:
            async with self._session.request(method, url, data=body, headers=headers, timeout=timeout) as answer:
                return answer.status, await answer.read()
        except TimeoutError as error:
            raise TimedOut from error
        except aiohttp.ClientError as error:
            raise NetworkError(f"{type(error).__name__}: {error}") from error

    def _or_default(self, given: Seconds) -> float | None:
        return self._seconds if given is BaseRequest.DEFAULT_NONE else given


def build_request(connections: int, seconds: float, proxy: str | None) -> BaseRequest:
    """A request for the library's bot. Raises RuntimeError where a package is missing that the proxy needs."""
    if proxy or {"http", "https", "all"} & getproxies().keys():
        return HTTPXRequest(connections, proxy=proxy, read_timeout=seconds, connect_timeout=seconds)
    return DirectRequest(connections, seconds)


def _encoded(data: RequestData | None) -> tuple[Any, dict[str, str]]:
    """The body of a request, and its headers."""
    if data is None:
        return None, {}
    if not data.contains_files:
        return data.url_encoded_parameters().encode(), {"Content-Type": FORM}
    form = aiohttp.FormData(data.json_parameters)
    for name, (filename, content, kind) in data.multipart_data.items():
        form.add_field(name, content, filename=filename, content_type=kind)
    return form, {}
