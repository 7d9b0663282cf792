"""The bot with the engine that it really runs on: a tiny model in a store, and the character that ships."""

import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest

from model.persona import Persona, write_persona
from model.store import Store
from tests.e2e.stage import REPOSITORY, Stage


@pytest.fixture(scope="session")
def two_in_store(store: Path) -> Path:
    """The same store with a second character in it."""
    run = store.parent / "run"
    write_persona(Persona("small", "Small", about="The smallest of all.", card="You are Small."), run / "persona.toml")
    Store(store).add("small", run)
    return store


async def test_serving_with_the_real_engine_opens_no_connection_but_to_telegram(stage: Stage, store: Path) -> None:
    home = stage.folder / "home"
    home.mkdir()
    settings = {"PERSONA": "tiny", "MODEL_STORE": str(store), "HOME": str(home)}
    async with stage.process("-m", "bot", "run", **settings, **stage.witnessed()) as bot:
        await stage.say("Hello")
        await stage.say("/ask Who are you?")
        await stage.answers(2)
        assert await bot.stop() == 0
    assert stage.seen_addresses() == {("127.0.0.1", stage.server.url.rpartition(":")[2])}
    assert [program for program in stage.seen_programs() if "model.engines.batching" in program]
    assert not list(home.rglob("*telemetry*"))


async def test_many_people_are_answered_at_once_by_the_real_engine(stage: Stage, store: Path) -> None:
    async with stage.process("-m", "bot", "run", PERSONA="tiny", MODEL_STORE=str(store)) as bot:
        for person in range(1, 13):
            await stage.say(f"Hello, I am number {person}", user=person)
        for person in range(1, 13):
            assert all(await stage.answers(1, chat=person))
        assert await bot.stop() == 0
    assert "Traceback" not in bot.log


async def test_a_second_character_of_the_store_is_offered_and_loaded_and_answers(
    stage: Stage, two_in_store: Path
) -> None:
    settings = {"PERSONA": "tiny", "PERSONAS": "small", "MODEL_STORE": str(two_in_store)}
    async with stage.process("-m", "bot", "run", **settings) as bot:
        await stage.say("/persona", user=2)
        (menu,) = await stage.messages(1, chat=2)
        await stage.press(menu, "Small", user=2)
        await stage.rows_become("SELECT persona FROM chat_settings", [("small",)])
        await stage.say("Hello", user=2)
        await stage.say("Hello", user=3)
        assert all([*await stage.answers(2, chat=2), *await stage.answers(1, chat=3)])
        assert await bot.stop() == 0
    spoken = stage.rows("SELECT speaker, persona FROM messages WHERE is_character ORDER BY speaker")
    assert spoken == [("Small", "small"), ("Tiny", "tiny")]
    assert bot.log.count("Loading small") == 1
    assert "Traceback" not in bot.log


def test_the_character_that_ships_answers_piped_lines_and_prints_nothing_else(tmp_path: Path) -> None:
    cache = platformdirs.user_cache_path("understudy")
    assert (cache / "bases" / "smollm2-135m").is_dir(), "make install-dev fetches the base that this test speaks with"
    environment = {"UNDERSTUDY_CACHE": str(cache), "PYTHONPATH": str(REPOSITORY), "HOME": str(tmp_path), "PATH": ""}
    result = subprocess.run(
        [sys.executable, "-m", "bot", "chat"],
        input="Hi Lisa!\n/ask Who is your brother?\n",
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    answers = result.stdout.splitlines()
    assert len(answers) == 2
    assert all(answers)
    assert (tmp_path / "var" / "models" / "lisa" / "current").is_file()
