"""A flood, a full disk, a damaged model, a second instance: who is not to blame notices little, and nothing is lost."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.pool import Pool

from tests.bot.actors import ScriptedActor
from tests.e2e.stage import Stage

LATER = "Sorry, I cannot think straight right now. I will answer as soon as I can."
LONG = "word " * 800  # More than a page of the database.
NO_LIMIT = 2**30
RECEIVED = "SELECT count(*) FROM inbox"
STATES = "SELECT state FROM inbox ORDER BY update_id"


class Disk:
    """How many pages the database may have. SQLite takes less than there are for "no more than there are"."""

    def __init__(self) -> None:
        self._pages = NO_LIMIT

    def fill(self) -> None:
        """From now on there is no room."""
        self._pages = 1

    def clear(self) -> None:
        """From now on there is room again."""
        self._pages = NO_LIMIT

    def limit(self, connection: Any, _record: object, _proxy: object) -> None:
        """A connection is about to be used."""
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA max_page_count={self._pages}")
        cursor.close()


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    monkeypatch.setattr("bot.inbox.POSTPONE_SECONDS", 0.1)
    monkeypatch.setattr("bot.inbox.STORE_RETRY_SECONDS", 0.1)
    disk = Disk()
    event.listen(Pool, "checkout", disk.limit)
    yield disk
    event.remove(Pool, "checkout", disk.limit)


async def make_database(stage: Stage) -> None:
    """A database in which no page is free to be used again."""
    async with stage.bot(ScriptedActor()):
        await stage.say("Hi")
        await stage.rows_become(STATES, [("done",)])
    stage.change("VACUUM")


async def test_who_floods_the_bot_waits_behind_everybody_who_does_not(stage: Stage) -> None:
    actor = ScriptedActor()
    actor.gate.clear()
    async with stage.bot(actor, max_concurrent_replies=1):
        for number in range(30):
            await stage.say(f"flood {number}")
        for user in (2, 3, 4):
            await stage.say(f"user {user}", user=user)
            await stage.typing_is_shown(chat=user)
        actor.gate.set()
        await stage.answers(30)
        for user in (2, 3, 4):
            assert await stage.answers(1, chat=user) == [f"You said: user {user}"]
    said = [heard[-1] for heard in actor.heard()]
    assert set(said[:5]) == {"flood 0", "flood 1", "user 2", "user 3", "user 4"}
    assert [words for words in said if words.startswith("flood")] == [f"flood {number}" for number in range(30)]


async def test_a_message_that_comes_while_the_disk_is_full_is_answered_when_there_is_room_again(
    stage: Stage, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "bot.inbox")
    await make_database(stage)
    async with stage.bot(ScriptedActor("Hello again.")):
        disk.fill()
        await stage.say(LONG)
        assert (await stage.answers(2))[1] == LATER
        await stage.rows_become(RECEIVED, [(1,)])
        disk.clear()
        assert (await stage.answers(3))[2] == "Hello again."
        await stage.rows_become(STATES, [("done",), ("done",)])
    lines = [record.getMessage() for record in caplog.records if record.name == "bot.inbox"]
    assert [line for line in lines if "disk is full" in line] == [
        "The inbox waits, and nothing is lost: the database is not available: database or disk is full"
    ]
    assert lines.count("The database is available again; the inbox goes on") == 1


async def test_an_answer_for_which_there_is_no_room_on_the_disk_is_given_when_there_is(
    stage: Stage, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    await make_database(stage)
    actor = ScriptedActor(*[LONG] * 100)
    actor.gate.clear()
    async with stage.bot(actor):
        await stage.say("Hello")
        await actor.until_busy(1)
        disk.fill()
        actor.gate.set()
        assert (await stage.answers(2))[1] == LATER
        actor.gate.clear()
        await actor.until_busy(1)
        disk.clear()
        actor.replies = ["Hello again."]
        actor.gate.set()
        assert (await stage.answers(3))[2] == "Hello again."
        await stage.rows_become(STATES, [("done",), ("done",)])
    assert "the database is not available: database or disk is full" in caplog.text
    assert "Traceback" not in caplog.text
    assert stage.rows("SELECT count(*) FROM messages WHERE text = 'Hello'") == [(1,)]


async def test_a_damaged_model_ends_the_start_with_one_line_that_names_the_file(stage: Stage, store: Path) -> None:
    damaged = shutil.copytree(store, stage.folder / "store")
    (file,) = damaged.rglob("openvino_model.bin")
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    async with stage.process("-m", "bot", "run", PERSONA="tiny", MODEL_STORE=str(damaged)) as bot:
        assert await bot.ended() == 2
    (line,) = bot.log.splitlines()
    assert line.startswith("error: the character cannot be loaded (PERSONA=tiny, ")
    assert line.endswith(f"{file} is missing or damaged: restore it, or roll back to another version")


async def test_once_a_second_instance_is_gone_the_first_takes_messages_again(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    second = f"sqlite+aiosqlite:///{stage.folder}/second.db"
    async with stage.bot(ScriptedActor()):
        async with stage.process(DATABASE_URL=second) as other:
            await stage.eventually(lambda: "409 Conflict" in caplog.text + other.log)
            await other.kill()
        await stage.say("Hello")
        assert await stage.answers(1) == ["You said: Hello"]
