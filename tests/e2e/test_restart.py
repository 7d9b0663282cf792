"""Stops and crashes of a real process: no message is lost, no order is swapped."""

import signal
from collections import Counter

import pytest

from tests.e2e.stage import Stage

UNFINISHED = "SELECT count(*) FROM inbox WHERE state IN ('received', 'answered')"


async def test_messages_in_hand_when_the_process_is_killed_are_answered_after_a_restart(stage: Stage) -> None:
    users, texts = range(1, 6), ["one", "two", "three"]
    async with stage.process(PACE="0.3", MAX_CONCURRENT_REPLIES="2") as bot:
        for text in texts:
            for user in users:
                await stage.say(text, user=user)
        await stage.answers(1)
        await bot.kill()
    assert stage.rows(UNFINISHED) != [(0,)]
    async with stage.process():
        for user in users:
            await stage.answers(len(texts), user)
        await stage.rows_become(UNFINISHED, [(0,)])
        answers = {user: await stage.answers(len(texts), user) for user in users}
    expected = [f"You said: {text}" for text in texts]
    for heard in answers.values():
        assert list(dict.fromkeys(heard)) == expected
        assert max(Counter(heard).values()) <= 2
    assert sum(map(len, answers.values())) <= len(users) * len(texts) + 1  # At most one is doubled by a kill.
    assert stage.rows("PRAGMA integrity_check") == [("ok",)]


async def test_messages_sent_while_the_bot_was_dead_are_answered_after_it_comes_back(stage: Stage) -> None:
    async with stage.process() as bot:
        await stage.say("one")
        await stage.rows_become("SELECT state FROM inbox", [("done",)])
        await bot.kill()
    await stage.say("two")
    async with stage.process():
        assert await stage.answers(2) == ["You said: one", "You said: two"]


async def test_an_update_that_kills_the_process_three_times_is_set_aside_and_the_admins_told(stage: Stage) -> None:
    async with stage.process() as bot:
        await stage.say("Hello", user=9)
        await stage.rows_become("SELECT state FROM inbox", [("done",)])
        await stage.say("die", user=1)
        assert await bot.ended() == -signal.SIGKILL
    for _ in range(2):
        async with stage.process() as bot:
            assert await bot.ended() == -signal.SIGKILL
    async with stage.process(ADMIN_IDS="9") as bot:
        assert await stage.answers(1) == ["Sorry, something went wrong on my side. Please try again in a moment."]
        await stage.rows_become("SELECT state FROM inbox ORDER BY update_id", [("done",), ("failed",)])
        assert "ended three times" in (await stage.answers(2, chat=9))[1]
        await stage.say("still there?", user=1)
        assert (await stage.answers(2))[1] == "You said: still there?"
        await bot.kill()
    assert "ended three times" in bot.log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_told_to_stop_it_finishes_what_is_in_hand_and_exits_cleanly(stage: Stage, number: int) -> None:
    async with stage.process(PACE="0.5") as bot:
        await stage.say("Hello")
        await stage.typing_is_shown()
        assert await bot.stop(number) == 0
    assert await stage.answers(1) == ["You said: Hello"]
    assert stage.rows("SELECT state FROM inbox") == [("done",)]
    assert "Traceback" not in bot.log


async def test_what_does_not_fit_into_the_grace_time_waits_for_the_next_start(stage: Stage) -> None:
    async with stage.process(PACE="60", SHUTDOWN_GRACE="0.2") as bot:
        await stage.say("Hello")
        await stage.typing_is_shown()
        assert await bot.stop() == 0
    assert "1 messages stay in the inbox" in bot.log
    assert stage.rows("SELECT state, attempts FROM inbox") == [("received", 0)]
    async with stage.process():
        assert await stage.answers(1) == ["You said: Hello"]


async def test_it_stops_at_once_while_telegram_cannot_be_reached(stage: Stage) -> None:
    await stage.fault("drop", method="getMe", count=1000)
    async with stage.process() as bot:
        await stage.eventually(lambda: "cannot be reached" in bot.log)
        assert await bot.stop() == 0
