"""How the bot is: what counts as fine, and where it is read from."""

import logging
import sqlite3
import subprocess
import sys
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot import __version__
from bot.handlers.checkup import health_text
from bot.locales import Locales
from bot.reply_queue import ReplyQueue
from bot.storage.database import Database
from bot.storage.vitals import SqlVitals
from bot.troupe import Troupe
from bot.upkeep import machine
from bot.upkeep.error_log import ErrorLog, Mishap
from bot.upkeep.health import Health, Mail, Physician
from tests.bot.actors import ScriptedActor

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
WELL = Health(
    time=NOON,
    uptime=timedelta(days=2, hours=3, minutes=59),
    loaded={"lisa": "2026-03-01"},
    mail=Mail(waiting=3, oldest=NOON - timedelta(seconds=60), answered=1, failed=0),
    speaking=2,
    queued=1,
    database_bytes=12_345_678,
    free_bytes=45 << 30,
    memory_bytes=512_000_000,
    machine_bytes=8_000_000_000,
    mishaps=[],
)


def text(health: Health) -> list[str]:
    return health_text(Locales().speak("en"), health).split("\n")


def test_a_bot_that_is_well_says_so_in_every_line() -> None:
    assert text(WELL) == [
        f"✅ Understudy {__version__}, running for 2 d 3 h",
        "✅ On stage: lisa (2026-03-01)",
        "✅ Messages: 2 without an answer yet, 1 to be sent, 0 failed",
        "✅ Answers: 2 being made, 1 in the queue",
        "✅ Database: 12.3 MB; free on the disk: 48.3 GB",
        "✅ Memory: 512 MB",
        "✅ No errors since the start",
    ]


@pytest.mark.parametrize(
    ("line", "ill"),
    [
        (1, replace(WELL, loaded={})),
        (2, replace(WELL, mail=Mail(failed=1))),
        (2, replace(WELL, mail=Mail(waiting=2, oldest=NOON - timedelta(seconds=61)))),
        (3, replace(WELL, queued=51)),
        (4, replace(WELL, free_bytes=(1 << 30) - 1)),
        (5, replace(WELL, memory_bytes=7_000_000_000)),
        (6, replace(WELL, mishaps=[Mishap("bot.inbox", NOON - timedelta(minutes=59))])),
    ],
)
def test_what_is_not_fine_has_another_mark_and_nothing_else_has(line: int, ill: Health) -> None:
    assert [number for number, words in enumerate(text(ill)) if words.startswith("⚠️")] == [line]


def test_an_error_of_long_ago_is_told_and_is_no_reason_to_worry() -> None:
    mishaps = [Mishap("bot.inbox", NOON - timedelta(minutes=61)), Mishap("bot.troupe", NOON - timedelta(days=1))]
    line = text(replace(WELL, mishaps=mishaps))[-1]
    assert line == "✅ Last errors: 2026-03-14 10:59 UTC (bot.inbox), 2026-03-13 12:00 UTC (bot.troupe)"


def test_what_the_machine_does_not_tell_is_left_out() -> None:
    assert len(text(replace(WELL, memory_bytes=None))) == 6
    assert replace(WELL, machine_bytes=None).is_memory_fine


def test_the_machine_tells_what_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.free_bytes(tmp_path) > 0
    own, all_of_it = machine.memory_of_process(), machine.memory_of_machine()
    assert own is not None
    assert all_of_it is not None
    assert 1_000_000 < own < all_of_it
    program = [sys.executable, "-c", "held = bytearray(b'x' * 50_000_000); print(flush=True); input()"]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        assert (machine.memory_of_process() or 0) > own + 50_000_000
        child.kill()
    monkeypatch.setattr(machine, "PROCESSES", tmp_path / "nothing")
    assert machine.memory_of_process() is None


def test_errors_are_counted_by_their_source_and_nothing_that_they_say_is_kept(root_logger: logging.Logger) -> None:
    errors = ErrorLog()
    with errors.listening():
        logging.getLogger("bot.inbox").warning("not an error")
        for name in ("bot.inbox", "bot.troupe", "bot.inbox"):
            logging.getLogger(name).error("a walrus of %s", "Ned")
    logging.getLogger("bot.gate").error("too late")
    assert errors.counts == {"bot.inbox": 2, "bot.troupe": 1}
    assert {mishap.source for mishap in errors.mishaps} == {"bot.inbox", "bot.troupe"}
    assert "walrus" not in repr(vars(errors))


async def test_the_examination_reads_inbox_queue_troupe_and_disk(
    database: Database, database_file: Path, tmp_path: Path
) -> None:
    rows = [(1, "received", "2026-03-14 11:59:00"), (2, "received", "2026-03-14 11:58:00")]
    rows += [(3, "answered", "2026-03-14 11:00:00"), (4, "failed", "2026-03-14 11:00:00")]
    rows += [(5, "done", "2026-03-14 10:00:00")]
    statement = "INSERT INTO inbox (update_id, state, received_at, parts_sent, attempts) VALUES (?, ?, ?, 0, 0)"
    with sqlite3.connect(database_file) as connection:
        connection.executemany(statement, rows)
    connection.close()
    troupe = Troupe(lambda _persona: ScriptedActor(), 1)
    troupe.welcome("lisa", ScriptedActor())
    replies = ReplyQueue(1)
    physician = Physician(SqlVitals(database.session), troupe, replies, ErrorLog(), database.folder, lambda: NOON)
    async with replies.turn("a chat"):
        health = await physician.examine()
    assert health.mail == Mail(2, NOON - timedelta(minutes=2), answered=1, failed=1)
    assert (health.speaking, health.queued, health.loaded) == (1, 0, {"lisa": "test-1"})
    assert health.database_bytes >= 4096
    assert health.uptime == timedelta()
    assert database.folder == tmp_path
    assert Database("sqlite+aiosqlite://").folder == Path()


def test_the_version_is_the_one_of_the_project() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["version"] == __version__
