"""A character: card, prompt and engine together, and the command that lets one speak."""

import io
import json
import shutil
import subprocess
import sys
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from model.__main__ import main
from model.character import DRAWS, SPEECHLESS, Character, load_character
from model.content_filter import ContentFilter
from model.dataset import AnswerExamples
from model.engine import GenerationSettings, Piece
from model.errors import ModelError
from model.examples import Dialogue
from model.persona import Persona, write_persona
from model.prompt import Prompt, Turn
from model.store import Store

ROOT = Path(__file__).parents[2]
PERSONA = Persona("dwight", "Dwight Schrute", card="You are Dwight Schrute.")
HISTORY = [Turn("Jim", "Good morning.", False), Turn("Dwight", "Fact.", True), Turn("Jim", "Why?", False)]


class RecordingEngine:
    """Implements the engine's protocol: queued pieces out, prompts kept."""

    def __init__(self, *pieces: str, cut_off: bool = False) -> None:
        self.pieces = [*map(Piece, pieces), *([Piece("", cut_off=True)] if cut_off else [])]
        self.prompts: list[list[int]] = []
        self.cancelled = False

    async def generate(self, prompt: Sequence[int], settings: GenerationSettings) -> AsyncGenerator[Piece, None]:
        self.prompts.append(list(prompt))
        try:
            for piece in self.pieces:
                yield piece
        except GeneratorExit:
            self.cancelled = True
            raise

    async def close(self) -> None:
        self.cancelled = True


@pytest.fixture
def store(gpt2_base: Path, llama_base: Path, tmp_path: Path) -> Path:
    """A store with a version of full weights that never learned anything."""
    run = tmp_path / "run"
    shutil.copytree(llama_base, run / "weights")
    write_persona(PERSONA, run / "persona.toml")
    (run / "training.json").write_text(json.dumps({"base": str(llama_base), "method": "full"}))
    Store(tmp_path / "store").add("dwight", run)
    return tmp_path / "store"


async def test_training_and_serving_see_the_same_ids_for_the_same_history(either_base: Path) -> None:
    prompt = Prompt.from_folder(either_base, PERSONA.card)
    engine = RecordingEngine("Because.")
    character = Character(PERSONA, "v1", prompt, engine, context=256)
    assert [piece async for piece in character.reply(HISTORY)] == ["Because."]
    example = AnswerExamples([Dialogue(tuple(HISTORY), "Because.")], prompt, 256)[0]
    assert engine.prompts == [example.ids[: example.answer_start]]


async def test_leading_white_space_of_an_answer_is_left_out(gpt2_base: Path) -> None:
    character = Character(PERSONA, "v1", Prompt.from_folder(gpt2_base), RecordingEngine(" ", "\n Hi", " you "), 256)
    assert [piece async for piece in character.reply(HISTORY)] == ["Hi you"]


@pytest.mark.parametrize(
    ("pieces", "cut_off", "answer"),
    [
        (["I play", ' jazz. "Really', '!" Every day', " I"], True, 'I play jazz. "Really!"'),
        (["I play", " jazz. Every day", " I"], False, "I play jazz. Every day I"),
        (["I play jazz. Every day."], True, "I play jazz. Every day."),
        (["I play and play and", " play"], True, SPEECHLESS),
        (["Pi is 3.14 and", " so"], True, SPEECHLESS),
    ],
)
async def test_a_sentence_that_the_length_limit_cut_off_is_left_out(
    gpt2_base: Path, pieces: list[str], cut_off: bool, answer: str
) -> None:
    engine = RecordingEngine(*pieces, cut_off=cut_off)
    character = Character(PERSONA, "v1", Prompt.from_folder(gpt2_base), engine, 256)
    assert "".join([piece async for piece in character.reply(HISTORY)]) == answer


async def test_closing_the_answer_closes_the_engines_stream(gpt2_base: Path) -> None:
    engine = RecordingEngine("Bears eat beets daily. ", "Two. ", "Three.")
    reply = Character(PERSONA, "v1", Prompt.from_folder(gpt2_base), engine, 256).reply(HISTORY)
    await anext(reply)
    await reply.aclose()
    assert engine.cancelled


