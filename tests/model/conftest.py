"""Small bases with a tokenizer of their own and a small examples folder, in the formats of the real ones."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

THINGS = ("beets", "bears", "tractors", "paper", "swords", "goats", "hay", "perfectenschlag")
QUESTIONS = ("Do you like {}, Dwight?", "What do you know about {}?", "Tell me about {}.", "Who needs {} anyway?")
ANSWER = "Fact. {} are the best."
WIDE = 0.2  # first weights wide enough for an adapter to learn from: a frozen, near-uniform head would allow nothing


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Models this small are quicker on one thread than two threads can agree, here and in processes started here."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("OMP_NUM_THREADS", "1")
        yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def gpt2_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GPT-2 of two layers: dialogue as turns joined by the end-of-text token."""
    from transformers import GPT2Config, GPT2LMHeadModel, set_seed

    folder = tmp_path_factory.mktemp("bases") / "tiny-gpt2"
    tokenizer = make_tokenizer(["<|endoftext|>"])
    end = tokenizer.token_to_id("<|endoftext|>")
    config = GPT2Config(
        vocab_size=tokenizer.get_vocab_size(),
        n_positions=256,
        n_embd=48,
        n_layer=2,
        n_head=4,
        initializer_range=WIDE,
        bos_token_id=end,
        eos_token_id=end,
    )
    set_seed(0)
    GPT2LMHeadModel(config).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


@pytest.fixture(scope="session")
def llama_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A llama of two layers with grouped-query attention, and a chat vocabulary."""
    folder = tmp_path_factory.mktemp("bases") / "tiny-llama"
    make_tiny_llama(folder)
    return folder


@pytest.fixture(scope="session")
def gpt2_124m(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """GPT-2 at its true size: 124M random parameters, 50257 tokens (most of which no text contains)."""
    from transformers import GPT2Config, GPT2LMHeadModel, set_seed

    folder = tmp_path_factory.mktemp("bases") / "gpt2-124m"
    config = GPT2Config()
    set_seed(0)
    GPT2LMHeadModel(config).save_pretrained(folder)
    tokenizer = make_tokenizer([])
    rest = range(tokenizer.get_vocab_size(), config.vocab_size - 1)
    tokenizer.add_tokens([f"<unused{number}>" for number in rest])
    tokenizer.add_special_tokens(["<|endoftext|>"])
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


@pytest.fixture(params=["gpt2_base", "llama_base"])
def either_base(request: pytest.FixtureRequest) -> Path:
    """Each of the two small bases in turn."""
    return Path(request.getfixturevalue(request.param))


@pytest.fixture(scope="session")
def examples_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An examples folder as data_prep writes it, for a Dwight who always answers in the same way."""
    import pyarrow
    import pyarrow.parquet

    folder = tmp_path_factory.mktemp("examples") / "dwight"
    folder.mkdir()
    rows = [_row(number) for number in range(120)]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), folder / "target_char_qa_pairs.parquet")
    everybody = [row for own in rows for row in (*_lines_of_others(own), own)]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(everybody), folder / "qa_pairs.parquet")
    manifest = {"format": 1, "character": "Dwight Schrute", "source": {"file": "office.csv", "sha256": "0" * 64}}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def make_tiny_llama(folder: Path) -> None:
    """Write a base with random weights into a new folder."""
    from transformers import LlamaConfig, LlamaForCausalLM, set_seed

    tokenizer = make_tokenizer(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=48,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        initializer_range=WIDE,
        bos_token_id=tokenizer.token_to_id("<|im_start|>"),
        eos_token_id=tokenizer.token_to_id("<|im_end|>"),
    )
    set_seed(0)
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))


def make_tokenizer(control_tokens: list[str]) -> Tokenizer:
    """A byte-level BPE tokenizer trained on the lines of the examples folder: any text survives it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    lines = [template.format(thing) for thing in THINGS for template in (*QUESTIONS, ANSWER)]
    trainer = trainers.BpeTrainer(
        vocab_size=400, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator([*lines, "system user assistant You are Dwight Schrute."], trainer)
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in control_tokens])
    return tokenizer


def _row(number: int) -> dict[str, Any]:
    thing, question = THINGS[number % len(THINGS)], QUESTIONS[number // len(THINGS) % len(QUESTIONS)]
    context = ["Good morning.", ANSWER.format("mornings"), question.format(thing)][-(number % 4) :][: number % 4]
    speakers = ["Jim Halpert", "Dwight Schrute", "Jim Halpert"][3 - len(context) :]
    return {
        "line_id": number,
        "episode_id": number // 10,
        "scene_id": number // 5,
        "location": "",
        "speaker": "Dwight Schrute",
        "direction": "",
        "context": context,
        "context_speakers": speakers,
        "answer": ANSWER.format(thing),
        "is_target": True,
        "split": "test" if number % 10 == 0 else "validation" if number % 10 == 1 else "train",
    }


def _lines_of_others(row: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows for the lines of a row's context that the target does not say."""
    lines = zip(row["context_speakers"], row["context"], strict=True)
    others = [(speaker, line) for speaker, line in lines if speaker != row["speaker"]]
    unasked = {"context": [], "context_speakers": [], "is_target": False}
    return [row | unasked | {"speaker": speaker, "answer": line} for speaker, line in others]
