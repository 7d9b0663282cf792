"""The file of lessons: what was liked or corrected, and accepted, for the training to read.

One JSON object a line: `context`, at most three lines with `speaker`, `text` and `is_character`; the `speaker` of the
`answer`; the `answer`; the `version` that was judged; and `source`, "liked" or "corrected".
"""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bot.chat_service import Line
from bot.errors import LessonsError
from bot.review import Lesson
from bot.storage.database import Database, parse_url
from bot.storage.desk import SqlDesk
from bot.storage.new_file import new_file


def write_lessons(url: str, target: Path) -> str:
    """Write the lessons of a DATABASE_URL into a file, which is replaced if it is there. Returns one line that says so.

    Raises LessonsError, and leaves `target` as it was; SettingsError and StorageError where the database will not do.
    """
    _must_be_another(url, target)
    lessons = asyncio.run(_read(url))
    write_file(lessons, target)
    corrected = sum(lesson.is_corrected for lesson in lessons)
    hint = "" if lessons else "; accept some with /review first"
    return f"{target}: {len(lessons) - corrected} liked answers, {corrected} corrected ones{hint}"


class Lessons:
    """What was accepted of a character's answers; nobody learns the words of another. Raises StorageError."""

    def __init__(self, desk: SqlDesk) -> None:
        self._desk = desk

    async def count(self, speaker: str) -> int:
        """How many there are."""
        return len(await self._of(speaker))

    async def write(self, speaker: str, target: Path) -> None:
        """Write them into a file, which is replaced if it is there. Raises LessonsError and OSError."""
        lessons = await self._of(speaker)
        await asyncio.to_thread(target.parent.mkdir, parents=True, exist_ok=True)
        await asyncio.to_thread(write_file, lessons, target)

    async def _of(self, speaker: str) -> list[Lesson]:
        return [lesson for lesson in await self._desk.lessons() if lesson.speaker == speaker]


def write_file(lessons: Sequence[Lesson], target: Path) -> None:
    """Write lessons into a file, which is replaced if it is there. Raises LessonsError, and leaves it as it was."""
    lines = [json.dumps(_shown(lesson), ensure_ascii=False) + "\n" for lesson in lessons]
    try:
        with new_file(target) as scratch:
            scratch.write_bytes("".join(lines).encode("utf-8", "replace"))
    except OSError as error:
        raise LessonsError(f"{target} cannot be written: {error.strerror}") from error


def _must_be_another(url: str, target: Path) -> None:
    """Raise LessonsError if the target is the database itself, or there is no database to read."""
    parsed = parse_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return
    file = Path(parsed.database)
    if file.resolve() == target.resolve():
        raise LessonsError(f"{target} is the database itself (DATABASE_URL); name another file")
    if not file.is_file():
        raise LessonsError(f"there is no database {file} (DATABASE_URL), so there is nothing to write")


async def _read(url: str) -> Sequence[Lesson]:
    database = Database(url)
    try:
        await database.open()
        return await SqlDesk(database.session).lessons()
    finally:
        await database.close()


def _line(line: Line) -> dict[str, Any]:
    return {"speaker": line.speaker, "text": line.text, "is_character": line.is_character}


def _shown(lesson: Lesson) -> dict[str, Any]:
    return {
        "context": [_line(line) for line in lesson.context],
        "speaker": lesson.speaker,
        "answer": lesson.answer,
        "version": lesson.version,
        "source": "corrected" if lesson.is_corrected else "liked",
    }
