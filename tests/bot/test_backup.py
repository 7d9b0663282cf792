"""Backup and restore on real files: all or nothing, and nothing under a bot's feet."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot import __main__ as program
from bot.chat_service import Conversation, Exchange, Line, Mode
from bot.errors import BackupError
from bot.storage.backup import backup, restore
from bot.storage.database import Database
from bot.storage.repository import SqlUnitOfWork


def sql(file: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(query).fetchall()


def texts(file: Path) -> list[str]:
    return [text for (text,) in sql(file, "SELECT text FROM messages WHERE NOT is_character ORDER BY id")]


async def say(database: Database, text: str) -> None:
    lines = Line("Ned", text), Line("Lisa", "Hm.", is_character=True)
    async with SqlUnitOfWork(database.session) as work:
        await work.remember(Conversation(1), Exchange(*lines, Mode.DIALOGUE, "v1", 1))
        await work.commit()


@pytest.fixture
def url(database_file: Path) -> str:
    return f"sqlite+aiosqlite:///{database_file}"


@pytest.fixture
async def stopped(database: Database) -> Database:
    """The database of a bot that has said something and ended."""
    await say(database, "one")
    await database.close()
    return database


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return tmp_path / "backups" / "monday.db"


@pytest.fixture
def nothing_left_over(database_file: Path, copy: Path) -> Iterator[None]:
    """However it went, no scratch file stays behind."""
    yield
    for folder in (database_file.parent, copy.parent):
        assert [file.name for file in folder.glob(".*")] == []


pytestmark = pytest.mark.usefixtures("nothing_left_over")


def overwrite(file: Path, content: bytes) -> None:
    """Put something else into a file, or make it, and its folder."""
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content)


def remove(file: Path) -> None:
    """Delete a file."""
    file.unlink()


def rights(file: Path) -> int:
    """Who may do what with a file, as chmod counts."""
    return file.stat().st_mode & 0o777


def spoil(file: Path) -> None:
    """Overwrite the pages behind the first."""
    with file.open("r+b") as opened:
        opened.seek(4096)
        opened.write(os.urandom(file.stat().st_size - 4096))


async def test_a_backup_of_a_database_in_use_is_one_whole_file_with_everything_in_it(
    database: Database, url: str, copy: Path
) -> None:
    await say(database, "one")  # So far in the log only.
    line = backup(url, copy)
    await say(database, "two")
    assert line.endswith(f"is backed up in {copy}: 2 lines of conversation")
    assert [file.name for file in copy.parent.iterdir()] == ["monday.db"]
    assert texts(copy) == ["one"]
    assert sql(copy, "PRAGMA integrity_check") == [("ok",)]
    assert rights(copy) == 0o600


async def test_a_transaction_that_is_open_neither_stops_a_backup_nor_gets_into_it(
    database: Database, url: str, copy: Path
) -> None:
    await say(database, "one")
    async with SqlUnitOfWork(database.session) as work:
        lines = Line("Ned", "half"), Line("Lisa", "Hm.", is_character=True)
        await work.remember(Conversation(1), Exchange(*lines, Mode.DIALOGUE, "v1", 1))
        backup(url, copy)
        await work.commit()
    assert texts(copy) == ["one"]


async def test_a_new_backup_takes_the_place_of_the_old_one(database: Database, url: str, copy: Path) -> None:
    await say(database, "one")
    backup(url, copy)
    await say(database, "two")
    backup(url, copy)
    assert texts(copy) == ["one", "two"]


async def test_a_damaged_database_is_named_and_the_last_good_backup_stays(
    stopped: Database, database_file: Path, url: str, copy: Path
) -> None:
    backup(url, copy)
    spoil(database_file)
    with pytest.raises(BackupError, match=rf"^{database_file} is damaged: [^\n]+$"):
        backup(url, copy)
    assert texts(copy) == ["one"]


async def test_a_restore_brings_the_backup_back_and_keeps_what_was_there(
    stopped: Database, database_file: Path, url: str, copy: Path
) -> None:
    backup(url, copy)
    await say(stopped, "two")
    await stopped.close()
    line = restore(url, copy)
    aside = database_file.with_name("bot.db.old-1")
    assert line == (
        f"{database_file} is restored from {copy}: 2 lines of conversation; the database that was there is now {aside}"
    )
    assert texts(database_file) == ["one"]
    assert texts(aside) == ["one", "two"]
    restore(url, copy)
    assert texts(database_file.with_name("bot.db.old-2")) == ["one"]
    again = Database(url)
    await again.open()
    await say(again, "three")
    await again.close()
    assert texts(database_file) == ["one", "three"]


async def test_what_a_killed_bot_left_in_the_log_is_kept_and_not_added_to_the_restored_database(
    database: Database, database_file: Path, url: str, copy: Path
) -> None:
    await say(database, "one")
    backup(url, copy)
    await say(database, "two")
    left = {end: database_file.with_name(f"bot.db{end}").read_bytes() for end in ("", "-wal", "-shm")}
    await database.close()
    for end, content in left.items():
        database_file.with_name(f"bot.db{end}").write_bytes(content)
    restore(url, copy)
    assert texts(database_file) == ["one"]
    assert texts(database_file.with_name("bot.db.old-1")) == ["one", "two"]


async def test_a_restore_under_a_running_bot_is_refused_and_changes_nothing(
    database: Database, database_file: Path, url: str, copy: Path
) -> None:
    await say(database, "one")
    backup(url, copy)
    await say(database, "two")
    with pytest.raises(BackupError, match=rf"^a bot uses {database_file}: stop it, then restore$"):
        restore(url, copy)
    await say(database, "three")
    assert texts(database_file) == ["one", "two", "three"]
    assert list(database_file.parent.glob("*.old-*")) == []


async def test_a_damaged_database_can_be_replaced_and_is_kept(
    stopped: Database, database_file: Path, url: str, copy: Path
) -> None:
    backup(url, copy)
    overwrite(database_file, b"no database at all " * 500)
    restore(url, copy)
    assert texts(database_file) == ["one"]
    assert database_file.with_name("bot.db.old-1").read_bytes().startswith(b"no database")


async def test_a_restore_where_there_is_no_database_yet_makes_one(
    stopped: Database, url: str, copy: Path, tmp_path: Path
) -> None:
    backup(url, copy)
    new = tmp_path / "new" / "bot.db"
    assert "the database that was there" not in restore(f"sqlite+aiosqlite:///{new}", copy)
    assert texts(new) == ["one"]


async def test_a_log_that_has_lost_its_database_is_kept_and_not_added_to_the_restored_one(
    database: Database, database_file: Path, url: str, copy: Path
) -> None:
    await say(database, "one")
    backup(url, copy)
    await say(database, "two")
    log = database_file.with_name("bot.db-wal")
    left = log.read_bytes()
    await database.close()
    remove(database_file)
    overwrite(log, left)
    restore(url, copy)
    assert texts(database_file) == ["one"]
    assert database_file.with_name("bot.db.old-1-wal").read_bytes() == left


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "there is no file"),
        (b"Dear Lisa, this is no database. " * 200, "is damaged: file is not a database"),
        (b"", "not of this bot"),
    ],
)
async def test_what_is_no_backup_is_refused_and_the_database_stays(
    content: bytes | None, words: str, stopped: Database, database_file: Path, url: str, copy: Path
) -> None:
    if content is not None:
        overwrite(copy, content)
    with pytest.raises(BackupError, match=words):
        restore(url, copy)
    assert texts(database_file) == ["one"]


async def test_a_damaged_backup_is_refused_and_the_database_stays(
    stopped: Database, database_file: Path, url: str, copy: Path
) -> None:
    backup(url, copy)
    spoil(copy)
    with pytest.raises(BackupError, match=rf"^{copy} is damaged: "):
        restore(url, copy)
    assert texts(database_file) == ["one"]


@pytest.mark.parametrize("work", [backup, restore])
async def test_the_database_itself_is_no_place_for_its_backup(
    work: Any, stopped: Database, database_file: Path, url: str
) -> None:
    with pytest.raises(BackupError, match="is the database itself"):
        work(url, database_file.parent / "." / database_file.name)


async def test_a_place_that_cannot_be_written_is_named(stopped: Database, url: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BackupError, match=r"file/monday\.db cannot be written: "):
        backup(url, tmp_path / "file" / "monday.db")
    (tmp_path / "folder").mkdir()
    with pytest.raises(BackupError, match=r"folder cannot be written: "):
        backup(url, tmp_path / "folder")


@pytest.mark.parametrize("work", [backup, restore])
@pytest.mark.parametrize(
    ("url", "words"),
    [("postgresql+asyncpg://u:secret@h/d", "pg_dump"), ("sqlite+aiosqlite://", "names no file")],
)
def test_a_database_that_is_no_file_gets_one_line(work: Any, url: str, words: str, copy: Path) -> None:
    with pytest.raises(BackupError, match=words) as caught:
        work(url, copy)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_the_command_line_says_one_line_either_way(
    stopped: Database,
    url: str,
    copy: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    root_logger: object,
) -> None:
    monkeypatch.chdir(copy.parent.parent)
    monkeypatch.setenv("DATABASE_URL", url)
    for command, verb in (("backup", "backed up"), ("restore", "restored")):
        assert program.main([command, str(copy)]) == 0
        out, err = capsys.readouterr()
        assert verb in out
        assert (out.count("\n"), err) == (1, "")
    assert program.main(["restore", "nowhere.db"]) == 1
    assert capsys.readouterr() == ("", "error: there is no file nowhere.db\n")
