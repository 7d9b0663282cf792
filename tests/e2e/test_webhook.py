"""Updates by webhook over real HTTP: nothing is lost, and nobody but Telegram is listened to."""

import json
import sqlite3
from typing import Any

import aiohttp
import pytest

from bot.app import build
from bot.errors import SettingsError
from bot.settings import load_settings
from bot.transport.polling import UPDATES
from bot.transport.webhook import SECRET_HEADER
from tests.bot.actors import ScriptedActor
from tests.e2e.stage import TOKEN, Stage

SECRET = "only-telegram-knows"
LATER = "Sorry, I cannot think straight right now. I will answer as soon as I can."
DONE = "SELECT count(*) FROM inbox WHERE state = 'done'"


def settings(port: int) -> dict[str, Any]:
    """What makes a bot take its updates by webhook."""
    url = f"http://127.0.0.1:{port}/telegram"
    return {"webhook_url": url, "webhook_secret": SECRET, "webhook_port": port}


def environment(port: int) -> dict[str, str]:
    return {key.upper(): str(value) for key, value in settings(port).items()}


async def webhook_info(stage: Stage, http: aiohttp.ClientSession) -> dict[str, Any]:
    async with http.get(f"{stage.server.base_url}{TOKEN}/getWebhookInfo") as answer:
        found: dict[str, Any] = (await answer.json())["result"]
        return found


async def call(http: aiohttp.ClientSession, port: int, body: bytes, **headers: str) -> int:
    async with http.post(f"http://127.0.0.1:{port}/telegram", data=body, headers=headers) as answer:
        return answer.status


async def test_messages_are_delivered_and_answered_in_order(
    stage: Stage, port: int, http: aiohttp.ClientSession
) -> None:
    async with stage.bot(ScriptedActor(), **settings(port)):
        for number in range(10):
            await stage.say(f"message {number}")
        assert await stage.answers(10) == [f"You said: message {number}" for number in range(10)]
        info = await webhook_info(stage, http)
    assert info["url"] == f"http://127.0.0.1:{port}/telegram"
    assert (info["max_connections"], info["allowed_updates"]) == (1, sorted(UPDATES))
    assert "last_error_message" not in info


async def test_a_call_without_the_secret_is_refused_and_leaves_no_trace(
    stage: Stage, port: int, http: aiohttp.ClientSession
) -> None:
    chat = {"id": 1, "type": "private", "first_name": "Ned"}
    update = {"update_id": 7, "message": {"message_id": 1, "date": 1700000000, "chat": chat, "text": "Hello"}}
    body = json.dumps(update).encode()
    actor = ScriptedActor()
    async with stage.bot(actor, **settings(port)):
        await stage.eventually(lambda: stage.server.world.updates.was_asked_for)
        assert await call(http, port, body) == 403
        assert await call(http, port, body, **{SECRET_HEADER: "only-telegram-know"}) == 403
        assert await call(http, port, body, **{SECRET_HEADER: "Привет"}) == 403
        assert await call(http, port, b"nonsense") == 403
        assert stage.rows("SELECT * FROM inbox") == []
        assert await call(http, port, body, **{SECRET_HEADER: SECRET}) == 200
        assert stage.rows("SELECT update_id FROM inbox") == [(7,)]
    assert actor.heard() in ([], [["Hello"]])


