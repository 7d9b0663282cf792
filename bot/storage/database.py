"""The database: opened by URL, brought up to date, closed. SQLite by default, PostgreSQL by its URL."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.errors import SettingsError
from bot.storage.transaction import Sessions
from bot.storage.worker import AsyncWorker, ThreadWorker, Worker

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parents[2] / "migrations"
BUSY_SECONDS = 10
PAUSES = (0.1, 0.2, 0.4, 0.8)
ESCAPES = "the address cannot be read; in a name or password write @ as %40, : as %3A and / as %2F"

# The inbox promises that a killed process loses nothing. For that it is enough that a commit has reached the operating
# system, which NORMAL gives in WAL mode, without waiting for the disk at every commit. A power cut can take the last
# moments before it (never the consistency of the file); who needs more has PostgreSQL.
#
# What is deleted is overwritten at once (secure_delete); why that is not yet all, see `bot.storage.erasure`.
PRAGMAS = (
    f"busy_timeout={BUSY_SECONDS * 1000}",
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "foreign_keys=ON",
    "secure_delete=ON",
)


class Database:
    """An engine and its sessions. Raises SettingsError where the URL cannot be used."""

    def __init__(self, url: str) -> None:
        self._url = parse_url(url)
        self._engine = _engine(self._url)
        self._worker = _worker(self._url, self._engine)
        self.session = Sessions(self._engine, self._worker)

    @property
    def folder(self) -> Path:
        """Where an SQLite file lies; with any other database, where the bot runs."""
        return Path(self._url.database or "").parent if _is_file(self._url) else Path()

    async def open(self) -> None:
        """Create what is missing: the folder of an SQLite file, and tables by migration."""
        shown = self._url.render_as_string(hide_password=True)
        try:
            _make_folder(self._url)
            await self._connect()
            if await self._worker.run(_version) != latest_version():
                await asyncio.to_thread(_migrate, self._url)
            await self._worker.run(_empty_log)
        except Exception as error:
            await self.close()
            if not _is_about_the_database(error):
                raise
            reason = getattr(error, "orig", None) or error
            raise SettingsError(f"DATABASE_URL: cannot use {shown}: {' '.join(str(reason).split())}") from error

    async def _connect(self) -> None:
        """Set SQLite's journal mode, once for the file. If two first starts do so together, it refuses one at once."""
        for pause in (*PAUSES, None):
            try:
                async with self._engine.connect():
                    return
            except OperationalError:
                if pause is None:
                    raise
                await asyncio.sleep(pause)

    async def close(self) -> None:
        """Close all connections."""
        await self._worker.close()
        await self._engine.dispose()


def latest_version() -> str:
    """The number of the last migration; their files begin with it."""
    return max(file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("*.py"))


def migration_config(url: URL) -> "Config":
    """Alembic's configuration for a database, independent of the current folder."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["url"] = url
    return config


def _version(connection: Connection) -> str | None:
    """The number of the migration that the database has; None if it has none, or several."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.scalars(text("SELECT version_num FROM alembic_version")).all()
    return str(found[0]) if len(found) == 1 else None


def _empty_log(connection: Connection) -> None:
    """What a killed process has deleted stands in SQLite's log until that is written into the file."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def _migrate(url: URL) -> None:
    """Bring the tables up to date. Alembic takes its time to load, so it is loaded only where it has work to do."""
    from alembic import command

    command.upgrade(migration_config(url), "head")


def parse_url(url: str) -> URL:
    """The parts of a DATABASE_URL. Raises SettingsError, which repeats nothing of it."""
    try:
        parsed = make_url(url)
    except ValueError:  # What should be a port may be a piece of the password: nothing of it is repeated.
        raise SettingsError(f"DATABASE_URL: {ESCAPES}") from None
    except ArgumentError:
        raise SettingsError("DATABASE_URL: this is not a database URL; see .env.example") from None
    if parsed.get_backend_name() != "sqlite" and "@" in f"{parsed.host}{parsed.database}":
        raise SettingsError(f"DATABASE_URL: {ESCAPES}")
    return parsed


def _engine(url: URL) -> AsyncEngine:
    try:
        # Parameters are message texts: they must not show up in errors.
        engine = create_async_engine(url, hide_parameters=True)
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"DATABASE_URL: the driver {error.name} is not installed: pip install {error.name}"
        ) from None
    except ValueError:
        raise SettingsError("DATABASE_URL: a value after the question mark is not of the kind it should be") from None
    except (NoSuchModuleError, SQLAlchemyError) as error:
        raise SettingsError(
            f"DATABASE_URL: {url.drivername!r} will not do ({error}); "
            "use sqlite+aiosqlite:///FILE or postgresql+asyncpg://..."
        ) from None
    if url.get_backend_name() == "sqlite":
        event.listen(engine.sync_engine, "connect", _set_pragmas)
    return engine


def _worker(url: URL, engine: AsyncEngine) -> Worker:
    return ThreadWorker(url, _set_pragmas) if _is_file(url) else AsyncWorker(engine)


def _is_file(url: URL) -> bool:
    return url.get_backend_name() == "sqlite" and bool(url.database) and url.database != ":memory:"


def _is_about_the_database(error: Exception) -> bool:
    """SQLAlchemy translates what a driver raises, except while asyncpg connects."""
    library = type(error).__module__.partition(".")[0]
    return isinstance(error, (SQLAlchemyError, OSError)) or library in ("alembic", "asyncpg")


def _set_pragmas(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _make_folder(url: URL) -> None:
    if _is_file(url):
        Path(url.database or "").parent.mkdir(parents=True, exist_ok=True)
