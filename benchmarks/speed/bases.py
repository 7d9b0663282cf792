"""The weights that every engine is given: one folder in the hub's layout for each model, made anew for every run.

A `config.json` here names an end-of-text token that is never drawn: the bot's own engine stops at an end of turn and
has no switch against that, and all answers are to be of one length.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer

from model.atomic import read_json, write_json
from model.persona import SHIPPED
from model.weights import FloatArray, Weights, tensor_names
from model.zoo import base_folder

LISA_BASE, NEVER_DRAWN = "smollm2-135m", "<reponame>"  # the latter is a token that its training did not use
GPT2, LISA = "gpt2", "lisa"
TITLES = {GPT2: "GPT-2 124M, random weights", LISA: "Lisa (SmolLM2-135M)"}


@dataclass(frozen=True, slots=True)
class Shape:
    """The size of a GPT-2; the smallest published one unless told otherwise."""

    layers: int = 12
    heads: int = 12
    width: int = 768
    vocabulary: int = 50257
    positions: int = 1024


def make_base(name: str, folder: Path) -> None:
    """Write the model of this name, one of TITLES, into a new folder."""
    folder.mkdir(parents=True)
    if name == LISA:
        merge_lisa(folder)
    else:
        random_gpt2(folder, Shape())


def merge_lisa(folder: Path) -> None:
    """The shipped Lisa: her base with her adapter merged in, in float32."""
    base, adapter = base_folder(LISA_BASE), SHIPPED / LISA / "adapter"
    weights = Weights(base, adapter)
    names = [name for file in sorted(base.glob("*.safetensors")) for name in tensor_names(file)]
    save_file({name: weights[name] for name in names}, folder / "model.safetensors", metadata={"format": "pt"})
    shutil.copyfile(base / "tokenizer.json", folder / "tokenizer.json")
    _write_tokenizer_config(folder, NEVER_DRAWN)
    end = Tokenizer.from_file(str(base / "tokenizer.json")).token_to_id(NEVER_DRAWN)
    changes = {"eos_token_id": end, "pad_token_id": end, "torch_dtype": "float32"}
    write_json(folder / "config.json", read_json(base / "config.json") | changes)


def random_gpt2(folder: Path, shape: Shape) -> None:
    """A GPT-2 of true shape whose weights are drawn as before its training: speed does not read them."""
    save_file(dict(_gpt2_weights(shape)), folder / "model.safetensors", metadata={"format": "pt"})
    write_json(
        folder / "config.json",
        {
            "architectures": ["GPT2LMHeadModel"],
            "model_type": "gpt2",
            "activation_function": "gelu_new",
            "n_layer": shape.layers,
            "n_head": shape.heads,
            "n_embd": shape.width,
            "vocab_size": shape.vocabulary,
            "n_positions": shape.positions,
            "n_ctx": shape.positions,
            "layer_norm_epsilon": 1e-5,
            "bos_token_id": 0,
            "eos_token_id": 0,
            "torch_dtype": "float32",
        },
    )
    _write_tokenizer(folder, shape.vocabulary)


def _gpt2_weights(shape: Shape) -> Iterator[tuple[str, FloatArray]]:
    random, width = np.random.default_rng(0), shape.width
    embedding = _normal(random, shape.vocabulary, width)
    # The last layer norm gives vectors of mean zero, plus its bias: against a row of ones that is far below all others.
    embedding[0] = -1
    yield "wte.weight", embedding
    yield "wpe.weight", _normal(random, shape.positions, width)
    for layer in (f"h.{number}" for number in range(shape.layers)):
        sizes = {"attn.c_attn": (1, 3), "attn.c_proj": (1, 1), "mlp.c_fc": (1, 4), "mlp.c_proj": (4, 1)}
        for name, (inputs, outputs) in sizes.items():
            yield f"{layer}.{name}.weight", _normal(random, inputs * width, outputs * width)
            yield f"{layer}.{name}.bias", np.zeros(outputs * width, np.float32)
        for name in ("ln_1", "ln_2"):
            yield f"{layer}.{name}.weight", np.ones(width, np.float32)
            yield f"{layer}.{name}.bias", np.zeros(width, np.float32)
    yield "ln_f.weight", np.ones(width, np.float32)
    yield "ln_f.bias", np.full(width, 0.1, np.float32)


def _normal(random: np.random.Generator, rows: int, columns: int) -> FloatArray:
    return random.standard_normal((rows, columns), np.float32) * np.float32(0.02)


def _write_tokenizer(folder: Path, vocabulary: int) -> None:
    """Lisa's, whose words serve for any script, filled up to the size wanted."""
    tokenizer = Tokenizer.from_file(str(SHIPPED / LISA / "tokenizer.json"))
    known = tokenizer.get_vocab_size(with_added_tokens=True)
    tokenizer.add_tokens([f"<unused{number}>" for number in range(known, vocabulary)])
    tokenizer.save(str(folder / "tokenizer.json"))
    _write_tokenizer_config(folder, str(tokenizer.id_to_token(0)))


def _write_tokenizer_config(folder: Path, end: str) -> None:
    # CTranslate2's converter wants all three to be named.
    names = dict.fromkeys(("bos_token", "eos_token", "unk_token"), end)
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", **names})
