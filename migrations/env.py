"""How alembic reaches the database: the URL comes from the bot, or from the settings when run by hand."""

import asyncio

from alembic import context
from sqlalchemy.engine import URL, Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from bot.storage.tables import Table


def database_url() -> URL:
    given = context.config.attributes.get("url")
    if isinstance(given, URL):
        return given
    from bot.settings import load_settings
    from bot.storage.database import parse_url

    return parse_url(load_settings().database_url.get_secret_value())


def migrate(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        # Python's driver opens no transaction before DDL. Opened here, it makes the migrations all or nothing even if
        # the process is killed, and as it takes the lock at once, of two first starts the second one waits.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    context.configure(
        connection=connection,
        target_metadata=Table.metadata,
        render_as_batch=True,  # SQLite cannot alter tables in place: batch mode copies them.
        compare_type=True,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()


async def migrate_online() -> None:
    engine = create_async_engine(database_url(), poolclass=NullPool, hide_parameters=True)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(migrate)
    finally:
        await engine.dispose()


if context.is_offline_mode():
    context.configure(url=database_url(), target_metadata=Table.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    asyncio.run(migrate_online())
