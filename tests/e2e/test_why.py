"""/why over real HTTP: what people ask about, and what they are told of the script."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.bot.actors import ScriptedActor
from tests.e2e.stage import Stage

NEW, COPY = "It is new", "It is a copy"
SAX = "I have played the saxophone since I was three, Dad."
LINES = [
    ("Homer Simpson", "Must you blow that thing at night?", 1),
    ("Lisa Simpson", SAX, 1),
    ("Lisa Simpson", "Second grade, with Miss Hoover.", 2),
]


def give_sources(store: Path, version: str = ScriptedActor.version) -> Path:
    """A version in the store with a script of three lines; returns the file that holds them."""
    folder = store / "lisa" / version
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({"created": "", "base": "", "files": {}}))
    from model.sources import ScriptLine, write_sources

    lines = [
        ScriptLine(who, text, "12", "Evergreen Terrace", scene, who == "Lisa Simpson") for who, text, scene in LINES
    ]
    write_sources(lines, folder / "sources.jsonl.gz")
    return folder / "sources.jsonl.gz"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    give_sources(tmp_path / "store")
    return tmp_path / "store"


async def talk(stage: Stage, *texts: str, replies: tuple[str, ...], **settings: Any) -> list[str]:
    """Say one text after the other in private; returns what the bot said, one message for each."""
    async with stage.bot(ScriptedActor(*replies), **settings):
        for number, text in enumerate(texts, 1):
            await stage.say(text)
            await stage.answers(number)
        return await stage.answers(len(texts))


async def test_alone_it_explains_the_last_answer_with_line_question_episode_and_place(
    stage: Stage, store: Path
) -> None:
    replies = ("Hi!", "My saxophone and I are three.")
    *_, why = await talk(stage, "Hello", "Tell me", "/why", replies=replies, model_store=store)
    assert why == (
        "My answer: “My saxophone and I are three.”\n\n"
        "It is new: nowhere are eight words in a row just as in my script.\n\n"
        "The lines of my script that are most like it:\n\n"
        f"1. Lisa Simpson: “{SAX}”\n"
        "after Homer Simpson: “Must you blow that thing at night?”\n"
        "Episode 12, Evergreen Terrace"
    )


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("I have played the saxophone since I was", COPY),
        ("I have played the saxophone since I", NEW),
        ("second grade with miss hoover", "These very words are in my script"),
        ("Хорошо.", NEW),
    ],
)
async def test_it_says_plainly_whether_the_answer_is_a_copy(
    stage: Stage, store: Path, answer: str, verdict: str
) -> None:
    _, why = await talk(stage, "/ask Who are you?", "/why", replies=(answer,), model_store=store)
    assert why.split("\n\n")[1].startswith(verdict)


async def test_as_a_reply_it_explains_the_answer_that_is_replied_to(stage: Stage, store: Path) -> None:
    async with stage.bot(ScriptedActor(SAX, "Fine."), model_store=store):
        await stage.say("Do you play?")
        (first,) = await stage.messages(1)
        await stage.say("How are you?")
        await stage.answers(2)
        await stage.say("/why", reply_to=first["message_id"])
        why = (await stage.answers(3))[-1]
    assert f"My answer: “{SAX}”" in why
    assert COPY in why


async def test_a_part_of_a_long_answer_stands_for_the_whole(stage: Stage, store: Path) -> None:
    filler = " ".join(f"Sentence number {number} is here." for number in range(400))
    async with stage.bot(ScriptedActor(f"{filler} {SAX}"), model_store=store):
        await stage.say("Tell me a story")
        parts = len(await stage.messages(3))
        first = (await stage.messages(parts))[0]
        await stage.say("/why", reply_to=first["message_id"])
        why = (await stage.answers(parts + 1))[-1]
    assert COPY in why


async def test_what_people_or_the_bots_notices_say_is_not_explained(stage: Stage, store: Path) -> None:
    async with stage.bot(ScriptedActor("Hi!"), model_store=store):
        mine = await stage.say(SAX)
        await stage.answers(1)
        await stage.say("/help")
        notice = (await stage.messages(2))[-1]
        for number, message_id in enumerate((mine["message_id"], notice["message_id"]), 3):
            await stage.say("/why", reply_to=message_id)
            assert (await stage.answers(number))[-1].startswith("I can explain only what I answered here.")


async def test_another_chats_answers_are_not_explained(stage: Stage, store: Path) -> None:
    async with stage.bot(ScriptedActor(SAX), model_store=store):
        await stage.say("Do you play?")
        await stage.answers(1)
        await stage.say("/why", user=2)
        assert (await stage.answers(1, chat=2))[0].startswith("I have not answered anything here yet.")


async def test_an_answer_of_a_version_without_the_file_gets_a_kind_word(stage: Stage, store: Path) -> None:
    (store / "lisa" / ScriptedActor.version / "sources.jsonl.gz").unlink()
    _, why = await talk(stage, "Hello", "/why", replies=("Hi!",), model_store=store)
    assert why == "Sorry, I do not know what I learned that from."


async def test_a_damaged_file_gets_a_kind_word_and_one_line_in_the_log(
    stage: Stage, store: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (store / "lisa" / ScriptedActor.version / "sources.jsonl.gz").write_bytes(b"?")
    _, why = await talk(stage, "Hello", "/why", replies=("Hi!",), model_store=store)
    assert why == "Sorry, I do not know what I learned that from."
    assert [record.getMessage() for record in caplog.records if "sources.jsonl.gz cannot be read" in record.message]


async def test_each_answer_is_explained_by_the_version_that_gave_it(stage: Stage, store: Path) -> None:
    async with stage.bot(ScriptedActor(SAX), model_store=store):
        await stage.say("Do you play?")
        (first,) = await stage.messages(1)
    newer = ScriptedActor("Hi!")
    newer.version = "v-without-sources"
    async with stage.bot(newer, model_store=store):
        await stage.say("Hello")
        await stage.answers(2)
        await stage.say("/why")
        assert (await stage.answers(3))[-1].startswith("Sorry")
        await stage.say("/why", reply_to=first["message_id"])
        assert COPY in (await stage.answers(4))[-1]
