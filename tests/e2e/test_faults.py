"""Telegram misbehaving: nothing is lost, and nobody sees an error raw."""

import sqlite3

import pytest
from telegram import Message
from telegram.error import Forbidden

from bot.chat_service import Line
from bot.transport.delivery import PAUSES
from bot.transport.outages import MOST_CUT_OFF
from tests.bot.actors import ScriptedActor
from tests.e2e.stage import Stage


@pytest.mark.parametrize("kind", ["500", "drop", "429"])
async def test_an_answer_that_could_not_be_sent_at_once_is_sent_later(stage: Stage, kind: str) -> None:
    actor = ScriptedActor()
    await stage.fault(kind, retry_after=1)
    async with stage.bot(actor):
        await stage.say("Hello")
        assert await stage.answers(1) == ["You said: Hello"]
        await stage.rows_become("SELECT state FROM inbox", [("done",)])
    assert len(actor.histories) == 1


async def test_an_answer_that_finally_fails_is_sent_at_the_next_start_without_being_made_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.transport.delivery.PAUSES", tuple(0.0 for _ in PAUSES))
    await stage.fault("500", count=len(PAUSES) + 1)
    async with stage.bot(ScriptedActor("Hi."), shutdown_grace=0.2):
        await stage.say("Hello")
        await stage.rows_become("SELECT state, reply FROM inbox", [("answered", "Hi.")])
    assert await stage.answers(0) == []
    actor = ScriptedActor()
    async with stage.bot(actor):
        assert await stage.answers(1) == ["Hi."]
    assert actor.histories == []


