"""A proxy on the way to Telegram: everything goes through it, and its password is seen by nobody else."""

import base64
import json
import sys
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from bot.app import build
from bot.errors import SettingsError
from bot.settings import load_settings
from tests.bot.actors import ScriptedActor
from tests.e2e.stage import TOKEN, Stage

USER, PASSWORD = "ned", "hush-hush"
NOWHERE = "http://telegram.invalid"


class Proxy:
    """Passes requests to `telegram.invalid` on to the offline Telegram, and keeps who asked for what."""

    def __init__(self, target: str, http: aiohttp.ClientSession) -> None:
        self._target = target
        self._http = http
        self.asked: set[tuple[str, str]] = set()
        self.port = 0

    async def forward(self, request: web.Request) -> web.Response:
        self.asked.add((request.headers.get("Proxy-Authorization", ""), request.path.rpartition("/")[2]))
        kind = {"Content-Type": request.headers["Content-Type"]} if "Content-Type" in request.headers else {}
        url, body = f"{self._target}{request.raw_path.removeprefix(NOWHERE)}", await request.read()
        async with self._http.request(request.method, url, data=body, headers=kind) as answer:
            return web.Response(status=answer.status, body=await answer.read(), content_type=answer.content_type)


@pytest.fixture
async def proxy(stage: Stage) -> AsyncIterator[Proxy]:
    async with aiohttp.ClientSession() as http:
        forwarding = Proxy(stage.server.url, http)
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", forwarding.forward)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.5)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        forwarding.port = runner.addresses[0][1]
        yield forwarding
        await runner.cleanup()


async def test_all_calls_go_through_the_proxy_and_its_password_is_in_no_log_line(stage: Stage, proxy: Proxy) -> None:
    url = f"http://{USER}:{PASSWORD}@127.0.0.1:{proxy.port}"
    given = {"TELEGRAM_BASE_URL": NOWHERE, "PROXY_URL": url, "LOG_LEVEL": "DEBUG", "LOG_FORMAT": "json"}
    async with stage.process(**given) as bot:
        await stage.say("fail")
        await stage.answers(1)
        assert await bot.stop() == 0
    credentials = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    assert {(credentials, method) for method in ("getMe", "getUpdates", "sendMessage")} <= proxy.asked
    lines = [json.loads(line) for line in bot.log.splitlines()]
    assert all({"time", "level", "logger", "message"} <= set(line) for line in lines)
    (exception,) = [line["exception"] for line in lines if "exception" in line]
    assert "RuntimeError: no answer from" in exception
    for secret in (PASSWORD, credentials, TOKEN):
        assert secret not in bot.log


async def test_a_socks_proxy_without_the_package_for_it_is_one_line_that_names_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)
    settings = load_settings(telegram_bot_token=TOKEN, proxy_url="socks5://ned:hidden@127.0.0.1:1080")
    with pytest.raises(SettingsError, match=r"^PROXY_URL: .*pip install socksio$"):
        build(settings, actor=ScriptedActor())