class DrawingEngine:
    """Implements the engine's protocol: one of the queued answers for each draw; keeps the settings of each."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.draws: list[GenerationSettings] = []

    async def generate(self, prompt: Sequence[int], settings: GenerationSettings) -> AsyncGenerator[Piece, None]:
        self.draws.append(settings)
        for word in self.answers.pop(0).split(" "):
            yield Piece(word + " ")

    async def close(self) -> None: ...


async def drawn(base: Path, engine: DrawingEngine, **changes: Any) -> str:
    character = Character(PERSONA, "v1", Prompt.from_folder(base), engine, 256, ContentFilter())
    return "".join([part async for part in character.reply(HISTORY, GenerationSettings(**changes))])


@pytest.mark.parametrize(
    "failed", ["", "...", "Jim: Hello there.", "<|im_end|> Beets are best.", "*nods* Beets are best.", "Fact.", "Shit."]
)
async def test_an_answer_that_fails_the_checks_is_drawn_again(gpt2_base: Path, failed: str) -> None:
    engine = DrawingEngine(failed, failed, "Because bears eat beets.")
    assert await drawn(gpt2_base, engine) == "Because bears eat beets."
    assert engine.answers == []


async def test_after_three_draws_the_character_says_that_it_is_at_a_loss(gpt2_base: Path) -> None:
    engine = DrawingEngine("Shit.", "Jim: Hello.", "", "A fourth draw.")
    assert await drawn(gpt2_base, engine) == SPEECHLESS
    assert len(engine.draws) == DRAWS
    persona = replace(PERSONA, speechless="Question. What?")
    character = Character(persona, "v1", Prompt.from_folder(gpt2_base), DrawingEngine("", "", ""), 256)
    assert [part async for part in character.reply(HISTORY)] == ["Question. What?"]


async def test_two_losses_in_a_row_do_not_sound_alike(gpt2_base: Path) -> None:
    persona = replace(PERSONA, speechless="Question. What?")
    character = Character(persona, "v1", Prompt.from_folder(gpt2_base), DrawingEngine("", "", ""), 256)
    history = [*HISTORY, Turn("Dwight", "Question. What?", True), Turn("Jim", "Well?", False)]
    assert [part async for part in character.reply(history)] == [SPEECHLESS]


async def test_a_later_sentence_that_fails_ends_the_answer_before_it(gpt2_base: Path) -> None:
    engine = DrawingEngine("Bears eat beets all day. Jim: No, shit. They do.")
    assert await drawn(gpt2_base, engine) == "Bears eat beets all day."


async def test_each_draw_has_the_next_seed_and_is_not_too_cold_to_differ(gpt2_base: Path) -> None:
    engine = DrawingEngine("", "", "")
    await drawn(gpt2_base, engine, seed=2**32 - 2, temperature=0)
    assert [draw.seed for draw in engine.draws] == [2**32 - 2, 2**32 - 1, 0]
    assert [draw.temperature for draw in engine.draws] == [0, 0.7, 0.7]
    warm = DrawingEngine("", "", "")
    await drawn(gpt2_base, warm, temperature=0.9)
    assert {(draw.seed, draw.temperature) for draw in warm.draws} == {(None, 0.9)}


async def test_why_reaches_the_model_with_the_characters_own_last_answer(either_base: Path) -> None:
    prompt, engine = Prompt.from_folder(either_base, PERSONA.card), RecordingEngine("Because.")
    assert [part async for part in Character(PERSONA, "v1", prompt, engine, 256).reply(HISTORY)]
    assert "Good morning." in prompt.decode(engine.prompts[0])
    assert prompt.decode(engine.prompts[0]).index("Fact.") < prompt.decode(engine.prompts[0]).index("Why?")


async def test_without_the_filter_words_pass_that_the_filter_keeps_back(gpt2_base: Path) -> None:
    character = Character(PERSONA, "v1", Prompt.from_folder(gpt2_base), DrawingEngine("Shit happens to bears."), 256)
    assert "".join([part async for part in character.reply(HISTORY)]) == "Shit happens to bears."


async def test_a_long_history_leaves_room_for_the_answer(gpt2_base: Path) -> None:
    engine = RecordingEngine("ok")
    character = Character(PERSONA, "v1", Prompt.from_folder(gpt2_base), engine, context=128)
    history = [Turn("", "beets " * 20, False)] * 30
    assert [piece async for piece in character.reply(history, GenerationSettings(max_new_tokens=40))]
    assert 0 < len(engine.prompts[0]) <= 128 - 40


@pytest.mark.parametrize("engine", ["openvino", "transformers"])
async def test_either_engine_serves_a_stored_version(store: Path, engine: str) -> None:
    character = load_character("dwight", store, engine)
    assert (character.name, character.version) == ("Dwight Schrute", "v1")
    settings = GenerationSettings(max_new_tokens=8, temperature=1.0, seed=1)
    assert "".join([piece async for piece in character.reply(HISTORY, settings)])
    await character.close()


def test_an_unknown_engine_is_named(store: Path) -> None:
    with pytest.raises(ModelError, match="engine 'magic' is unknown; there are: openvino, transformers"):
        load_character("dwight", store, "magic")


def test_say_prints_the_answer_and_nothing_else(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["say", "--persona", "dwight", "--store", str(store), "--seed", "3", "Who are you?"]
    assert main(arguments) == 0
    first = capsys.readouterr().out
    assert main(arguments) == 0
    assert capsys.readouterr().out == first
    assert first.count("\n") == 1


def test_say_answers_each_line_of_standard_input(
    store: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"Hello\n\nWho are you?\n\xff\n")))
    assert main(["say", "--persona", "dwight", "--store", str(store), "-"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_a_seed_or_a_store_that_will_not_do_is_one_line(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["say", "--persona", "dwight", "--store", str(store), "--seed", "-1", "Hi"]) == 1
    assert "seed is -1, but must be 0 to 4294967295" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert main(["say", "--persona", "lisa", "--store", str(tmp_path / "file"), "Hi"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    "command", ["train --examples x --persona x", "evaluate --persona dwight --store STORE --examples x"]
)
def test_without_the_training_set_its_installation_is_named(store: Path, command: str) -> None:
    code = (
        "import sys; sys.modules['torch'] = sys.modules['pyarrow'] = None\n"
        "from model.__main__ import main; sys.exit(main(sys.argv[1:]))"
    )
    arguments = command.replace("STORE", str(store)).split()
    result = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert "make install-dev" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_missing_persona_is_one_line_and_an_exit_code(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["say", "--persona", "homer", "--store", str(store), "Hi"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: no persona 'homer'")
    assert error.count("\n") == 1


def test_versions_are_listed_promoted_and_rolled_back(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Store(store).add("dwight", store.parent / "run")
    place = ["--persona", "dwight", "--store", str(store)]
    assert main(["promote", *place, "v1"]) == 0
    assert main(["rollback", *place]) == 0
    capsys.readouterr()
    assert main(["list", "--store", str(store)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("dwight   v1")
    assert lines[1].startswith("dwight * v2")
    assert lines[2].startswith("lisa")
