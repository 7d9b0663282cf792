"""What a version was trained on: written, read, and searched for where an answer comes from."""

import json
from pathlib import Path

import pytest

from data_prep.schema import QA_PAIRS
from model.errors import ModelError
from model.examples import read_rows
from model.sources import ScriptLine, Sources, load_sources, read_sources, training_lines, write_sources
from model.store import MANIFEST, SOURCES

LISA, BART = "Lisa Simpson", "Bart Simpson"


def line(speaker: str, text: str, scene: int = 1) -> ScriptLine:
    return ScriptLine(speaker, text, "7", "Evergreen Terrace", scene, speaker == LISA)


MEAT = line(BART, "What is for dinner tonight?")
LENTILS = line(LISA, "Lentils, because nobody had to die for them today.")
SAX = line(LISA, "I play the saxophone.", 2)
DARE = line(BART, "I dare you to play the saxophone on the roof at midnight.", 2)
AGAIN = line(LISA, "I play the saxophone!", 3)
SCRIPT = [MEAT, LENTILS, SAX, DARE, AGAIN]


def test_the_nearest_line_comes_first_with_the_line_that_it_answers() -> None:
    trace = Sources(SCRIPT).trace("For dinner? Lentils.")
    assert [(source.line, source.before) for source in trace.sources] == [(LENTILS, MEAT)]
    assert not trace.copied
    assert not trace.whole


def test_the_first_line_of_a_scene_answers_nothing() -> None:
    (source, *_) = Sources(SCRIPT).trace("My saxophone!").sources
    assert (source.line, source.before) == (SAX, None)


def test_eight_words_in_a_row_make_a_copy_and_seven_do_not() -> None:
    sources = Sources(SCRIPT)
    assert sources.trace("well: LENTILS because nobody had to die for him").copied is False
    assert sources.trace("well: LENTILS because nobody had to die for them").copied is True


def test_a_copy_of_somebody_elses_line_shows_that_line_first() -> None:
    trace = Sources(SCRIPT).trace("Dare you to play the saxophone on the roof?")
    assert trace.copied
    assert [source.line for source in trace.sources[:2]] == [DARE, SAX]


def test_what_the_character_and_another_say_alike_counts_as_the_characters() -> None:
    said = "Nobody move, I have lost my very last pearl!"
    trace = Sources([line(BART, said), line(LISA, said, 2)]).trace(said)
    assert [source.line.speaker for source in trace.sources] == [LISA]


def test_a_short_line_taken_whole_is_told_apart_from_a_copy() -> None:
    trace = Sources(SCRIPT).trace("i play the Saxophone")
    assert (trace.copied, trace.whole) == (False, True)


def test_lines_of_the_same_words_are_shown_once_and_never_more_than_three() -> None:
    lines = [line(LISA, f"Jazz number {number}.") for number in (1, 2, 3, 4, 1)]
    texts = [source.line.text for source in Sources(lines).trace("Jazz number 1").sources]
    assert len(texts) == len(set(texts)) == 3
    assert texts[0] == "Jazz number 1."


def test_an_answer_that_is_like_nothing_has_no_sources() -> None:
    assert Sources(SCRIPT).trace("Хорошо.").sources == []
    assert Sources([]).trace("Hello.").sources == []


def test_the_lines_are_those_of_the_training_episodes_in_the_shows_order(examples_folder: Path) -> None:
    lines = training_lines(examples_folder)
    rows = read_rows(examples_folder / QA_PAIRS, ("answer", "split"))
    assert [each.text for each in lines] == [row["answer"] for row in rows if row["split"] == "train"]
    assert {each.speaker for each in lines if each.own} == {"Dwight Schrute"}
    assert {each.episode for each in lines} == {str(number) for number in range(12)}


def test_what_is_written_is_read_back_and_is_the_same_file_each_time(tmp_path: Path) -> None:
    lines = [*SCRIPT, line(LISA, "Über\u2028\n“quotes” 🎷")]
    for name in ("a", "b"):
        write_sources(lines, tmp_path / name)
    assert read_sources(tmp_path / "a") == lines
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def store_version(store: Path, name: str = "v1") -> Path:
    """As much of a version as this needs."""
    folder = store / "lisa" / name
    folder.mkdir(parents=True)
    (folder / MANIFEST).write_text(json.dumps({"created": "", "base": "", "files": {}}))
    return folder


def test_the_sources_are_those_of_the_version_that_is_asked_for(tmp_path: Path) -> None:
    for name, said in (("v1", SAX), ("v2", LENTILS)):
        write_sources([said], store_version(tmp_path, name) / SOURCES)
    sources = load_sources("lisa", tmp_path, "v2")
    assert sources is not None
    assert [source.line for source in sources.trace("saxophone, lentils").sources] == [LENTILS]


def test_a_version_that_is_gone_or_older_than_the_file_has_no_sources(tmp_path: Path) -> None:
    store_version(tmp_path)
    assert load_sources("lisa", tmp_path, "v1") is None
    assert load_sources("lisa", tmp_path, "v2") is None
    assert load_sources("lisa", tmp_path / "nowhere", "../v1") is None


@pytest.mark.parametrize("damage", ["cut", "text", "other"])
def test_a_damaged_file_is_named(tmp_path: Path, damage: str) -> None:
    file = store_version(tmp_path) / SOURCES
    write_sources(SCRIPT, file)
    whole = file.read_bytes()
    file.write_bytes({"cut": whole[:-20], "text": b"no gzip", "other": whole[:30] + b"\0" + whole[31:]}[damage])
    with pytest.raises(ModelError, match=r"sources\.jsonl\.gz cannot be read"):
        load_sources("lisa", tmp_path, "v1")
