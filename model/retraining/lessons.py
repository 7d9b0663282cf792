"""Lessons: answers that people liked or corrected, which are learned besides the script's.

A JSON object a line, as `python -m bot feedback FILE` writes it: `context`, a list of at most three lines with
`speaker`, `text` and `is_character`, and the `answer`. What else stands in it is not needed here. Lessons are what
people wrote in their chats, so they stay out of the version's folder, and out of the sources that are shown.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from data_prep.schema import TEST, VALIDATION
from model.atomic import write_text
from model.errors import ModelError
from model.examples import Dialogue, read_dialogues
from model.prompt import Turn
from model.sentences import words

MOST_LINES = 3  # of context, as in the examples
TURN = {"speaker": str, "text": str, "is_character": bool}

Wording = tuple[tuple[str, ...], ...]


def read_lessons(file: Path) -> list[Dialogue]:
    """The lessons in a file, each once, but for answers to nobody; ModelError names the line that is no lesson."""
    try:
        lines = file.read_bytes().split(b"\n")
    except OSError as error:
        raise ModelError(f"{file} cannot be read: {error.strerror}") from error
    lessons = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                lessons.append(_lesson(json.loads(line.decode())))
            except ValueError as error:
                raise ModelError(f"{file}, line {number} is no lesson: {_reason(error)}") from error
    # What an answer without a line before it answered is not known any more.
    return [lesson for lesson in dict.fromkeys(lessons) if lesson.context]


def write_lessons(lessons: Iterable[Dialogue], file: Path) -> None:
    """Write lessons to a file that `read_lessons` reads."""
    objects = ({"context": [asdict(turn) for turn in one.context], "answer": one.answer} for one in lessons)
    write_text(file, "".join(json.dumps(one) + "\n" for one in objects))


def without_held_out(lessons: Sequence[Dialogue], examples: Path) -> list[Dialogue]:
    """The lessons that give nothing away of the episodes which a version is measured on.

    Left out are those whose context is a held-out one, and those that hold a question with its true answer, whatever
    was said before; case and punctuation make no difference. ModelError if the examples cannot be read.
    """
    held_out = [dialogue for split in (VALIDATION, TEST) for dialogue in read_dialogues(examples, split)]
    contexts = {_wording(dialogue.context) for dialogue in held_out}
    exchanges = {_exchange(dialogue) for dialogue in held_out}
    return [one for one in lessons if _wording(one.context) not in contexts and _exchange(one) not in exchanges]


def _lesson(values: Any) -> Dialogue:
    """ValueError says what is missing."""
    if not isinstance(values, dict):
        raise ValueError("it is no JSON object")
    context, answer = values.get("context"), values.get("answer")
    if not isinstance(context, list) or len(context) > MOST_LINES:
        raise ValueError(f"'context' must be a list of at most {MOST_LINES} lines")
    if not isinstance(answer, str) or not answer.strip():
        raise ValueError("'answer' must be a text")
    return Dialogue(tuple(map(_turn, context)), answer)


def _turn(values: Any) -> Turn:
    for name, kind in TURN.items():
        if not isinstance(values, dict) or not isinstance(values.get(name), kind):
            raise ValueError(f"each line of 'context' must have {name!r}, {kind.__name__}")
    return Turn(values["speaker"], values["text"], values["is_character"])


def _reason(error: ValueError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    return "it is no JSON" if isinstance(error, json.JSONDecodeError) else str(error)


def _wording(turns: Sequence[Turn]) -> Wording:
    return tuple(tuple(words(turn.text)) for turn in turns)


def _exchange(dialogue: Dialogue) -> Wording:
    return (*_wording(dialogue.context[-1:]), tuple(words(dialogue.answer)))
