"""The bot against the offline Telegram, in one process: a try-out without a token."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from pydantic import SecretStr

from bot.app import build, stop_on_signals
from bot.chat_service import Actor
from bot.offline import OfflineTelegram
from bot.settings import Settings

TOKEN = "7000000001:offline"  # Telegram gives bots ids far from those of the people on the page.
FOLDER = Path("var")


async def rehearse(settings: Settings, *, actor: Actor, stop: asyncio.Event | None = None) -> None:
    """Serve the page and let the actor answer on it, until told to stop."""
    stop = stop or stop_on_signals()
    async with _server(settings.offline_port, actor.name) as server:
        database = FOLDER / f"offline-{server.url.rpartition(':')[2]}.db"
        _remove(database)
        print(f"Open {server.url} and say hello to {actor.name}.", flush=True)
        try:
            await build(_offline(settings, server.url, database), actor=actor).run(stop)
        finally:
            _remove(database)


def _offline(settings: Settings, url: str, database: Path) -> Settings:
    """The settings, without what is about the real Telegram and the people there."""
    return settings.model_copy(
        update={
            "telegram_bot_token": SecretStr(TOKEN),
            "telegram_base_url": url,
            "database_url": SecretStr(f"sqlite+aiosqlite:///{database}"),
            "proxy_url": None,
            "webhook_url": None,
            "allowed_user_ids": frozenset(),
            "allowed_chat_ids": frozenset(),
        }
    )


@asynccontextmanager
async def _server(port: int, name: str) -> AsyncIterator[OfflineTelegram]:
    server = OfflineTelegram(token=TOKEN, port=port, bot_name=name)
    try:
        await server.start()
    except OSError:
        print(f"Port {port} is taken (OFFLINE_PORT), so another one is used.", flush=True)
        server = OfflineTelegram(token=TOKEN, port=0, bot_name=name)
        await server.start()
    try:
        yield server
    finally:
        await server.stop()


def _remove(database: Path) -> None:
    """The offline world starts empty, and so does what the bot remembers of it."""
    for end in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            database.with_name(database.name + end).unlink()
