"""Weights as numpy arrays: read from safetensors, a LoRA adapter merged in. Needs no torch."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import safe_open

from model.atomic import read_json
from model.errors import ModelError

Array = npt.NDArray[Any]
FloatArray = npt.NDArray[np.float32]

PEFT_PREFIX = "base_model.model."
UNSUPPORTED_ADAPTER_KEYS = ("use_dora", "modules_to_save", "rank_pattern", "alpha_pattern", "layer_replication")


class Weights:
    """The tensors of a base folder by name, each given as float32, with an adapter merged in if there is one.

    Names carry no `transformer.` prefix (GPT-2 files exist with and without it). A tensor is read when asked for, so
    only one stands in memory at a time. `adapter` is a PEFT folder. ModelError names the file that does not fit.
    """

    def __init__(self, base: Path, adapter: Path | None = None) -> None:
        self._files = _index(base)
        self._adapter = Adapter(adapter) if adapter else None
        unknown = sorted(set(self._adapter.targets if self._adapter else ()) - set(self._files))
        if unknown:
            raise ModelError(f"{adapter}: the adapter changes {unknown[0]}, which the base {base} does not have")

    def __contains__(self, name: str) -> bool:
        return name in self._files

    def get(self, name: str) -> FloatArray | None:
        """The tensor, or None where the base has none of this name."""
        return self[name] if name in self._files else None

    def __getitem__(self, name: str) -> FloatArray:
        if name not in self._files:
            raise ModelError(f"the base has no tensor {name}")
        file, stored_name = self._files[name]
        tensor = read_tensor(file, stored_name)
        if self._adapter is None or name not in self._adapter.targets:
            return tensor
        delta = self._adapter.delta(name)
        if delta.shape != tensor.shape:
            raise ModelError(f"the adapter's {name} has shape {delta.shape}, the base's {tensor.shape}")
        return tensor + delta


class Adapter:
    """A LoRA adapter in PEFT's format: weight + scale * B A (Hu et al. 2021)."""

    def __init__(self, folder: Path) -> None:
        config = read_json(folder / "adapter_config.json")
        used = [key for key in UNSUPPORTED_ADAPTER_KEYS if config.get(key)]
        if config.get("peft_type") != "LORA" or used:
            raise ModelError(f"{folder}: only plain LoRA adapters can be merged, not {used or config.get('peft_type')}")
        rank, alpha = int(config["r"]), float(config["lora_alpha"])
        self._scale = np.float32(alpha / (rank**0.5 if config.get("use_rslora") else rank))
        self._transposed = bool(config.get("fan_in_fan_out"))
        self._file = folder / "adapter_model.safetensors"
        self.targets = dict(self._pairs())

    def delta(self, name: str) -> FloatArray:
        """What the adapter adds to weight `name`, in that weight's shape."""
        stem = self.targets[name]
        product = read_tensor(self._file, f"{stem}.lora_B.weight") @ read_tensor(self._file, f"{stem}.lora_A.weight")
        scaled = product * self._scale
        return scaled.T if self._transposed else scaled

    def _pairs(self) -> Iterator[tuple[str, str]]:
        for name in tensor_names(self._file):
            stem, found, _ = name.partition(".lora_A.weight")
            if found:
                yield plain_name(stem.removeprefix(PEFT_PREFIX)) + ".weight", stem
            elif ".lora_B.weight" not in name:
                raise ModelError(f"{self._file}: {name} is no part of a plain LoRA adapter")


def plain_name(name: str) -> str:
    """`transformer.h.0...` and `h.0...` are the same tensor."""
    return name.removeprefix("transformer.")


def tensor_names(file: Path) -> list[str]:
    """Names stored in a safetensors file; ModelError when it cannot be read."""
    try:
        with safe_open(str(file), framework="np") as tensors:
            return list(tensors.keys())
    except Exception as error:  # the library raises its own type or OSError
        raise ModelError(f"{file} cannot be read: {error}") from error


def tensor_shapes(base: Path) -> list[tuple[int, ...]]:
    """Shapes of all tensors of a base folder; ModelError when it cannot be read. Reads the headers only."""
    shapes = []
    for file, name in _index(base).values():
        with safe_open(str(file), framework="np") as tensors:
            shapes.append(tuple(tensors.get_slice(name).get_shape()))
    return shapes


def read_tensor(file: Path, name: str) -> FloatArray:
    """One tensor as float32, whatever 16- or 32-bit type it was stored in."""
    with safe_open(str(file), framework="np") as tensors:
        if tensors.get_slice(name).get_dtype() != "BF16":
            return np.asarray(tensors.get_tensor(name), np.float32)
    return _read_bfloat16(file, name)


def _read_bfloat16(file: Path, name: str) -> FloatArray:
    # numpy has no bfloat16: its bits are the upper half of a float32. The header is JSON after its length in 8 bytes.
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        entry = json.loads(stream.read(length))[name]
        start, end = entry["data_offsets"]
        stream.seek(8 + length + start)
        upper = np.frombuffer(stream.read(end - start), "<u2").astype(np.uint32)
    return (upper << 16).view(np.float32).reshape(entry["shape"])


def _index(folder: Path) -> dict[str, tuple[Path, str]]:
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise ModelError(f"{folder} holds no *.safetensors file")
    return {plain_name(name): (file, name) for file in files for name in tensor_names(file)}
