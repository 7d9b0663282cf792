"""What tests of the bot share: a migrated database of its own for each, and a log that is put back in order."""

import logging
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.logs import CHATTY
from bot.storage.database import Database


@pytest.fixture
def database_file(tmp_path: Path) -> Path:
    return tmp_path / "bot.db"


@pytest.fixture
async def database(database_file: Path, migrated: Path) -> AsyncIterator[Database]:
    shutil.copy(migrated, database_file)
    database = Database(f"sqlite+aiosqlite:///{database_file}")
    await database.open()
    yield database
    await database.close()


@pytest.fixture
def root_logger() -> Iterator[logging.Logger]:
    """Put the root logger, and the levels of others, back as they were."""
    root = logging.getLogger()
    before = root.level, list(root.handlers), [list(handler.filters) for handler in root.handlers]
    levels = {name: logging.getLogger(name).level for name in CHATTY}
    yield root
    root.setLevel(before[0])
    root.handlers[:] = before[1]
    for handler, filters in zip(root.handlers, before[2], strict=True):
        handler.filters[:] = filters
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(False)
