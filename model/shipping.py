"""A trained version made ready to ship with the project: `model/personas/<persona>/`, small enough for a repository.

Knows nothing of training; needs no torch.
"""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from model.atomic import read_json, write_json
from model.errors import ModelError
from model.persona import FILE_NAME, SHIPPED, read_persona
from model.store import MANIFEST, SOURCES, Version
from model.weights import read_tensor, tensor_names

ADAPTER_FILE = "adapter_model.safetensors"
# Bound to one machine's copy: checksums are made anew where the persona is installed.
LEFT_OUT = ("files", "format")


def ship(version: Version, evaluation: Path | None = None, personas: Path = SHIPPED) -> Path:
    """Write a version's adapter in 16 bits, tokenizer, persona card, sources and manifest; the folder they stand in.

    The manifest is the version's, with the figures that `evaluate --json` wrote to the file `evaluation` as
    `evaluation`. Files that stand there already are replaced, but for the model card, which is written by hand.
    Raises ModelError if the version is no adapter, or the figures are another version's.
    """
    if version.adapter is None:
        raise ModelError(f"{version.name} has no adapter: only an adapter is small enough to ship")
    folder = personas / version.persona.id
    manifest = _manifest(version, evaluation)
    (folder / "adapter").mkdir(parents=True, exist_ok=True)
    save_file(_halved(version.adapter / ADAPTER_FILE), folder / "adapter" / ADAPTER_FILE)
    shutil.copyfile(version.adapter / "adapter_config.json", folder / "adapter" / "adapter_config.json")
    shutil.copyfile(version.folder / "tokenizer.json", folder / "tokenizer.json")
    card = folder / FILE_NAME
    if not card.is_file() or read_persona(card) != version.persona:  # one that says the same is laid out by hand
        shutil.copyfile(version.folder / FILE_NAME, card)
    _replace_sources(version.sources, folder / SOURCES)
    write_json(folder / MANIFEST, manifest)
    return folder


def _replace_sources(source: Path | None, target: Path) -> None:
    if source:
        shutil.copyfile(source, target)
    else:  # what stands there is another version's
        target.unlink(missing_ok=True)


def _manifest(version: Version, evaluation: Path | None) -> dict[str, Any]:
    manifest = {key: value for key, value in version.manifest.items() if key not in LEFT_OUT}
    if evaluation is None:
        return manifest
    figures = read_json(evaluation)
    if (figures.get("persona"), figures.get("version")) != (version.persona.id, version.name):
        raise ModelError(f"{evaluation} holds no figures of {version.persona.id} {version.name}")
    return manifest | {"evaluation": figures}


def _halved(file: Path) -> dict[str, "np.ndarray[Any, np.dtype[np.float16]]"]:
    """An adapter's tensors in float16: its numbers are far from that type's limits, and int8 is what serves them."""
    return {name: read_tensor(file, name).astype(np.float16) for name in tensor_names(file)}