async def test_a_body_that_is_no_update_is_refused_with_one_line_that_quotes_nothing(
    stage: Stage, port: int, http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    async with stage.bot(ScriptedActor(), **settings(port)):
        await stage.eventually(lambda: stage.server.world.updates.was_asked_for)
        caplog.clear()
        for body in (b"private words", b"[]", b"{}", b'{"update_id": 7, "message": "private words"}'):
            assert await call(http, port, body, **{SECRET_HEADER: SECRET}) == 400
        lines = [record for record in caplog.records if record.name.startswith(("bot", "aiohttp", "telegram"))]
        await stage.say("Hello")
        assert await stage.answers(1) == ["You said: Hello"]
    assert [record.getMessage().partition(":")[0] for record in lines] == ["A call of the webhook was refused"] * 4
    assert "private words" not in caplog.text


async def test_no_update_is_confirmed_before_it_is_on_disk(
    stage: Stage,
    port: int,
    http: aiohttp.ClientSession,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("bot.storage.database.PRAGMAS", ("busy_timeout=100", "journal_mode=WAL", "foreign_keys=ON"))
    monkeypatch.setattr("bot.inbox.STORE_RETRY_SECONDS", 0.1)
    async with stage.bot(ScriptedActor(), **settings(port)):
        await stage.say("one")
        await stage.rows_become(DONE, [(1,)])
        other = sqlite3.connect(stage.database, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        await stage.say("two")
        await stage.eventually(lambda: "The inbox waits" in caplog.text)
        assert (await webhook_info(stage, http))["pending_update_count"] == 1
        other.execute("ROLLBACK")
        other.close()
        assert (await stage.answers(3))[1:] == [LATER, "You said: two"]
        assert (await webhook_info(stage, http))["pending_update_count"] == 0


async def test_messages_in_hand_when_the_process_is_killed_are_answered_after_a_restart(
    stage: Stage, port: int
) -> None:
    async with stage.process(PACE="0.3", **environment(port)) as bot:
        for text in ("one", "two", "three"):
            await stage.say(text)
        await stage.answers(1)
        await bot.kill()
    await stage.say("four")
    async with stage.process(**environment(port)) as bot:
        await stage.rows_become(DONE, [(4,)])
        answers = await stage.answers(4)
        assert await bot.stop() == 0
    assert list(dict.fromkeys(answers)) == [f"You said: {text}" for text in ("one", "two", "three", "four")]
    assert len(answers) <= 5
    assert "Traceback" not in bot.log


async def test_going_back_to_polling_removes_the_webhook_and_loses_nothing(
    stage: Stage, port: int, http: aiohttp.ClientSession
) -> None:
    async with stage.bot(ScriptedActor(), **settings(port)):
        await stage.say("one")
        await stage.answers(1)
    await stage.say("two")
    assert (await webhook_info(stage, http))["pending_update_count"] == 1
    async with stage.bot(ScriptedActor()):
        assert (await stage.answers(2))[1] == "You said: two"
        assert (await webhook_info(stage, http))["url"] == ""
    await stage.say("three")
    async with stage.bot(ScriptedActor(), **settings(port)):
        assert (await stage.answers(3))[2] == "You said: three"


async def test_it_starts_although_the_webhook_cannot_be_set_yet(
    stage: Stage, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.transport.webhook.RETRY_SECONDS", 0.1)
    await stage.fault("500", method="setWebhook", count=2)
    async with stage.bot(ScriptedActor(), **settings(port)):
        await stage.say("Hello")
        assert await stage.answers(1) == ["You said: Hello"]


async def test_a_port_that_is_taken_and_an_address_that_telegram_refuses_are_named(stage: Stage, port: int) -> None:
    taken = int(stage.server.url.rpartition(":")[2])
    given = {"telegram_bot_token": TOKEN, "telegram_base_url": stage.server.url}
    given |= {"database_url": f"sqlite+aiosqlite:///{stage.database}"}
    for changes, words in (
        ({"webhook_port": taken}, rf"^WEBHOOK_LISTEN, WEBHOOK_PORT: cannot listen on 127\.0\.0\.1:{taken}: Address"),
        ({"webhook_url": "https://bot.example.org/"}, r"^WEBHOOK_URL: Telegram does not accept it: Bad webhook"),
    ):
        app = build(load_settings(**given, **settings(port) | changes), actor=ScriptedActor())
        with pytest.raises(SettingsError, match=words) as caught:
            await app.run()
        assert "\n" not in str(caught.value)
        assert SECRET not in str(caught.value)
