"""A stage for each test, and a character for those that want a real engine."""

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.settings import Settings
from model.persona import Persona, write_persona
from model.store import Store
from tests.e2e.stage import Stage, free_port, open_stage
from tests.model.conftest import make_tiny_llama


@pytest.fixture
async def stage(tmp_path: Path, migrated: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    monkeypatch.chdir(tmp_path)
    shutil.copy(migrated, tmp_path / "bot.db")
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    async with open_stage(tmp_path) as stage:
        yield stage


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a character of two layers, who never learned to speak."""
    folder = tmp_path_factory.mktemp("real-engine")
    make_tiny_llama(folder / "run" / "weights")
    write_persona(Persona("tiny", "Tiny", card="You are Tiny."), folder / "run" / "persona.toml")
    (folder / "run" / "training.json").write_text(json.dumps({"base": "none", "method": "full"}))
    Store(folder / "store").add("tiny", folder / "run")
    return folder / "store"
