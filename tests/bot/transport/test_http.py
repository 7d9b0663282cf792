"""Calls over HTTP: what is sent arrives, and what fails tells whether it was perhaps sent."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from telegram import InputFile
from telegram.error import NetworkError, TimedOut
from telegram.request import HTTPXRequest, RequestData
from telegram.request._requestparameter import RequestParameter

from bot.transport.http import DirectRequest, build_request
from bot.transport.outages import MOST_CUT_OFF, MOST_TIMED_OUT, is_enough, perhaps_sent, unsent

Fields = dict[str, Any]


class Server:
    """Keeps the fields that come, and does what its path says."""

    def __init__(self) -> None:
        self.fields: Fields = {}
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        posted = await request.post()
        self.fields = {
            name: value.file.read() if isinstance(value, web.FileField) else value for name, value in posted.items()
        }
        if request.path == "/drop":
            assert request.transport is not None, "the client waits"
            request.transport.abort()
        if request.path == "/wait":
            await asyncio.Event().wait()
        return web.Response(status=409, body=b"{}")


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    found, app = Server(), web.Application()
    app.router.add_route("*", "/{path:.*}", found.take)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = "http://{}:{}".format(*runner.addresses[0])
    yield found
    await runner.cleanup()


@pytest.fixture
async def request_of_ours() -> AsyncIterator[DirectRequest]:
    found = DirectRequest(connections=1, seconds=20)
    await found.initialize()
    yield found
    await found.shutdown()


def data(**values: Any) -> RequestData:
    return RequestData([RequestParameter.from_input(name, value) for name, value in values.items()])


async def test_fields_and_files_arrive_and_the_status_comes_back(
    server: Server, request_of_ours: DirectRequest
) -> None:
    fields = {"chat_id": 7, "text": "Grüße & 🎷", "reply_markup": {"keyboard": []}}
    assert await request_of_ours.do_request(server.url, "POST", data(**fields)) == (409, b"{}")
    assert server.fields == {"chat_id": "7", "text": "Grüße & 🎷", "reply_markup": '{"keyboard": []}'}
    await request_of_ours.do_request(server.url, "POST", data(chat_id=7, photo=InputFile(b"\x89PNG", "a.png")))
    assert server.fields == {"chat_id": "7", "photo": b"\x89PNG"}


async def test_a_connection_that_is_dropped_leaves_it_open_whether_the_call_was_carried_out(
    server: Server, request_of_ours: DirectRequest
) -> None:
    with pytest.raises(NetworkError) as caught:
        await request_of_ours.do_request(f"{server.url}/drop", "POST", data(text="Hi"))
    assert perhaps_sent(caught.value)
    assert not unsent(caught.value)
    assert [is_enough(caught.value, doubts) for doubts in (1, MOST_TIMED_OUT, MOST_CUT_OFF)] == [False, False, True]


async def test_so_does_an_answer_that_does_not_come(server: Server, request_of_ours: DirectRequest) -> None:
    with pytest.raises(TimedOut) as caught:
        await request_of_ours.do_request(f"{server.url}/wait", "POST", data(text="Hi"), read_timeout=0.05)
    assert perhaps_sent(caught.value)
    assert [is_enough(caught.value, doubts) for doubts in (1, MOST_TIMED_OUT)] == [False, True]


async def test_where_nobody_listens_nothing_was_sent(unused_tcp_port: int, request_of_ours: DirectRequest) -> None:
    with pytest.raises(NetworkError) as caught:
        await request_of_ours.do_request(f"http://127.0.0.1:{unused_tcp_port}", "POST", data(text="Hi"))
    assert unsent(caught.value)
    assert not perhaps_sent(caught.value)


@pytest.mark.parametrize("key", ["HTTPS_PROXY", "ALL_PROXY"])
def test_a_proxy_of_the_environment_is_used_as_well(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("NO_PROXY", "localhost")
    assert isinstance(build_request(1, 20, None), DirectRequest)
    monkeypatch.setenv(key, "http://127.0.0.1:3128")
    assert isinstance(build_request(1, 20, None), HTTPXRequest)
