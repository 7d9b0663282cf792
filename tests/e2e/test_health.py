"""/health: how the bot is, for admins."""

import re

import pytest

from tests.bot.actors import ScriptedActor
from tests.e2e.stage import Stage

ADMIN = 99


async def test_an_admin_sees_at_one_glance_how_the_bot_is(stage: Stage) -> None:
    actor = ScriptedActor()
    async with stage.bot(actor, admin_ids=str(ADMIN), max_concurrent_replies=1):
        actor.gate.clear()
        for user in (1, 2):
            await stage.say("Hello", user=user)
        await actor.until_busy(1)
        await stage.rows_become("SELECT count(*) FROM inbox WHERE state = 'received'", [(2,)])
        await stage.say("/health", user=ADMIN)
        (text,) = await stage.answers(1, ADMIN)
        actor.gate.set()
        await stage.answers(1, chat=1)
        await stage.answers(1, chat=2)
    lines = [re.sub("^(✅|⚠️) ", "", line) for line in text.split("\n")]
    assert lines[0].startswith("Understudy 0.")
    assert lines[1] == "On stage: lisa (test-1)"
    assert lines[2] == "Messages: 2 without an answer yet, 0 to be sent, 0 failed"
    assert lines[3].startswith("Answers: 1 being made, ")
    assert re.fullmatch(r"Database: [\d.]+ [kM]B; free on the disk: [\d.]+ [MG]B", lines[4])
    assert len(lines) == 7


async def test_a_failure_is_seen_in_it(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    async with stage.bot(ScriptedActor(RuntimeError("a walrus")), admin_ids=str(ADMIN)):
        await stage.say("Hello")
        await stage.rows_become("SELECT state FROM inbox", [("failed",)])
        await stage.say("/health", user=ADMIN)
        (text,) = await stage.answers(1, ADMIN)
    assert "⚠️ Messages: 0 without an answer yet, 0 to be sent, 1 failed" in text
    assert re.search(r"⚠️ Last errors: \d{4}-\d\d-\d\d \d\d:\d\d UTC \(bot.handlers.failures\)", text)
    assert "walrus" not in text
