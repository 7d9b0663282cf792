"""Backup and restore of the SQLite database, each a copy by SQLite's own backup, checked, and put in place at once.

A backup is one file, complete by itself. It is made while the bot runs, and shows one moment: the copy is read from
one snapshot, and nobody who writes has to wait for it. A restore wants the bot stopped, as the bot would go on with
what it remembers of the database that it has opened.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import count
from pathlib import Path

from bot.errors import BackupError
from bot.storage.database import BUSY_SECONDS, parse_url
from bot.storage.new_file import new_file


def backup(url: str, target: Path) -> str:
    """Copy the database of a DATABASE_URL into a file, which is replaced if it is there. Returns one line that says so.

    Raises BackupError, and leaves `target` as it was.
    """
    file = _database_file(url)
    _must_differ(file, target)
    with _new_file(target) as scratch, closing(_open(file)) as source:
        _check(source, file)
        lines = _copy(source, scratch)
    return f"{file} is backed up in {target}: {lines} lines of conversation"


def restore(url: str, source: Path) -> str:
    """Put a backup in the place of the database, which is kept beside it. Returns one line that says so.

    Raises BackupError where the file is no sound backup, or a bot uses the database; the database stays as it was.
    """
    file = _database_file(url)
    _must_differ(file, source)
    with closing(_open(source)) as given:
        _check(given, source)
        with _new_file(file) as scratch:
            lines = _copy(given, scratch)
            _must_be_idle(file)
            aside = _set_aside(file)
    kept = f"; the database that was there is now {aside}" if aside else ""
    return f"{file} is restored from {source}: {lines} lines of conversation{kept}"


def _database_file(url: str) -> Path:
    parsed = parse_url(url)
    if parsed.get_backend_name() != "sqlite":
        raise BackupError("DATABASE_URL is no SQLite file: use pg_dump and pg_restore, which come with PostgreSQL")
    if not parsed.database or parsed.database == ":memory:":
        raise BackupError("DATABASE_URL names no file, so there is nothing to back up or restore")
    return Path(parsed.database)


def _must_differ(file: Path, other: Path) -> None:
    if file.resolve() == other.resolve():
        raise BackupError(f"{other} is the database itself (DATABASE_URL); name another file")


def _open(file: Path) -> sqlite3.Connection:
    if not file.is_file():
        raise BackupError(f"there is no file {file}")
    try:
        return sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", timeout=BUSY_SECONDS, uri=True)
    except sqlite3.Error as error:
        raise BackupError(f"{file} cannot be opened: {error}") from error


def _check(database: sqlite3.Connection, file: Path) -> None:
    try:
        (verdict,) = database.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        raise BackupError(f"{file} cannot be read: {error}") from error
    except sqlite3.DatabaseError as error:
        verdict = str(error)
    if verdict != "ok":
        raise BackupError(f"{file} is damaged: {' '.join(verdict.split())}")


def _copy(source: sqlite3.Connection, target: Path) -> int:
    """Copy a database and check the copy. Returns how many lines of conversation are in it."""
    try:
        with closing(sqlite3.connect(target)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # One file: a log beside it would be left behind.
            _check(copy, target)
            return _count_lines(copy)
    except sqlite3.Error as error:
        raise BackupError(f"the database could not be copied: {error}") from error


def _count_lines(database: sqlite3.Connection) -> int:
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables >= {"alembic_version", "chats", "messages", "inbox"}:
        raise BackupError("this is a database, but not of this bot")
    (lines,) = database.execute("SELECT count(*) FROM messages").fetchone()
    return int(lines)


def _must_be_idle(file: Path) -> None:
    """Raise BackupError if somebody has the database open. Else all of it is in the one file afterwards."""
    if not file.exists():
        return
    with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as database:
        try:
            # A connection to a database with a log holds a lock for as long as it is open, and this needs all locks.
            database.execute("PRAGMA journal_mode=DELETE").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                raise BackupError(f"a bot uses {file}: stop it, then restore") from error
            raise BackupError(f"{file} cannot be replaced: {error}") from error
        except sqlite3.DatabaseError:
            return  # Damaged: that is what backups are for.


def _set_aside(file: Path) -> Path | None:
    """Give the database a second name, under which it stays. Returns that name; None if there is no database."""
    log = file.with_name(f"{file.name}-wal")
    aside = next(name for number in count(1) if not (name := file.with_name(f"{file.name}.old-{number}")).exists())
    there = file.exists()
    if there:
        try:
            os.link(file, aside)  # So that at no moment there is no database.
        except OSError:  # Not every file system has second names.
            shutil.copy2(file, aside)
    # SQLite would add an old log to the new file.
    with suppress(FileNotFoundError):
        log.replace(aside.with_name(f"{aside.name}-wal"))
    file.with_name(f"{file.name}-shm").unlink(missing_ok=True)
    return aside if there else None


@contextmanager
def _new_file(target: Path) -> Iterator[Path]:
    """A scratch file beside `target` that takes its place when the block ends, or vanishes if the block fails."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with new_file(target) as scratch:
            yield scratch
            if target.exists():
                scratch.chmod(target.stat().st_mode)
    except OSError as error:
        raise BackupError(f"{target} cannot be written: {error.strerror}") from error
