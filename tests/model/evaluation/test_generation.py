"""Generated answers: what is asked, with which context and seed, and what is written down."""

from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import pytest
from tqdm import tqdm

from model.character import Character
from model.engine import Engine, GenerationSettings, Piece
from model.errors import ModelError
from model.evaluation.corpus import Exchange
from model.evaluation.generation import MEMORY, Answer, Interview, Script, WatchedEngine, generate_answers
from model.export import export
from model.persona import Persona
from model.prompt import Prompt, Turn

PERSONA = Persona("dwight", "Dwight Schrute", card="You are Dwight Schrute.")


class CountingEngine:
    """Implements the engine's protocol: answers with a number of its own, and keeps what it was asked."""

    def __init__(self, cut_off: bool = False) -> None:
        self.cut_off = cut_off
        self.seeds: list[int | None] = []
        self.prompts: dict[int | None, list[int]] = {}
        self.temperatures: set[float] = set()

    async def generate(self, prompt: Sequence[int], settings: GenerationSettings) -> AsyncGenerator[Piece, None]:
        self.seeds.append(settings.seed)
        self.prompts[settings.seed] = list(prompt)
        self.temperatures.add(settings.temperature)
        yield Piece(f"Fact {settings.seed}.")
        yield Piece("", cut_off=self.cut_off)

    async def close(self) -> None: ...


def exchange(question: str, answer: str, scene: int = 0) -> Exchange:
    return Exchange((Turn("Jim", "Before.", False), Turn("Pam", question, False)), answer, scene)


async def ask(
    base: Path, script: Script, engine: Engine, settings: GenerationSettings | None = None
) -> tuple[Prompt, list[Answer]]:
    prompt = Prompt.from_folder(base, PERSONA.card)
    with tqdm(disable=True) as bar:
        interview = Interview(
            lambda watched: Character(PERSONA, "", prompt, watched, 256), engine, bar, settings or GenerationSettings()
        )
        return prompt, await interview.run(script)


async def test_each_request_has_a_seed_of_its_own_and_keeps_its_place(llama_base: Path) -> None:
    script = Script([exchange(f"{n}?", f"{n}.") for n in range(20)], [[exchange("a?", "a."), exchange("b?", "b.")]])
    engine = CountingEngine()
    _, answers = await ask(llama_base, script, engine)
    assert sorted(engine.seeds, key=str) == sorted(range(22), key=str)
    assert [answer.text for answer in answers] == [f"Fact {n}." for n in range(22)]
    assert [answer.truth for answer in answers] == [truth.truth for truth in script.truths]
    assert [answer.dialogue for answer in answers] == [truth.dialogue for truth in script.truths]


async def test_a_single_answer_sees_the_true_context(llama_base: Path) -> None:
    engine = CountingEngine()
    prompt, (answer,) = await ask(llama_base, Script([exchange("Why?", "Because.")], []), engine)
    assert answer == Answer(exchange("Why?", "").context, "Because.", "Fact 0.")
    assert engine.prompts[0] == prompt.encode(answer.context, 256 - 48)


async def test_in_a_dialogue_the_characters_own_answers_become_the_context(llama_base: Path) -> None:
    run = [exchange(f"{n}?", f"true {n}.") for n in range(6)]
    _, answers = await ask(llama_base, Script([], [run]), CountingEngine())
    said = [Turn("Pam", "0?", False), Turn("", "Fact 0.", True), Turn("Pam", "1?", False)]
    assert answers[1].context == tuple(said)
    assert answers[1].question == "1?"
    assert len(answers[5].context) == MEMORY
    assert answers[5].context[-2:] == (Turn("", "Fact 4.", True), Turn("Pam", "5?", False))
    assert {answer.dialogue for answer in answers} == {0}


@pytest.mark.parametrize("cut_off", [True, False])
async def test_it_is_written_down_whether_the_length_limit_ended_an_answer(cut_off: bool, llama_base: Path) -> None:
    _, (answer,) = await ask(llama_base, Script([exchange("Why?", "So.")], []), CountingEngine(cut_off))
    assert answer.at_limit is cut_off


async def test_the_settings_are_used_and_draws_are_counted(llama_base: Path) -> None:
    before = (Turn("", "Fact 0.", True), Turn("Pam", "Why?", False))  # the first draw would say it again
    engine = CountingEngine()
    script = Script([Exchange(before, "So.", 0), exchange("Who?", "Me.")], [])
    _, answers = await ask(llama_base, script, engine, GenerationSettings(temperature=0.9))
    assert [(answer.text, answer.draws) for answer in answers] == [("Fact 1.", 2), ("Fact 1.", 1)]
    assert engine.temperatures == {0.9}


async def test_only_the_last_of_several_generations_counts_as_cut_off() -> None:
    engine = CountingEngine(cut_off=True)
    watched = WatchedEngine(engine)
    assert [piece async for piece in watched.generate([1], GenerationSettings())]
    assert watched.at_limit
    engine.cut_off = False
    assert [piece async for piece in watched.generate([1], GenerationSettings())]
    assert not watched.at_limit


def test_at_most_two_hundred_exchanges_and_twenty_dialogues_are_asked() -> None:
    exchanges = [exchange(f"{n}?", f"{n}.", n // 6) for n in range(600)]
    script = Script.of(exchanges)
    assert (len(script.singles), len(script.dialogues)) == (200, 20)
    assert all(len(run) == 6 for run in script.dialogues)
    smaller = Script.of(exchanges, limit=25)
    assert (len(smaller.singles), len(smaller.dialogues)) == (25, 3)


def test_few_exchanges_are_asked_again_until_there_are_enough() -> None:
    script = Script.of([exchange("a?", "a."), exchange("b?", "b.", 1), exchange("c?", "c.", 2)])
    assert len(script.singles) == 200
    assert [single.answer for single in script.singles[:5]] == ["a.", "b.", "c.", "a.", "b."]
    assert script.dialogues == []


def test_the_served_engine_gives_the_same_answers_again(llama_base: Path, tmp_path: Path) -> None:
    export(llama_base, tmp_path / "engine")
    script = Script([], [[exchange(f"Number {number}?", f"{number}.") for number in range(6)]])
    answers = generate_answers(tmp_path / "engine", PERSONA, script)
    assert [answer.truth for answer in answers] == [f"{number}." for number in range(6)]
    assert len({answer.text for answer in answers}) > 1
    assert generate_answers(tmp_path / "engine", PERSONA, script) == answers


def test_a_folder_that_cannot_be_served_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=str(tmp_path)):
        generate_answers(tmp_path, PERSONA, Script([], []))