async def test_an_answer_whose_connections_are_cut_again_and_again_is_not_lost(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.transport.delivery.PAUSES", tuple(0.0 for _ in PAUSES))
    await stage.fault("drop", count=MOST_CUT_OFF - 1)
    async with stage.bot(ScriptedActor()):
        await stage.say("one")
        await stage.rows_become("SELECT state FROM inbox", [("done",)])
    assert await stage.answers(1) == ["You said: one"]


async def test_in_a_group_an_answer_that_nobody_confirms_is_left_at_that_after_some_tries(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("bot.transport.delivery.PAUSES", tuple(0.0 for _ in PAUSES))
    monkeypatch.setattr("bot.inbox.POSTPONE_SECONDS", 0.1)
    await stage.add_group(-5)
    await stage.fault("500", count=1)
    await stage.fault("drop_after", count=MOST_CUT_OFF)
    async with stage.bot(ScriptedActor()):
        await stage.say("/ask one", chat_id=-5)
        await stage.rows_become("SELECT state FROM inbox", [("done",)])
        await stage.say("/ask two", chat_id=-5)
        await stage.rows_become("SELECT state FROM inbox", [("done",), ("done",)])
    copies = ["You said: one"] * MOST_CUT_OFF
    assert await stage.answers(MOST_CUT_OFF + 1, chat=-5) == [*copies, "You said: two"]
    assert "perhaps sent 6 times" in caplog.text


async def test_in_private_an_answer_that_arrived_although_nobody_said_so_is_not_sent_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.transport.delivery.PAUSES", tuple(0.0 for _ in PAUSES))
    actor = ScriptedActor()
    actor.gate.clear()
    async with stage.bot(actor):
        for text in ("/help", "one", "/ask two", "/reset"):
            await stage.say(text)
        await stage.say("elsewhere", user=2)
        help_text = (await stage.answers(1))[0]
        await actor.until_busy(2)
        await stage.fault("drop_after", count=3, chat_id=1)
        actor.gate.set()
        await stage.rows_become("SELECT count(*) FROM inbox WHERE state = 'done'", [(5,)])
    answers = await stage.answers(4)
    assert answers[:3] == [help_text, "You said: one", "You said: two"]
    assert len(answers) == 4
    assert answers[3].startswith("Done.")
    await stage.faults_are_over()


async def test_what_arrived_before_a_kill_is_not_sent_again_and_what_did_not_takes_nothing_elses_place(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.transport.delivery.PAUSES", ())
    async with stage.bot(ScriptedActor(), shutdown_grace=0.2):
        await stage.say("one")
        await stage.say("two")
        await stage.say("elsewhere", user=2)
        await stage.rows_become("SELECT count(*) FROM inbox WHERE state = 'done'", [(3,)])
        await stage.fault("drop_after", chat_id=1)
        await stage.fault("drop", chat_id=2)
        await stage.say("three")
        await stage.say("and you?", user=2)
        await stage.rows_become("SELECT count(*) FROM inbox WHERE state = 'answered'", [(2,)])
        await stage.faults_are_over()
    async with stage.bot(ScriptedActor()):
        await stage.rows_become("SELECT count(*) FROM inbox WHERE state = 'done'", [(5,)])
    assert await stage.answers(3) == ["You said: one", "You said: two", "You said: three"]
    assert await stage.answers(2, chat=2) == ["You said: elsewhere", "You said: and you?"]


async def test_the_later_parts_of_an_answer_are_looked_for_behind_the_earlier_ones(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.transport.delivery.PAUSES", (0.0,))
    text = " ".join(f"This is sentence {number}." for number in range(300))
    await stage.fault("drop_after", after=1)
    async with stage.bot(ScriptedActor(text)):
        await stage.say("Tell me a story")
        await stage.rows_become("SELECT state FROM inbox", [("done",)])
    assert " ".join(await stage.answers(2)) == text


async def test_while_a_chat_cannot_be_reached_its_messages_wait_in_order_and_the_others_go_on(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.transport.delivery.PAUSES", ())
    monkeypatch.setattr("bot.inbox.POSTPONE_SECONDS", 0.3)
    await stage.fault("500", count=2, chat_id=1)
    actor = ScriptedActor()
    async with stage.bot(actor):
        for text in ("/reset", "one", "two"):
            await stage.say(text)
        await stage.say("Hello", user=2)
        assert await stage.answers(1, chat=2) == ["You said: Hello"]
        answers = await stage.answers(3)
    assert answers[0].startswith("Done.")
    assert answers[1:] == ["You said: one", "You said: two"]
    assert actor.heard() == [["Hello"], ["one"], ["one", "You said: one", "two"]]


async def test_a_chat_that_telegram_limits_does_not_hold_up_the_others(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.transport.delivery.PAUSES", (0.0,))
    await stage.fault("429", retry_after=600, chat_id=1)
    async with stage.bot(ScriptedActor(), shutdown_grace=0.2):
        await stage.say("Hello")
        await stage.eventually(lambda: not stage.server.faults.as_json())
        await stage.say("Hello", user=2)
        assert await stage.answers(1, chat=2) == ["You said: Hello"]
    assert await stage.answers(0, chat=1) == []
    async with stage.bot(ScriptedActor()):
        assert await stage.answers(1, chat=1) == ["You said: Hello"]


async def test_a_long_answer_is_taken_up_where_it_was_left(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.transport.delivery.PAUSES", ())
    text = " ".join(f"This is sentence {number}." for number in range(300))
    async with stage.bot(ScriptedActor("Hi.")):
        await stage.say("Hello")
        await stage.rows_become("SELECT state FROM inbox", [("done",)])
    async with stage.bot(ScriptedActor(text), shutdown_grace=0.2):
        await stage.fault("500", after=1)
        await stage.say("Tell me a story")
        await stage.rows_become("SELECT state, parts_sent FROM inbox", [("done", 0), ("answered", 1)])
    async with stage.bot(ScriptedActor()):
        assert " ".join((await stage.answers(3))[1:]) == text


async def test_messages_are_fetched_again_after_an_outage(stage: Stage) -> None:
    async with stage.bot(ScriptedActor()):
        await stage.say("before")
        await stage.answers(1)
        await stage.fault("500", method="getUpdates", count=2)
        await stage.say("after")
        assert (await stage.answers(2))[1] == "You said: after"


async def test_the_bot_starts_although_telegram_cannot_be_reached_yet(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.lifecycle.RETRY_SECONDS", 0.1)
    await stage.fault("drop", method="getMe", count=2)
    await stage.fault("500", method="setMyCommands", count=1)
    await stage.say("Hello")
    async with stage.bot(ScriptedActor()):
        assert await stage.answers(1) == ["You said: Hello"]


async def test_a_second_poller_is_told_in_one_line(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    second = f"sqlite+aiosqlite:///{stage.folder}/second.db"
    async with stage.bot(ScriptedActor()), stage.process(DATABASE_URL=second) as other:
        await stage.say("Hello")
        await stage.answers(1)
        await stage.eventually(lambda: "409 Conflict" in caplog.text + other.log)
        await other.kill()
    lines = [record for record in caplog.records if "409 Conflict" in record.getMessage()]
    assert all(record.exc_info is None for record in lines)
    assert "Traceback" not in other.log


async def test_a_user_who_blocked_the_bot_is_no_error(
    stage: Stage, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def blocked(*_: object, **__: object) -> None:
        raise Forbidden("Forbidden: bot was blocked by the user")

    monkeypatch.setattr(Message, "reply_text", blocked)
    async with stage.bot(ScriptedActor()):
        await stage.say("Hello")
        await stage.rows_become("SELECT state, reply FROM inbox", [("done", None)])
    assert "Traceback" not in caplog.text


async def test_a_message_that_telegram_refuses_for_good_is_not_tried_forever(stage: Stage) -> None:
    actor = ScriptedActor()
    actor.gate.clear()
    async with stage.bot(actor):
        await stage.say("Hello")
        await actor.until_busy(1)
        del stage.server.world.chats[1]
        actor.gate.set()
        await stage.rows_become("SELECT state FROM inbox", [("failed",)])
    assert actor.heard() == [["Hello"]]


async def test_a_failure_while_telegram_is_away_does_not_stop_the_bot(stage: Stage) -> None:
    async with stage.bot(ScriptedActor(RuntimeError("tensor trouble"), "Fine.")):
        await stage.fault("500", count=1)
        await stage.say("one")
        await stage.say("two")
        assert await stage.answers(1) == ["Fine."]


async def test_an_answer_waits_for_a_database_that_is_locked(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.storage.database.PRAGMAS", ("busy_timeout=100", "journal_mode=WAL", "foreign_keys=ON"))
    monkeypatch.setattr("bot.inbox.POSTPONE_SECONDS", 0.2)
    monkeypatch.setattr("bot.inbox.STORE_RETRY_SECONDS", 0.2)
    actor = ScriptedActor()
    actor.gate.clear()
    async with stage.bot(actor):
        await stage.say("Hello")
        await actor.until_busy(1)
        other = sqlite3.connect(stage.database, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        actor.gate.set()
        assert await stage.answers(1) == ["Sorry, I cannot think straight right now. I will answer as soon as I can."]
        other.execute("ROLLBACK")
        other.close()
        assert (await stage.answers(2))[1] == "You said: Hello"
    assert actor.histories[-1] == [Line("User 1", "Hello")]


async def test_an_answer_that_another_process_has_made_is_not_made_again(stage: Stage) -> None:
    actor = ScriptedActor()
    actor.gate.clear()
    async with stage.bot(actor):
        await stage.say("Hello")
        await actor.until_busy(1)
        other = sqlite3.connect(stage.database, isolation_level=None)
        other.execute("UPDATE inbox SET state = 'answered', reply = 'Hi from elsewhere.'")
        other.close()
        actor.gate.set()
        await stage.say("And now?")
        assert await stage.answers(1) == ["You said: And now?"]
    assert stage.rows("SELECT state, reply FROM inbox ORDER BY update_id") == [
        ("answered", "Hi from elsewhere."),
        ("done", None),
    ]
