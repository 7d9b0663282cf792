"""Whether the bot does its work, for Docker's HEALTHCHECK: the exit status says yes (0) or no (1), a line says why.

A process that runs may yet be stuck. Every message is on record from its receipt until its answer is sent, so what
tells is how long the oldest of them waits. It asks no other service, and needs no open port.
"""

import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy.engine import make_url

from bot.errors import BotError
from bot.settings import load_settings

PATIENCE = timedelta(minutes=15)
BUSY_SECONDS = 10
OLDEST = "SELECT min(received_at) FROM inbox WHERE state IN ('received', 'answered')"


def main() -> int:
    """Print what there is to say. Returns the exit status."""
    try:
        database = make_url(load_settings().database_url.get_secret_value())
        if database.get_backend_name() != "sqlite" or not database.database:
            print("DATABASE_URL is no SQLite file, so nothing is known")
            return 0
        trouble = complaint(Path(database.database), datetime.now(UTC))
    except (BotError, ValueError, sqlite3.Error) as error:
        trouble = f"the database cannot be read: {error}"
    print(trouble or "no message waits for long")
    return 1 if trouble else 0


def complaint(file: Path, moment: datetime) -> str:
    """What is wrong at a moment; empty if nothing is. Raises sqlite3.Error if the database cannot be read."""
    # For writing too: the last one to leave a database with a log tidies up, which a reader could not.
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", timeout=BUSY_SECONDS, uri=True)) as database:
        (oldest,) = database.execute(OLDEST).fetchone()
    if oldest is None or moment - datetime.fromisoformat(oldest).replace(tzinfo=UTC) < PATIENCE:
        return ""
    return f"a message has been waiting since {oldest} (UTC)"


if __name__ == "__main__":
    sys.exit(main())
