"""Lessons: what people liked or corrected, read strictly, and never a hint at what is held out."""

import json
from pathlib import Path
from typing import Any

import pytest

from model.errors import ModelError
from model.examples import Dialogue, read_dialogues
from model.prompt import Turn
from model.retraining.lessons import read_lessons, without_held_out, write_lessons

LESSON = {
    "context": [
        {"speaker": "Ann", "text": "Hi! 🎷", "is_character": False},
        {"speaker": "Dwight", "text": "Hello.", "is_character": True},
        {"speaker": "Ann", "text": "Do you like hay?", "is_character": False},
    ],
    "speaker": "Dwight",
    "answer": "Who does not?",
    "version": "v3",
    "source": "corrected",
}


def write(file: Path, *lines: dict[str, Any] | str) -> Path:
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    file.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return file


def lesson(*context: str, answer: str) -> Dialogue:
    return Dialogue(tuple(Turn("Ann", text, False) for text in context), answer)


def test_lessons_are_read_as_the_bot_writes_them(tmp_path: Path) -> None:
    (read,) = read_lessons(write(tmp_path / "lessons.jsonl", LESSON))
    assert read.context[1] == Turn("Dwight", "Hello.", True)
    assert [turn.text for turn in read.context] == ["Hi! 🎷", "Hello.", "Do you like hay?"]
    assert (read.answer, read.scene, read.learned) == ("Who does not?", None, ())


def test_the_same_lesson_of_several_people_counts_once_and_empty_lines_not_at_all(tmp_path: Path) -> None:
    other = LESSON | {"answer": "No."}
    file = write(tmp_path / "lessons.jsonl", LESSON, "", other, LESSON | {"source": "liked"}, "  ")
    assert [read.answer for read in read_lessons(file)] == ["Who does not?", "No."]
    assert read_lessons(write(tmp_path / "empty.jsonl")) == []


def test_an_answer_whose_question_is_gone_teaches_nothing(tmp_path: Path) -> None:
    lessons = read_lessons(write(tmp_path / "lessons.jsonl", LESSON | {"context": []}, LESSON))
    assert [len(read.context) for read in lessons] == [3]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"context": ', "it is no JSON"),
        ("[]", "it is no JSON object"),
        (json.dumps(LESSON | {"context": "Hello"}), "'context' must be a list of at most 3 lines"),
        (json.dumps(LESSON | {"context": [*LESSON["context"], "more"]}), "'context' must be a list of at most 3 lines"),
        (json.dumps(LESSON | {"context": ["Hello"]}), "each line of 'context' must have 'speaker', str"),
        (
            json.dumps(LESSON | {"context": [{"speaker": "Ann", "text": "Hi", "is_character": "no"}]}),
            "each line of 'context' must have 'is_character', bool",
        ),
        (json.dumps(LESSON | {"answer": " "}), "'answer' must be a text"),
        (json.dumps(LESSON | {"answer": 7}), "'answer' must be a text"),
    ],
)
def test_what_is_no_lesson_is_named_with_its_line(line: str, reason: str, tmp_path: Path) -> None:
    file = write(tmp_path / "lessons.jsonl", LESSON, line, LESSON)
    with pytest.raises(ModelError) as error:
        read_lessons(file)
    assert str(error.value) == f"{file}, line 2 is no lesson: {reason}"


def test_a_file_that_is_not_there_or_not_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"nowhere\.jsonl cannot be read: No such file"):
        read_lessons(tmp_path / "nowhere.jsonl")
    (tmp_path / "bytes.jsonl").write_bytes(json.dumps(LESSON).encode() + b"\n\xff\xfe\n")
    with pytest.raises(ModelError, match=r"bytes\.jsonl, line 2 is no lesson: it is not UTF-8"):
        read_lessons(tmp_path / "bytes.jsonl")


def test_lessons_survive_being_kept_with_a_run(tmp_path: Path) -> None:
    lessons = [lesson("One?", "Two?", answer="Three\nlines\u2028here."), lesson("Ты кто?", answer="Дуайт.")]
    write_lessons(lessons, tmp_path / "kept.jsonl")
    assert read_lessons(tmp_path / "kept.jsonl") == lessons


def test_a_lesson_that_gives_a_held_out_answer_or_context_away_is_left_out(examples_folder: Path) -> None:
    held_out = next(one for one in read_dialogues(examples_folder, "test") if len(one.context) > 1)
    question = held_out.context[-1].text
    same_context = Dialogue(held_out.context, "Something else.")
    shouted = Dialogue(tuple(Turn("Ann", turn.text.upper() + "!", False) for turn in held_out.context), "Else.")
    same_answer = lesson("Before that.", question, answer=held_out.answer.lower())
    own_words = lesson("Before that.", question, answer="I would rather not say.")
    of_training = Dialogue(read_dialogues(examples_folder, "train")[1].context, "Yes.")
    lessons = [same_context, shouted, same_answer, own_words, of_training, lesson("New to all?", answer="Yes.")]
    kept = without_held_out(lessons, examples_folder)
    assert kept == [own_words, of_training, lessons[-1]]
