"""The default engine: many chats in one batch, streams that can be cancelled, errors that name their cause."""

import asyncio
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from model.engine import GenerationSettings
from model.engines import openvino
from model.engines.batching import CACHE_BLOCKS
from model.engines.openvino import OpenVINOEngine
from model.errors import ModelError
from model.export import export
from model.prompt import Prompt, Turn

ENDLESS = GenerationSettings(max_new_tokens=5000, temperature=1.0, seed=1)
MANY = [replace(ENDLESS, max_new_tokens=500, seed=seed) for seed in range(8)]  # enough work to be measured
ROOT = Path(__file__).parents[2]
LONG = GenerationSettings(max_new_tokens=60, temperature=1.0, top_p=1.0, top_k=0, repetition_penalty=1.0)


@pytest.fixture(scope="module")
def folder(llama_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("exported") / "engine"
    export(llama_base, target)
    return target


@pytest.fixture(scope="module")
def tireless_folder(llama_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a model whose answers end nowhere but at `max_new_tokens`."""
    target = tmp_path_factory.mktemp("tireless")
    make_closing_impossible(llama_base, target / "base")
    export(target / "base", target / "engine")
    return target / "engine"


@pytest.fixture
async def engine(folder: Path) -> AsyncIterator[OpenVINOEngine]:
    running = OpenVINOEngine(folder, Prompt.from_folder(folder))
    yield running
    await running.close()


@pytest.fixture
async def tireless(tireless_folder: Path) -> AsyncIterator[OpenVINOEngine]:
    running = OpenVINOEngine(tireless_folder, Prompt.from_folder(tireless_folder))
    yield running
    await running.close()


def ids(folder: Path, text: str = "Do you like beets?") -> list[int]:
    return Prompt.from_folder(folder).encode([Turn("", text, False)], 200)


async def answer(engine: OpenVINOEngine, prompt: list[int], **changes: Any) -> str:
    settings = replace(GenerationSettings(max_new_tokens=20, temperature=1.0, top_p=1.0, top_k=0), **changes)
    return "".join([piece.text async for piece in engine.generate(prompt, settings)])


async def test_a_seed_makes_an_answer_repeatable(engine: OpenVINOEngine, folder: Path) -> None:
    first, second = [await answer(engine, ids(folder), seed=7) for _ in range(2)]
    assert first == second
    assert await answer(engine, ids(folder), seed=8) != first


async def test_without_a_seed_answers_differ(engine: OpenVINOEngine, folder: Path) -> None:
    assert len({await answer(engine, ids(folder)) for _ in range(4)}) > 1


async def test_more_chats_than_there_are_slots_are_all_answered(engine: OpenVINOEngine, folder: Path) -> None:
    prompts = [ids(folder, f"Tell me about number {number}.") for number in range(80)]
    answers = await asyncio.gather(*(answer(engine, prompt) for prompt in prompts))
    # A model that never learned may well choose to say nothing now and then.
    assert sum(map(bool, answers)) > 60


async def test_chats_in_one_batch_do_not_change_each_others_answers(engine: OpenVINOEngine, folder: Path) -> None:
    prompts = [ids(folder, f"Tell me about {thing}.") for thing in ("beets", "bears", "paper", "goats")]
    alone = [await answer(engine, prompt, temperature=0) for prompt in prompts]
    together = await asyncio.gather(*(answer(engine, prompt, temperature=0) for prompt in prompts))
    assert together == alone


async def test_pieces_are_never_empty_and_length_is_bounded(engine: OpenVINOEngine, folder: Path) -> None:
    pieces = [piece.text async for piece in engine.generate(ids(folder), LONG)]
    assert all(pieces[:-1])
    assert "<|" not in "".join(pieces)
    assert len(pieces) <= LONG.max_new_tokens + 1


async def test_an_answer_that_reaches_the_length_limit_is_marked(engine: OpenVINOEngine, folder: Path) -> None:
    short = GenerationSettings(max_new_tokens=2, temperature=0)
    pieces = [piece async for piece in engine.generate(ids(folder), short)]
    assert [piece.cut_off for piece in pieces] == [False] * (len(pieces) - 1) + [True]


async def test_an_answer_does_not_end_at_once_however_likely_that_is(llama_base: Path, tmp_path: Path) -> None:
    question = [5, 6, 7, 8]
    make_closing_likely(llama_base, tmp_path / "base", question)
    export(tmp_path / "base", tmp_path / "engine")
    engine = OpenVINOEngine(tmp_path / "engine", Prompt.from_folder(tmp_path / "engine"))
    assert await answer(engine, question, temperature=0)
    await engine.close()


def make_closing_likely(base: Path, target: Path, question: list[int]) -> None:
    """Copy a base and turn the closing token's weights into what the model has in mind after a question."""
    import torch

    from model.engines.transformers import load_model

    prompt = Prompt.from_folder(base)
    model: Any = load_model(base)
    with torch.inference_mode():
        mind = model.base_model(torch.tensor([question])).last_hidden_state[0, -1]
        model.get_input_embeddings().weight[prompt.end_of_turn] = 20 * mind / mind.norm()
        assert model(torch.tensor([question])).logits[0, -1].argmax() == prompt.end_of_turn
    model.save_pretrained(target)
    shutil.copy(base / "tokenizer.json", target)


def make_closing_impossible(base: Path, target: Path) -> None:
    """Copy a base and keep one number of the model's state the same, at which the closing token is far from all others.

    Whether a model that never learned ends an answer is chance, and another chance with each processor's rounding.
    """
    import torch

    from model.engines.transformers import load_model

    model: Any = load_model(base)
    with torch.inference_mode():
        model.get_input_embeddings().weight[:, 0] = 1.0
        model.get_input_embeddings().weight[Prompt.from_folder(base).end_of_turn, 0] = -100.0
        for layer in model.base_model.layers:
            layer.self_attn.o_proj.weight[0] = 0.0
            layer.mlp.down_proj.weight[0] = 0.0
    model.save_pretrained(target)
    shutil.copy(base / "tokenizer.json", target)


async def test_closing_the_stream_cancels_the_work(tireless: OpenVINOEngine, tireless_folder: Path) -> None:
    async def read(settings: GenerationSettings) -> None:
        stream = tireless.generate(ids(tireless_folder), settings)
        await anext(stream)
        await stream.aclose()

    whole = await work_of_many_answers(tireless, tireless_folder)
    before = processor_time(tireless._process.number)
    await asyncio.gather(*map(read, MANY))
    assert await becomes_idle(tireless) - before < whole / 2
    assert await answer(tireless, ids(tireless_folder))


async def test_cancelling_the_reader_cancels_the_work(tireless: OpenVINOEngine, tireless_folder: Path) -> None:
    async def read(settings: GenerationSettings) -> None:
        begun = asyncio.Event()
        task = asyncio.create_task(read_all(tireless, tireless_folder, settings, begun))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    whole = await work_of_many_answers(tireless, tireless_folder)
    before = processor_time(tireless._process.number)
    await asyncio.gather(*map(read, MANY))
    assert await becomes_idle(tireless) - before < whole / 2
    assert await answer(tireless, ids(tireless_folder))


async def test_an_answer_goes_on_when_the_process_is_killed(
    tireless: OpenVINOEngine, tireless_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = GenerationSettings(max_new_tokens=2000, temperature=0)
    undisturbed = "".join([piece.text async for piece in tireless.generate(ids(tireless_folder), settings)])
    stream = tireless.generate(ids(tireless_folder), settings)
    begun = (await anext(stream)).text
    kill(tireless)
    assert begun + "".join([piece.text async for piece in stream]) == undisturbed
    assert "its process ended by signal 9; another takes its place" in caplog.text
    assert await answer(tireless, ids(tireless_folder))


async def test_a_request_over_which_two_processes_die_is_given_up_and_others_go_on(
    tireless: OpenVINOEngine, tireless_folder: Path
) -> None:
    stream = tireless.generate(ids(tireless_folder), ENDLESS)
    await anext(stream)
    first = kill(tireless)
    await wait_until(lambda: tireless._process.number != first)
    later = asyncio.create_task(answer(tireless, ids(tireless_folder), max_new_tokens=500))
    await asyncio.sleep(0)
    kill(tireless)
    with pytest.raises(ModelError, match="died twice over the same"):
        async for _ in stream:
            pass
    assert await later


async def test_a_process_that_cannot_be_started_again_is_tried_until_it_can(
    tireless_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openvino, "RETRY_SECONDS", 0.1)
    shutil.copytree(tireless_folder, tmp_path / "engine")
    engine = OpenVINOEngine(tmp_path / "engine", Prompt.from_folder(tireless_folder))
    stream = engine.generate(ids(tireless_folder), ENDLESS)
    await anext(stream)
    (tmp_path / "engine").rename(tmp_path / "away")
    kill(engine)
    with pytest.raises(ModelError, match="cannot be loaded"):
        async for _ in stream:
            pass
    (tmp_path / "away").rename(tmp_path / "engine")
    await becomes_able(engine, ids(tireless_folder))
    await engine.close()


async def test_the_process_ends_with_the_one_that_started_it(folder: Path) -> None:
    program = "import sys, time; from pathlib import Path; from model.engines.openvino import OpenVINOEngine; "
    program += "from model.prompt import Prompt; folder = Path(sys.argv[1]); "
    program += "engine = OpenVINOEngine(folder, Prompt.from_folder(folder)); "
    program += "print(engine._process.number, flush=True); time.sleep(600)"
    starter = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, str(folder), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert starter.stdout
    number = int(await starter.stdout.readline())
    assert is_alive(number)
    starter.kill()
    await starter.wait()
    await wait_until(lambda: not is_alive(number))


async def test_the_process_ends_when_its_orders_break_off_in_a_line(folder: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "model.engines.batching"), cwd=ROOT, stdin=asyncio.subprocess.PIPE
    )
    prompt = Prompt.from_folder(folder)
    model = {"folder": str(folder), "end_of_turn": prompt.end_of_turn, "opening": prompt.opening}
    await process.communicate(f'{json.dumps(model)}\n{{"start": 7, "prom'.encode())
    assert process.returncode == 0


async def test_a_prompt_beyond_the_cache_is_refused_and_others_go_on(engine: OpenVINOEngine, folder: Path) -> None:
    with pytest.raises(ModelError, match="does not fit"):
        await answer(engine, [5] * (CACHE_BLOCKS * 32 + 1))
    assert await answer(engine, ids(folder))


async def test_closing_the_engine_ends_running_answers_with_an_error(tireless_folder: Path) -> None:
    engine = OpenVINOEngine(tireless_folder, Prompt.from_folder(tireless_folder))
    stream = engine.generate(ids(tireless_folder), ENDLESS)
    await anext(stream)
    await engine.close()
    with pytest.raises(ModelError, match="engine is closed"):
        async for _ in stream:
            pass
    with pytest.raises(ModelError, match="engine is closed"):
        await answer(engine, ids(tireless_folder))


def test_a_damaged_folder_is_named(folder: Path, tmp_path: Path) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "openvino_model.xml").write_text("<net>")
    with pytest.raises(ModelError, match="cannot be loaded by the engine"):
        OpenVINOEngine(tmp_path, Prompt.from_folder(folder))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"temperature": -1.0}, "temperature is -1.0, but must be 0 or more"),
        ({"top_p": 0.0}, "top_p is 0.0"),
        ({"top_k": -1}, "top_k is -1"),
        ({"repetition_penalty": 0.0}, "repetition_penalty"),
        ({"max_new_tokens": 0}, "max_new_tokens"),
    ],
)
def test_settings_out_of_range_are_named(change: dict[str, float], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        GenerationSettings(**change)  # type: ignore[arg-type]


def kill(engine: OpenVINOEngine) -> int:
    """Kill the engine's process, as a system without memory does; its number."""
    number = engine._process.number
    os.kill(number, signal.SIGKILL)
    return number


def is_alive(process: int) -> bool:
    """Whether there is such a process, and not only what is left of it."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def read_all(engine: OpenVINOEngine, folder: Path, settings: GenerationSettings, begun: asyncio.Event) -> None:
    """Read an answer to its end; `begun` is set with its first piece."""
    async for _ in engine.generate(ids(folder), settings):
        begun.set()


async def work_of_many_answers(engine: OpenVINOEngine, folder: Path) -> int:
    """What these answers cost when nobody cancels them, in processor time."""
    before = processor_time(engine._process.number)
    await asyncio.gather(*(read_all(engine, folder, settings, asyncio.Event()) for settings in MANY))
    return processor_time(engine._process.number) - before


async def becomes_idle(engine: OpenVINOEngine) -> int:
    """Wait until the engine's process does not work any more; its processor time then."""
    before = -1
    while (now := processor_time(engine._process.number)) != before:
        before = now
        await asyncio.sleep(0.3)
    return now


def processor_time(process: int) -> int:
    """In clock ticks, of 10 ms as a rule."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


async def becomes_able(engine: OpenVINOEngine, prompt: list[int]) -> None:
    """Ask until there is an answer."""
    async with asyncio.timeout(60):
        while True:
            with suppress(ModelError):
                await answer(engine, prompt)
                return
            await asyncio.sleep(0.1)


async def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Poll until a condition holds; fails the test if it never does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)
