"""Migrations: from an empty database to the tables, from any folder, and back."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy.engine import make_url

from bot.storage.database import Database, migration_config


def tables(file: Path) -> set[str]:
    with sqlite3.connect(file) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    connection.close()
    return {name for (name,) in names if not name.startswith("sqlite_")}


async def test_an_empty_database_gets_its_tables_whatever_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    database = Database("sqlite+aiosqlite:///new/folder/bot.db")
    await database.open()
    await database.close()
    assert tables(tmp_path / "new/folder/bot.db") == {"alembic_version", "chats", "inbox", "messages"}


async def test_a_second_start_finds_everything_in_place(database: Database, database_file: Path) -> None:
    again = Database(f"sqlite+aiosqlite:///{database_file}")
    await again.open()
    await again.close()
    assert "messages" in tables(database_file)


async def test_the_tables_are_what_the_migrations_make(database: Database, database_file: Path) -> None:
    config = migration_config(make_url(f"sqlite+aiosqlite:///{database_file}"))
    await asyncio.to_thread(command.check, config)


async def test_every_migration_can_be_taken_back(database: Database, database_file: Path) -> None:
    config = migration_config(make_url(f"sqlite+aiosqlite:///{database_file}"))
    await asyncio.to_thread(command.downgrade, config, "base")
    assert tables(database_file) == {"alembic_version"}
