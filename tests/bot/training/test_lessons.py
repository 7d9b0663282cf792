"""The command that writes what was accepted: whole or not at all, and a mistake is one line."""

import asyncio
import logging
from pathlib import Path

import pytest

from bot import __main__ as program
from bot.settings import Settings
from bot.storage.database import Database

OLD = "what was written before"


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root_logger: logging.Logger) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("DATABASE_URL", "sqlite+aiosqlite:///bot.db")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    file = tmp_path / "lessons.jsonl"
    file.write_text(OLD)
    return file


def make_database(file: Path) -> None:
    async def make() -> None:
        database = Database(f"sqlite+aiosqlite:///{file}")
        await database.open()
        await database.close()

    asyncio.run(make())


def test_without_a_database_nothing_is_written_and_none_is_made(
    target: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert program.main(["feedback", str(target)]) == 1
    out, err = capsys.readouterr()
    assert (out, err) == ("", "error: there is no database bot.db (DATABASE_URL), so there is nothing to write\n")
    assert target.read_text() == OLD
    assert [file.name for file in tmp_path.iterdir()] == [target.name]


def test_the_database_itself_is_never_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_database(tmp_path / "bot.db")
    before = (tmp_path / "bot.db").read_bytes()
    assert program.main(["feedback", str(tmp_path / "bot.db")]) == 1
    assert capsys.readouterr().err.startswith(f"error: {tmp_path / 'bot.db'} is the database itself (DATABASE_URL)")
    assert (tmp_path / "bot.db").read_bytes() == before


@pytest.mark.parametrize("place", ["missing/lessons.jsonl", "folder"])
def test_a_place_that_cannot_be_written_is_named_and_nothing_is_left_there(
    place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_database(tmp_path / "bot.db")
    (tmp_path / "folder").mkdir()
    assert program.main(["feedback", place]) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"error: {place} cannot be written: ")
    assert {file.name for file in tmp_path.iterdir()} == {"bot.db", "folder"}


def test_where_nothing_is_accepted_the_file_is_empty_and_the_way_is_told(
    target: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_database(tmp_path / "bot.db")
    assert program.main(["feedback", str(target)]) == 0
    assert capsys.readouterr().out == f"{target}: 0 liked answers, 0 corrected ones; accept some with /review first\n"
    assert target.read_bytes() == b""
