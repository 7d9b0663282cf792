"""The reference engine: what transformers would say, as a stream of whole characters that can be cancelled."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import torch

from model.engine import GenerationSettings
from model.engines.transformers import TransformersEngine, load, load_model
from model.errors import ModelError
from model.prompt import Prompt, Turn

GREEDY = GenerationSettings(max_new_tokens=12, temperature=0, repetition_penalty=1.0)
WILD = GenerationSettings(max_new_tokens=12, temperature=1.5, top_p=1.0, top_k=0, seed=5)


@pytest.fixture
async def engine(gpt2_base: Path) -> AsyncIterator[TransformersEngine]:
    engine = load(gpt2_base)
    yield engine
    await engine.close()


@pytest.fixture
def question(gpt2_base: Path) -> list[int]:
    return Prompt.from_folder(gpt2_base).encode([Turn("Jim", "Do you like beets, Dwight?", False)], 64)


async def answer(engine: TransformersEngine, question: Sequence[int], settings: GenerationSettings) -> str:
    return "".join([piece.text async for piece in engine.generate(question, settings)])


def greedy(folder: Path, ids: list[int], count: int) -> str:
    """The likeliest tokens, without a cache, one whole forward pass for each."""
    prompt, model = Prompt.from_folder(folder), load_model(folder)
    model.train(False)
    generated: list[int] = []
    with torch.inference_mode():
        while len(generated) < count:
            token = int(model(torch.tensor([ids + generated])).logits[0, -1].argmax())
            if token == prompt.end_of_turn:
                break
            generated.append(token)
    return prompt.decode(generated)


async def test_greedy_decoding_takes_the_likeliest_token_each_time(either_base: Path) -> None:
    ids = Prompt.from_folder(either_base).encode([Turn("Jim", "Tell me about bears.", False)], 64)
    engine = load(either_base)
    assert (await answer(engine, ids, GREEDY)).rstrip("\ufffd") == greedy(either_base, ids, 12).rstrip("\ufffd")
    await engine.close()


async def test_the_same_seed_gives_the_same_answer_and_another_seed_another(
    engine: TransformersEngine, question: list[int]
) -> None:
    other = GenerationSettings(max_new_tokens=12, temperature=1.5, top_p=1.0, top_k=0, seed=6)
    first = await answer(engine, question, WILD)
    torch.rand(3)
    assert await answer(engine, question, WILD) == first
    assert await answer(engine, question, other) != first


async def test_a_seeded_answer_leaves_the_process_random_state_alone(
    engine: TransformersEngine, question: list[int]
) -> None:
    before = torch.random.get_rng_state()
    await answer(engine, question, WILD)
    assert torch.equal(torch.random.get_rng_state(), before)


async def test_an_answer_ends_at_the_end_of_the_turn_which_is_never_shown_but_not_at_once(
    gpt2_base: Path, question: list[int]
) -> None:
    prompt, model = Prompt.from_folder(gpt2_base), load_model(gpt2_base)
    weights = model.state_dict()
    weights["lm_head.weight"].zero_()[prompt.end_of_turn] = 1.0  # every position now prefers the closing token
    weights["transformer.ln_f.bias"].fill_(1.0)
    model.train(False)
    engine = TransformersEngine(model, prompt)
    assert [piece.text async for piece in engine.generate(question, GREEDY)] == ["!"]
    await engine.close()


async def test_an_answer_is_at_most_as_long_as_asked(
    engine: TransformersEngine, question: list[int], gpt2_base: Path
) -> None:
    one = GenerationSettings(max_new_tokens=1, temperature=0, repetition_penalty=1.0)
    assert await answer(engine, question, one) == greedy(gpt2_base, question, 1).rstrip("\ufffd")


async def test_closing_the_stream_cancels_the_work_and_the_next_request_is_served(
    engine: TransformersEngine, question: list[int]
) -> None:
    endless = GenerationSettings(max_new_tokens=200, temperature=1.5, top_p=1.0, top_k=0, seed=1)
    stream = engine.generate(question, endless)
    await anext(stream)
    await stream.aclose()
    assert await answer(engine, question, WILD)


async def test_cancelling_the_reader_cancels_the_work(engine: TransformersEngine, question: list[int]) -> None:
    endless = GenerationSettings(max_new_tokens=200, temperature=1.5, top_p=1.0, top_k=0, seed=1)
    reader = asyncio.create_task(answer(engine, question, endless))
    await asyncio.sleep(0.05)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert await answer(engine, question, WILD)


async def test_requests_at_once_are_answered_one_after_the_other_each_its_own(
    engine: TransformersEngine, question: list[int]
) -> None:
    alone = await answer(engine, question, WILD)
    assert await asyncio.gather(*[answer(engine, question, WILD) for _ in range(3)]) == [alone] * 3


async def test_a_prompt_that_leaves_no_room_for_the_answer_is_refused(engine: TransformersEngine) -> None:
    with pytest.raises(ModelError, match="need 262 tokens, but the model reads 256 at most"):
        await answer(engine, [1] * 250, GREEDY)


async def test_what_waits_when_the_engine_closes_ends(gpt2_base: Path, question: list[int]) -> None:
    engine = load(gpt2_base)
    endless = GenerationSettings(max_new_tokens=200, temperature=1.5, top_p=1.0, top_k=0, seed=1)
    running, waiting = (asyncio.create_task(answer(engine, question, endless)) for _ in range(2))
    await asyncio.sleep(0.05)
    await engine.close()
    done, pending = await asyncio.wait({running, waiting}, timeout=20)
    assert len(done) == 2
    assert not pending


def test_a_folder_that_holds_no_model_is_named(gpt2_base: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=f"{tmp_path} cannot be read as a model"):
        load_model(tmp_path)
    with pytest.raises(ModelError, match=r"is no adapter: it has no adapter_config\.json"):
        load_model(gpt2_base, tmp_path)


async def test_an_answer_that_reaches_the_length_limit_is_marked(
    engine: TransformersEngine, question: list[int]
) -> None:
    pieces = [piece async for piece in engine.generate(question, GenerationSettings(max_new_tokens=2, temperature=0))]
    assert [piece.cut_off for piece in pieces] == [False] * (len(pieces) - 1) + [True]
