"""The GGUF import, held against transformers' own reader of the format."""

from pathlib import Path

import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType, GGUFWriter, quantize
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer

from model.engines.transformers import load_model
from model.errors import ModelError
from model.gguf_import import import_gguf
from model.prompt import Prompt, Turn
from model.weights import Weights

TEXTS = ["Do you like beets, Dwight?", "In 1984 there were 12 bears.", "Żółw 🐢 Привет\n\n  two spaces", "don't WON'T"]
WIDTH, HEADS, GROUPS, LAYERS = 64, 4, 2, 2


@pytest.fixture(scope="module")
def gguf_file(llama_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small llama with SmolLM's kind of tokenizer, written in GGUF, matrices in 8 bits."""
    file = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    write_gguf(file, Tokenizer.from_file(str(llama_base / "tokenizer.json")))
    return file


def write_gguf(file: Path, tokenizer: Tokenizer, architecture: str = "llama", pre: str = "smollm") -> None:
    """Random weights, a real vocabulary."""
    tokens = [tokenizer.id_to_token(i) or "" for i in range(tokenizer.get_vocab_size())]
    control = [token.startswith("<|") and token.endswith("|>") for token in tokens]
    writer = GGUFWriter(file, architecture)
    writer.add_block_count(LAYERS)
    writer.add_context_length(256)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(WIDTH * 2)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(GROUPS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types([3 if is_control else 1 for is_control in control])
    writer.add_token_merges(merges_of(tokenizer))
    writer.add_bos_token_id(tokens.index("<|im_start|>"))
    writer.add_eos_token_id(tokens.index("<|im_end|>"))
    add_tensors(writer, len(tokens))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def merges_of(tokenizer: Tokenizer) -> list[str]:
    """The merges of a byte-level BPE tokenizer, as GGUF writes them."""
    import json

    return [" ".join(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]]


def add_tensors(writer: GGUFWriter, vocabulary: int) -> None:
    """All tensors of a llama; the head is the embedding."""
    random = np.random.default_rng(0)
    small = WIDTH * GROUPS // HEADS
    shapes = {"attn_q": (WIDTH, WIDTH), "attn_k": (small, WIDTH), "attn_v": (small, WIDTH)}
    shapes |= {"attn_output": (WIDTH, WIDTH), "ffn_gate": (2 * WIDTH, WIDTH), "ffn_up": (2 * WIDTH, WIDTH)}
    shapes |= {"ffn_down": (WIDTH, 2 * WIDTH)}
    matrices = {f"blk.{i}.{name}.weight": shape for i in range(LAYERS) for name, shape in shapes.items()}
    for name, shape in (matrices | {"token_embd.weight": (vocabulary, WIDTH)}).items():
        values = random.normal(0, 0.15, shape).astype(np.float32)
        packed = quantize(values, GGMLQuantizationType.Q8_0)
        writer.add_tensor(name, packed, raw_dtype=GGMLQuantizationType.Q8_0)
    norms = [f"blk.{i}.{name}.weight" for i in range(LAYERS) for name in ("attn_norm", "ffn_norm")]
    for name in [*norms, "output_norm.weight"]:
        writer.add_tensor(name, random.normal(1, 0.1, WIDTH).astype(np.float32))


def test_the_imported_model_computes_what_transformers_reads_from_the_file(gguf_file: Path, tmp_path: Path) -> None:
    import_gguf(gguf_file, tmp_path / "base")
    theirs = AutoModelForCausalLM.from_pretrained(gguf_file.parent, gguf_file=gguf_file.name, dtype=torch.float32)
    ids = torch.tensor([[5, 9, 250, 40, 41, 42, 7]])
    with torch.inference_mode():
        expected = theirs(ids).logits
        found = load_model(tmp_path / "base")(ids).logits
    torch.testing.assert_close(found, expected, atol=5e-3, rtol=5e-3)


@pytest.mark.parametrize("text", TEXTS)
def test_the_imported_tokenizer_gives_the_ids_that_transformers_gives(
    gguf_file: Path, tmp_path: Path, text: str
) -> None:
    import_gguf(gguf_file, tmp_path / "base")
    ours = Tokenizer.from_file(str(tmp_path / "base" / "tokenizer.json"))
    # What the hub's own SmolLM tokenizer does before GPT-2's splitting: each digit by itself.
    theirs = AutoTokenizer.from_pretrained(gguf_file.parent, gguf_file=gguf_file.name)
    digits_apart = "".join(character for character in text if not character.isdigit())
    assert ours.encode(digits_apart).ids == theirs.encode(digits_apart, add_special_tokens=False)
    assert ours.decode(ours.encode(text).ids) == text


def test_every_digit_is_a_token_of_its_own(gguf_file: Path, tmp_path: Path) -> None:
    import_gguf(gguf_file, tmp_path / "base")
    ours = Tokenizer.from_file(str(tmp_path / "base" / "tokenizer.json"))
    assert ours.encode("1984").tokens == ["1", "9", "8", "4"]


def test_an_imported_folder_is_a_base_like_any_other(gguf_file: Path, tmp_path: Path) -> None:
    import_gguf(gguf_file, tmp_path / "base")
    prompt = Prompt.from_folder(tmp_path / "base", "You are Dwight.")
    assert prompt.format == "chatml"
    assert prompt.encode([Turn("", "Hello", False)], 100)[-1] != prompt.end_of_turn
    assert "lm_head.weight" not in Weights(tmp_path / "base")


def test_a_file_that_is_no_gguf_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"nonsense" * 10)
    with pytest.raises(ModelError, match=r"x\.gguf is no GGUF file"):
        import_gguf(tmp_path / "x.gguf", tmp_path / "base")


@pytest.mark.parametrize(
    ("change", "message"), [({"architecture": "mamba"}, "'mamba' model"), ({"pre": "qwen2"}, "qwen2")]
)
def test_a_model_of_another_kind_is_refused_and_leaves_nothing(
    llama_base: Path, tmp_path: Path, change: dict[str, str], message: str
) -> None:
    write_gguf(tmp_path / "x.gguf", Tokenizer.from_file(str(llama_base / "tokenizer.json")), **change)
    with pytest.raises(ModelError, match=message):
        import_gguf(tmp_path / "x.gguf", tmp_path / "base")
    assert not (tmp_path / "base").exists()
