"""The addresses for machines: /metrics and /healthz, only where they are asked for."""

import asyncio
import re
import socket
import sqlite3

import aiohttp
import pytest

from bot.app import build
from bot.errors import SettingsError
from bot.settings import Settings, load_settings
from tests.bot.actors import ScriptedActor
from tests.e2e.stage import TOKEN, Stage


def settings(stage: Stage, **more: int) -> Settings:
    url, database = stage.server.url, f"sqlite+aiosqlite:///{stage.database}"
    return load_settings(telegram_bot_token=TOKEN, telegram_base_url=url, database_url=database, **more)


async def get(http: aiohttp.ClientSession, port: int, path: str) -> tuple[int, str]:
    async with http.get(f"http://127.0.0.1:{port}{path}") as answer:
        return answer.status, await answer.text()


async def healthz(http: aiohttp.ClientSession, port: int) -> tuple[int, dict[str, bool]]:
    async with http.get(f"http://127.0.0.1:{port}/healthz") as answer:
        return answer.status, await answer.json()


def value(metrics: str, name: str) -> float:
    """The value of a metric, by its name with its labels."""
    (found,) = re.findall(rf"^{re.escape(name)} (\S+)$", metrics, re.MULTILINE)
    return float(found)


async def test_the_metrics_count_messages_answers_times_and_errors_and_name_nobody(
    stage: Stage, port: int, http: aiohttp.ClientSession
) -> None:
    async with stage.bot(ScriptedActor(RuntimeError("a walrus")), metrics_port=port):
        await stage.say("I keep a walrus", user=987654, first_name="Ottilie")
        await stage.rows_become("SELECT state FROM inbox", [("failed",)])
        await stage.say("Hello", user=2)
        await stage.answers(1, chat=2)
        await stage.rows_become("SELECT count(*) FROM inbox WHERE state = 'done'", [(1,)])
        status, metrics = await get(http, port, "/metrics")
    assert status == 200
    assert value(metrics, "understudy_messages_received_total") == 2
    assert value(metrics, "understudy_messages_answered_total") == 1
    assert value(metrics, "understudy_answer_seconds_count") == 1
    assert value(metrics, 'understudy_answer_seconds_bucket{le="+Inf"}') == 1
    assert value(metrics, "understudy_generation_seconds_count") == 1
    assert value(metrics, "understudy_queue_length") == 0
    assert value(metrics, 'understudy_inbox_messages{state="failed"}') == 1
    assert value(metrics, 'understudy_errors_total{source="bot.handlers.failures"}') == 1
    assert value(metrics, "understudy_database_bytes") >= 4096
    for secret in ("walrus", "Ottilie", "987654", TOKEN):
        assert secret not in metrics


async def test_a_bot_that_can_do_its_work_says_200(stage: Stage, port: int, http: aiohttp.ClientSession) -> None:
    async with stage.bot(ScriptedActor(), metrics_port=port):
        await stage.say("Hello")
        await stage.answers(1)
        assert await healthz(http, port) == (200, {"database": True, "telegram": True, "model": True})
        assert (await get(http, port, "/anything"))[0] == 404


async def test_without_telegram_it_says_503_and_telegram_is_not_asked_each_time(
    stage: Stage, port: int, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage.bot(ScriptedActor(), metrics_port=port):
        await stage.say("Hello")
        await stage.answers(1)
        await stage.fault("500", method="getMe")
        for _ in range(2):
            assert await healthz(http, port) == (503, {"database": True, "telegram": False, "model": True})
        monkeypatch.setattr("bot.upkeep.watch.LATELY_SECONDS", 0.0)
        assert (await healthz(http, port))[0] == 200


async def test_without_the_database_it_says_503_and_tells_the_metrics_that_it_has(
    stage: Stage, port: int, http: aiohttp.ClientSession
) -> None:
    async with stage.bot(ScriptedActor(), metrics_port=port):
        await stage.say("Hello")
        await stage.rows_become("SELECT state FROM inbox", [("done",)])
        with sqlite3.connect(stage.database) as other:
            other.execute("ALTER TABLE inbox RENAME TO mislaid")
        other.close()
        assert (await healthz(http, port)) == (503, {"database": False, "telegram": True, "model": True})
        status, metrics = await get(http, port, "/metrics")
        with sqlite3.connect(stage.database) as other:
            other.execute("ALTER TABLE mislaid RENAME TO inbox")
        other.close()
    assert status == 200
    assert value(metrics, "understudy_messages_received_total") == 1


async def test_a_port_that_is_taken_is_named_with_its_key(stage: Stage) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        app = build(settings(stage, metrics_port=port), actor=ScriptedActor())
        with pytest.raises(SettingsError, match=rf"^METRICS_LISTEN, METRICS_PORT: cannot listen on 127.0.0.1:{port}: "):
            await app.run(asyncio.Event())


async def test_unless_it_is_asked_for_nothing_listens(stage: Stage) -> None:
    assert build(settings(stage), actor=ScriptedActor()).watch is None
