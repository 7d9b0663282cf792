"""Connections to SQLite that go to their thread once for a statement, where aiosqlite goes four times.

A connection of aiosqlite is a thread, to which each call is handed over: the making of a cursor, the execution, the
fetching of rows, the closing. Handing over costs more than most of our statements do. So a cursor here is made,
executed, emptied and closed in one go; and what ends no transaction (a rollback after a commit, or after mere reading,
as the pool does it) goes nowhere.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, Self

import aiosqlite

Row = tuple[Any, ...]


class Connection(aiosqlite.Connection):
    """What SQLAlchemy needs of a connection."""

    def cursor(self) -> "Cursor":  # type: ignore[override]  # A cursor of ours, without a way to the thread.
        """A cursor for one statement after the other."""
        return Cursor(self)

    async def commit(self) -> None:
        """Commit, if there is a transaction."""
        if self.in_transaction:
            await super().commit()

    async def rollback(self) -> None:
        """Roll back, if there is a transaction."""
        if self.in_transaction:
            await super().rollback()

    async def run(self, sql: str, parameters: Any, many: bool = False) -> "Result":
        """Execute a statement and fetch all that it gives, in the thread."""
        result: Result = await self._execute(self._run, sql, parameters, many)
        return result

    def _run(self, sql: str, parameters: Any, many: bool) -> "Result":
        cursor = self._conn.cursor()
        try:
            (cursor.executemany if many else cursor.execute)(sql, parameters)
            rows = cursor.fetchall() if cursor.description else []
            return Result(cursor.description, rows, cursor.rowcount, cursor.lastrowid)
        finally:
            cursor.close()


class Result:
    """What a statement has given."""

    __slots__ = ("description", "lastrowid", "rowcount", "rows")

    def __init__(self, description: Any = None, rows: Sequence[Row] = (), rowcount: int = -1, lastrowid: int | None = None):
        self.description = description
        self.rows = rows
        self.rowcount = rowcount
        self.lastrowid = lastrowid


class Cursor:
    """The part of aiosqlite's cursor that SQLAlchemy uses where it reads all rows at once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._result = Result()
        self.arraysize = 1

    @property
    def description(self) -> Any:
        """The columns of the rows, as of DB-API 2.0; None if there are none."""
        return self._result.description

    @property
    def rowcount(self) -> int:
        """How many rows were changed."""
        return self._result.rowcount

    @property
    def lastrowid(self) -> int | None:
        """The number of the row that was inserted last."""
        return self._result.lastrowid

    async def execute(self, sql: str, parameters: Any = ()) -> Self:
        """Execute a statement."""
        self._result = await self._connection.run(sql, parameters)
        return self

    async def executemany(self, sql: str, parameters: Iterable[Any]) -> Self:
        """Execute a statement for each set of parameters."""
        self._result = await self._connection.run(sql, parameters, many=True)
        return self

    async def fetchall(self) -> Sequence[Row]:
        """All rows."""
        return self._result.rows

    async def close(self) -> None:
        """Nothing is open any more."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def connect(database: str, **options: Any) -> Connection:
    """As `aiosqlite.connect` does."""
    return Connection(lambda: sqlite3.connect(database, **options), iter_chunk_size=64)
