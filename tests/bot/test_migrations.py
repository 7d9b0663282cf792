"""Migrations: from an empty database to the tables, from any folder, and back."""

import asyncio
import signal
import sqlite3
import sys
import traceback
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.engine import make_url

from bot.errors import SettingsError
from bot.storage.database import Database, latest_version, migration_config

REPOSITORY = Path(__file__).parents[2]
TABLES = {"admissions", "alembic_version", "bans", "chat_settings", "chats", "feedback", "inbox", "messages"}
TABLES |= {"broadcasts", "moved_groups", "recipients", "training_runs"}


def tables(file: Path) -> set[str]:
    with sqlite3.connect(file) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    connection.close()
    return {name for (name,) in names if not name.startswith("sqlite_")}


OPEN = """
import asyncio, sys
from bot.storage.database import Database
asyncio.run(Database(f"sqlite+aiosqlite:///{sys.argv[1]}").open())
"""
KILLED_AT_THE_FIRST_INDEX = """
import os, signal
from alembic import op
op.create_index = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
"""


async def start(file: Path, before: str = "") -> int:
    """Open the database in a process of its own; returns the exit status."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", before + OPEN, str(file), cwd=REPOSITORY)
    return await process.wait()


async def test_an_empty_database_gets_its_tables_whatever_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    database = Database("sqlite+aiosqlite:///new/folder/bot.db")
    await database.open()
    await database.close()
    assert tables(tmp_path / "new/folder/bot.db") == TABLES


async def test_by_hand_alembic_takes_the_setting_and_repeats_nothing_of_a_malformed_one(
    monkeypatch: pytest.MonkeyPatch, database_file: Path
) -> None:
    config = Config(REPOSITORY / "alembic.ini")
    monkeypatch.setenv("DATABASE_URL", f"sqlite+aiosqlite:///{database_file}")
    await asyncio.to_thread(command.upgrade, config, "head")
    assert "messages" in tables(database_file)
    monkeypatch.setenv("DATABASE_URL", "postgresql+asyncpg://u:hid@den:word@host/db")
    with pytest.raises(SettingsError, match=r"^DATABASE_URL: the address cannot be read") as caught:
        await asyncio.to_thread(command.upgrade, config, "head")
    assert "word@host" not in "".join(traceback.format_exception(caught.value))


async def test_a_first_start_that_is_killed_half_way_leaves_nothing_and_the_next_one_works(
    database_file: Path,
) -> None:
    assert await start(database_file, KILLED_AT_THE_FIRST_INDEX) == -signal.SIGKILL
    assert tables(database_file) == set()
    assert await start(database_file) == 0
    assert tables(database_file) == TABLES


async def test_first_starts_at_the_same_time_do_not_get_in_each_others_way(database_file: Path) -> None:
    assert await asyncio.gather(*(start(database_file) for _ in range(3))) == [0, 0, 0]
    assert tables(database_file) == TABLES


async def test_a_second_start_finds_everything_in_place_and_does_not_even_load_what_migrates(
    database: Database, database_file: Path
) -> None:
    code = f"{OPEN}\nsys.exit('alembic' in sys.modules)"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, str(database_file), cwd=REPOSITORY)
    assert await process.wait() == 0
    assert "messages" in tables(database_file)


def test_the_last_migration_is_the_one_that_its_file_names() -> None:
    script = ScriptDirectory.from_config(migration_config(make_url("sqlite+aiosqlite://")))
    assert latest_version() == script.get_current_head()


async def test_the_tables_are_what_the_migrations_make(database: Database, database_file: Path) -> None:
    config = migration_config(make_url(f"sqlite+aiosqlite:///{database_file}"))
    await asyncio.to_thread(command.check, config)


async def test_messages_of_an_older_database_stay_and_belong_to_nobody_in_particular(database_file: Path) -> None:
    config = migration_config(make_url(f"sqlite+aiosqlite:///{database_file}"))
    await asyncio.to_thread(command.upgrade, config, "0001")
    with sqlite3.connect(database_file) as older:
        older.execute("INSERT INTO chats VALUES (3, 1, 0, 0, '2026-01-02 03:04:05.000000')")
        older.execute("INSERT INTO messages VALUES (8, 3, 'ask', 0, 'Ned', 'Hi', '', '2026-01-02 03:04:05.000000')")
    older.close()
    await asyncio.to_thread(command.upgrade, config, "head")
    with sqlite3.connect(database_file) as newer:
        rows = newer.execute("SELECT id, chat, speaker, text, user_id FROM messages").fetchall()
    newer.close()
    assert rows == [(8, 3, "Ned", "Hi", None)]


async def test_every_migration_can_be_taken_back(database: Database, database_file: Path) -> None:
    config = migration_config(make_url(f"sqlite+aiosqlite:///{database_file}"))
    await asyncio.to_thread(command.downgrade, config, "base")
    assert tables(database_file) == {"alembic_version"}


async def test_answers_of_an_older_database_find_their_questions(database: Database, database_file: Path) -> None:
    config = migration_config(make_url(f"sqlite+aiosqlite:///{database_file}"))
    await asyncio.to_thread(command.downgrade, config, "0001")
    with sqlite3.connect(database_file) as connection:
        connection.executemany("INSERT INTO chats VALUES (?, ?, 0, 0, '2026-01-01')", [(1, 1), (2, 2)])
        lines = [(1, 1, "dialogue", 0), (2, 2, "dialogue", 0), (3, 1, "dialogue", 1), (4, 2, "dialogue", 1)]
        lines += [(5, 1, "ask", 0), (6, 1, "ask", 1), (7, 1, "dialogue", 0), (8, 1, "dialogue", 1)]
        connection.executemany("INSERT INTO messages VALUES (?, ?, ?, ?, '', '', '', '2026-01-01')", lines)
    await asyncio.to_thread(command.upgrade, config, "head")
    found = connection.execute("SELECT id, question FROM messages WHERE question IS NOT NULL AND is_shown").fetchall()
    connection.close()
    assert found == [(3, 1), (4, 2), (6, 5), (8, 7)]
