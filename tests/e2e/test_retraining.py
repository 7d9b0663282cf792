"""/retrain over real HTTP, with a trainer that is a real process: asked for, watched, called off, judged, taken up."""

import asyncio
import json
import os
import signal
import sqlite3
from pathlib import Path

import pytest

from bot.training.trainer import LOWEST_PRIORITY
from tests.bot.actors import ScriptedActor
from tests.e2e.school import ADMIN, FAKE, OTHER_ADMIN, QUESTION, ROW, UNFINISHED, School, labels
from tests.e2e.stage import Stage

BUSY = "One thing at a time, please: I am still learning."
HALF_WAY = (
    "Lisa Simpson is learning.\n\n2 of 3: learning\n▓▓▓▓▓▓░░░░░░ 50 %\nAbout 2 min left\nLoss: 2.000"  # Step 2 of 4.
)
CANCELLED = "Cancelled. I keep what Lisa Simpson has learned so far, and can go on from there."
BROKEN_OFF = "The training of Lisa Simpson has broken off"
TRAINED_SO_FAR = "SELECT run FROM training_runs"
PAUSED = "I am being switched off. Lisa Simpson goes on learning when I am back."


@pytest.fixture
def school(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> School:
    monkeypatch.setattr("bot.training.reports.EDIT_SECONDS", 0.0)
    return School(stage)


def is_running(pid: int) -> bool:
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False


async def test_an_admin_is_asked_then_sees_how_far_it_is_and_then_what_has_come_of_it(school: School) -> None:
    stage = school.stage
    async with school.open():
        message = await school.ask()
        assert message["text"] == (
            f"{QUESTION}\n\n"
            "Script: the one that Lisa Simpson knows already\n"
            "Accepted with /review: 0\n"
            "How long it takes I shall know when it has begun.\n\n"
            "I go on answering meanwhile, and change only if the new version is no worse than this one."
        )
        assert labels(message) == ["▶ Start", "Not now"]
        school.plan(hold_at=2)
        await stage.press(message, "Start", user=ADMIN)
        message = await school.shown(message, HALF_WAY)
        assert labels(message) == ["✖ Cancel"]
        await stage.say("Are you there?")
        assert await stage.answers(1) == ["You said: Are you there?"]
        school.release()
        message = await school.shown(message, "Lisa Simpson has finished learning.")
        assert labels(message) == []
        caption = (await school.verdict())["caption"]
        await school.ended("done")
        assert "The last time took about 1 min." in (await school.ask())["text"]
    assert caption == (
        "🎉 The new version of Lisa Simpson is live and answers from now on.\n\n"
        "v1 → v2\n"
        "✅ perplexity: 17.4 → 16.2 (less is better)\n"
        "✅ true answer found: 0.73 → 0.74 (more is better)"
    )


async def test_the_new_version_makes_the_next_answers_and_why_still_knows_the_old_ones(school: School) -> None:
    from model.sources import ScriptLine, write_sources

    stage = school.stage
    line = ScriptLine("Lisa Simpson", "Jazz is my life, Ned.", "3", "School", 1, True)
    write_sources([line], school.store / "lisa" / "v1" / "sources.jsonl.gz")
    school.actor("v1").replies = ["Jazz is my life."]
    async with school.open():
        await stage.say("What do you play?")
        await stage.answers(1)
        await school.begin()
        await school.verdict()
        assert "Jazz is my life, Ned." in (await ask_why(stage))
        await stage.say("Hello again")
        await stage.answers(3)
        assert school.actor("v1").closed
    assert school.actor("v1").heard() == [["What do you play?"]]
    assert school.actor("v2").heard() == [["What do you play?", "Jazz is my life.", "Hello again"]]
    assert stage.rows("SELECT version FROM messages WHERE is_character") == [("v1",), ("v2",)]


async def ask_why(stage: Stage) -> str:
    before = len(await stage.messages(0))
    await stage.say("/why")
    return (await stage.answers(before + 1))[-1]


async def test_a_version_that_is_not_good_enough_stays_off_stage_and_the_reasons_are_told(school: School) -> None:
    stage = school.stage
    async with school.open():
        await school.begin(live=False)
        caption = (await school.verdict())["caption"]
        await school.ended("done")
        await stage.say("Hello")
        await stage.answers(1)
    assert caption.startswith(
        "The new version of Lisa Simpson is not good enough, so the old one stays.\n\n"
        "perplexity: 19 instead of 17.4\n\n"
        "v1 → v2\n"
        "❌ perplexity: 17.4 → 19 (less is better)"
    )
    assert school.actor("v1").heard() == [["Hello"]]
    assert list(school.actors) == ["v1"]


async def test_a_new_version_that_cannot_be_loaded_does_not_stay_live(school: School) -> None:
    stage = school.stage
    school.is_broken = True
    async with school.open():
        await school.begin()
        caption = (await school.verdict())["caption"]
        await stage.say("Hello")
        assert await stage.answers(1) == ["You said: Hello"]
    assert caption.startswith(
        "⚠️ The new version of Lisa Simpson is good, but it cannot be loaded. So the old one stays.\n\n"
        "persona 'lisa' cannot be played: RuntimeError: the file is damaged"
    )
    assert school.live == "v1"


async def test_what_was_accepted_of_this_character_goes_along_and_is_not_left_behind(school: School) -> None:
    stage = school.stage
    async with school.open():
        await stage.say("What do you play?")
        (answer,) = await stage.messages(1)
        await stage.press(answer, "👍")
        await stage.rows_become(UNFINISHED, [(0,)])
        for change, count in (
            ("UPDATE feedback SET state = 'accepted'", 1),
            ("UPDATE messages SET speaker = 'Bart Simpson' WHERE is_character", 0),
        ):
            stage.change(change)
            message = await school.ask()
            assert f"Accepted with /review: {count}" in message["text"]
            await stage.press(message, "Start", user=ADMIN)
            await school.shown(message, "finished")
            await stage.rows_become("SELECT count(*) FROM training_runs WHERE NOT is_told", [(0,)])
    first, second = school.calls()
    assert json.loads(first["lessons"][0])["answer"] == "You said: What do you play?"
    assert second["lessons"] == []
    assert not (school.store / "lisa" / ".lessons.jsonl").exists()


async def test_the_trainer_lets_everybody_else_go_first_and_hears_nothing_of_the_terminal(school: School) -> None:
    pids: list[int] = []

    def starts() -> bool:
        pids[:] = [pid for (pid,) in school.stage.rows("SELECT pid FROM training_runs WHERE pid IS NOT NULL")]
        return bool(pids)

    async with school.open(priority=LOWEST_PRIORITY):
        await school.begin(hold_at=1)
        await school.stage.eventually(starts)
        assert os.getpriority(os.PRIO_PROCESS, pids[0]) == 19
        assert os.getsid(pids[0]) == pids[0]
    assert not is_running(pids[0])


async def test_the_trainer_gets_the_script_and_no_secret(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", "1:offline")
    script = school.stage.folder / "lines.csv"
    script.touch()
    async with school.open(script=script):
        message = await school.begin()
        assert "Script: lines.csv" in message["text"]
        await school.ended("done")
    (call,) = school.calls()
    given = call["arguments"]
    assert (given["script"], given["character"], given["persona"]) == (str(script), "Lisa Simpson", "lisa")
    assert given["store"] == str(school.store)
    assert "TELEGRAM_BOT_TOKEN" not in call["environment"]
    assert "PATH" in call["environment"]


async def test_a_training_that_is_called_off_ends_in_good_order_and_can_go_on(school: School) -> None:
    stage = school.stage
    async with school.open():
        message = await school.shown(await school.begin(hold_at=2), "50 %")
        assert await stage.press(message, "Cancel", user=ADMIN) == "I am stopping it…"
        message = await school.shown(message, CANCELLED)
        await school.ended("cancelled")
        assert labels(message) == ["▶ Go on"]
        assert (school.store / "stopped").exists()
        assert not is_running(school.calls()[0]["pid"])
        school.release()
        assert await stage.press(message, "Go on", user=ADMIN) == "I go on."
        await school.verdict()
        await school.ended("done")
    assert [call["arguments"].get("resume") for call in school.calls()] == [None, "True"]
    assert stage.rows("SELECT count(*) FROM training_runs") == [(1,)]


async def test_a_trainer_that_does_not_listen_is_killed_after_a_while(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.training.retraining.END_SECONDS", 0.1)
    async with school.open():
        message = await school.shown(await school.begin(hold_at=2, is_deaf=True), "50 %")
        await school.stage.press(message, "Cancel", user=ADMIN)
        await school.shown(message, CANCELLED)
        assert not is_running(school.calls()[0]["pid"])
        await school.ended("cancelled")


async def test_the_one_line_of_a_trainer_that_fails_is_told_and_it_can_be_tried_again(school: School) -> None:
    async with school.open():
        message = await school.begin(fail_at=3)
        message = await school.shown(message, "Lisa Simpson could not learn: disk full: 3 GB are needed")
        await school.ended("failed")
        school.plan()
        await school.stage.press(message, "Go on", user=ADMIN)
        await school.verdict()
        await school.ended("done")
    assert len(school.calls()) == 2


async def test_a_trainer_that_dies_without_a_word_leaves_a_button_to_go_on(school: School) -> None:
    async with school.open():
        message = await school.shown(await school.begin(die_at=3), BROKEN_OFF)
        await school.ended("interrupted")
        school.plan()
        assert labels(message) == ["▶ Go on"]
        await school.stage.press(message, "Go on", user=ADMIN)
        await school.verdict()
        await school.ended("done")


async def test_where_nothing_is_left_to_go_on_with_it_begins_anew(school: School) -> None:
    async with school.open():
        message = await school.shown(await school.begin(die_at=3), BROKEN_OFF)
        await school.ended("interrupted")
        (school.store / "lisa" / ".runs" / "step").unlink()
        school.plan()
        await school.stage.press(message, "Go on", user=ADMIN)
        await school.verdict()
        await school.ended("done")
    assert [call["arguments"].get("resume") for call in school.calls()] == [None, "True", None]


async def test_while_one_is_under_way_another_is_refused_kindly(school: School) -> None:
    stage = school.stage
    async with school.open():
        theirs = await school.ask(admin=OTHER_ADMIN)
        message = await school.shown(await school.begin(hold_at=2), "50 %")
        assert (await school.ask())["text"] == f"{BUSY}\n\n{HALF_WAY}"
        assert await stage.press(theirs, "Start", user=OTHER_ADMIN) == BUSY
        school.release()
        await school.shown(message, "finished")
        await school.ended("done")
    assert len(school.calls()) == 1


async def test_a_start_that_is_pressed_twice_begins_one_training(school: School) -> None:
    world = school.stage.server.world
    async with school.open():
        message = await school.ask()
        data = message["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
        queries = [world.press(world.users[ADMIN], world.chats[ADMIN], message, data)[0] for _ in range(2)]
        assert [await school.stage.toast(query, ADMIN) for query in queries] == ["", ""]
        await school.verdict()
        await school.ended("done")
    assert len(school.calls()) == 1


async def test_who_says_no_keeps_everything_as_it_is(school: School) -> None:
    async with school.open():
        message = await school.ask()
        await school.stage.press(message, "Not now", user=ADMIN)
        await school.shown(message, "All right, everything stays as it is.")
    assert school.stage.rows(ROW) == []


async def test_the_commands_and_buttons_are_the_admins_own_and_silent_to_others(school: School) -> None:
    stage = school.stage
    async with school.open(user_messages_per_day=1):
        for command in ("/retrain", "/rollback", "/versions"):
            await stage.say(command)
            await stage.say(command, chat_id=-500)
        for command in ("/retrain", "/rollback", "/versions"):
            await stage.say(command, user=ADMIN, chat_id=-500)
        assert await stage.answers(3, chat=-500) == [
            f"Please send me {command} in our private chat." for command in ("/retrain", "/rollback", "/versions")
        ]
        message = await school.ask()
        data = message["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
        world = stage.server.world
        toasts = []
        for user in (OTHER_ADMIN, 1):
            query, _ = world.press(world.person(user), world.chats[ADMIN], message, data)
            toasts.append(await stage.toast(query, ADMIN))
        assert toasts == ["Only the one who asked can press this.", ""]
        await stage.rows_become(UNFINISHED, [(0,)])
        assert await stage.answers(0) == []
    assert stage.rows(ROW) == []


async def test_what_is_not_there_is_named_in_one_line(school: School) -> None:
    async with school.open(needed=("no_such_package",)):
        assert (await school.ask())["text"] == (
            "I cannot learn here yet: no_such_package is not installed. On the computer that I run on: make install-dev"
        )
        assert (await school.ask("/retrain Krusty"))["text"] == "I know nobody called Krusty. There are: lisa"
    async with school.open(script=school.store / "gone.csv"):
        assert (await school.ask())["text"] == f"I cannot find the script {school.store / 'gone.csv'} (SCRIPT)."


@pytest.mark.parametrize("kind", ["500", "drop", "429"])
async def test_the_verdict_arrives_in_spite_of_an_outage(
    school: School, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.training.reports.PAUSES", (0.0,))
    async with school.open():
        message = await school.shown(await school.begin(hold_at=2), "50 %")
        await school.stage.fault(kind, method="editMessageText", retry_after=1)
        await school.stage.fault(kind, method="sendPhoto", retry_after=1)
        school.release()
        await school.verdict()
        await school.shown(message, "finished")
        await school.ended("done")
        await school.stage.faults_are_over()


async def test_a_verdict_that_could_not_be_told_is_told_after_the_next_start(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.training.reports.PAUSES", (0.05,))
    async with school.open():
        await school.stage.fault("500", method="sendPhoto", count=1000)
        await school.begin()
        await school.stage.rows_become(ROW, [("done", None, 0)])
    school.stage.server.faults.clear()
    async with school.open():
        assert "is live" in (await school.verdict())["caption"]
        await school.ended("done")


async def test_a_picture_that_is_not_there_costs_only_the_picture(school: School) -> None:
    async with school.open():
        await school.stage.fault("400", method="sendPhoto")
        await school.begin()
        await school.stage.eventually(lambda: any("is live" in text for text in texts(school.stage)))
        await school.ended("done")


def texts(stage: Stage) -> list[str]:
    return [message.get("text", "") for message in stage.server.world.chats[ADMIN].messages.values()]


async def test_an_admin_who_has_deleted_the_message_is_told_in_a_new_one(school: School) -> None:
    async with school.open():
        message = await school.shown(await school.begin(hold_at=2), "50 %")
        del school.stage.server.world.chats[ADMIN].messages[message["message_id"]]
        school.release()
        await school.stage.eventually(lambda: any("finished" in text for text in texts(school.stage)))
        await school.ended("done")


async def test_a_bot_that_is_stopped_puts_the_training_down_and_takes_it_up_again(school: School) -> None:
    stage = school.stage
    async with stage.process(**environment(school)) as bot:
        message = await school.begin(hold_at=2)
        await stage.rows_become(TRAINED_SO_FAR, [("run-1",)])
        assert await bot.stop(signal.SIGINT) == 0
        assert "Traceback" not in bot.log
    assert not is_running(school.calls()[0]["pid"])
    assert (school.store / "stopped").exists()
    assert (await school.shown(message, PAUSED))["message_id"] == message["message_id"]
    assert stage.rows("SELECT phase, pid, crashes FROM training_runs") == [("under way", None, 0)]
    school.release()
    async with stage.process(**environment(school)):
        await school.shown(message, "finished")
        await school.verdict()
        await school.ended("done")
    assert [call["arguments"].get("resume") for call in school.calls()] == [None, "True"]


async def test_a_bot_that_is_killed_ends_what_it_has_left_behind_and_goes_on_with_it(school: School) -> None:
    stage = school.stage
    async with stage.process(**environment(school)) as bot:
        message = await school.begin(hold_at=2)
        await stage.rows_become(TRAINED_SO_FAR, [("run-1",)])
        await bot.kill()
    left_over = school.calls()[0]["pid"]
    assert is_running(left_over)
    async with stage.process(**environment(school)):
        await stage.eventually(lambda: len(school.calls()) == 2)
        assert not is_running(left_over)
        school.release()
        await school.shown(message, "finished")
        await school.ended("done")
    assert [call["arguments"].get("resume") for call in school.calls()] == [None, "True"]
    assert stage.rows("SELECT crashes FROM training_runs") == [(1,)]


async def test_what_the_bot_was_killed_in_again_and_again_waits_for_an_admin(school: School) -> None:
    stage = school.stage
    async with stage.process(**environment(school)) as bot:
        message = await school.begin(hold_at=2)
        await stage.rows_become(TRAINED_SO_FAR, [("run-1",)])
        await bot.kill()
    stage.change("UPDATE training_runs SET crashes = 2")
    async with stage.process(**environment(school)):
        message = await school.shown(message, BROKEN_OFF)
        await school.ended("interrupted")
        school.release()
        await stage.press(message, "Go on", user=ADMIN)
        await school.ended("done")


async def test_a_verdict_on_record_needs_no_other_training_and_another_programs_number_is_left_alone(
    school: School,
) -> None:
    stage = school.stage
    async with school.open():
        await school.begin()
        await school.ended("done")
    others = await asyncio.create_subprocess_exec("sleep", "600")
    try:
        with sqlite3.connect(stage.database) as database:
            database.execute("UPDATE training_runs SET phase = 'under way', is_told = 0, pid = ?", (others.pid,))
        database.close()
        async with school.open():
            await school.ended("done")
        assert others.returncode is None
        assert is_running(others.pid)
    finally:
        others.kill()
        await others.wait()
    assert len(school.calls()) == 1


def environment(school: School) -> dict[str, str]:
    return {"TRAINER": str(FAKE), "MODEL_STORE": str(school.store), "ADMIN_IDS": str(ADMIN)}


async def test_under_load_nobody_waits_for_the_new_version_and_no_message_is_lost(school: School) -> None:
    stage, users = school.stage, range(1, 21)
    async with school.open(max_concurrent_replies=30):
        old, new = school.actor("v1"), school.actor("v2")
        old.gate.clear()
        for user in users[:5]:
            await stage.say("Hello", user=user)
        await old.until_busy(5)
        school.gate.clear()
        await school.begin()
        await stage.eventually(school.loading.is_set)
        for user in users[5:10]:
            await stage.say("Hello", user=user)
        await old.until_busy(10)  # While the new version is loaded.
        school.gate.set()
        await school.verdict()
        for user in users[10:]:
            await stage.say("Hello", user=user)
        for user in users[10:]:
            assert await stage.answers(1, chat=user) == ["You said: Hello"]  # While the old one is busy.
        assert len(new.histories) == 10
        assert not old.closed
        old.gate.set()
        for user in users[:10]:
            assert await stage.answers(1, chat=user) == ["You said: Hello"]
        await stage.eventually(lambda: old.closed)
        await stage.rows_become("SELECT count(*) FROM inbox WHERE state = 'done'", [(22,)])
    assert len(old.histories) == 10
    assert stage.rows("SELECT version, count(*) FROM messages WHERE is_character GROUP BY version") == [
        ("v1", 10),
        ("v2", 10),
    ]


async def test_without_the_training_set_the_bot_still_starts_and_answers(stage: Stage) -> None:
    async with stage.bot(ScriptedActor()):
        await stage.say("Hello")
        assert await stage.answers(1) == ["You said: Hello"]
