"""What ships of a trained version, and that it is the same character once installed."""

import json
from pathlib import Path

import numpy as np
import pytest

from model import store as store_module
from model.__main__ import main
from model.errors import ModelError
from model.persona import Persona, write_persona
from model.shipping import ship
from model.sources import ScriptLine, read_sources, write_sources
from model.store import SOURCES, Store, Version
from model.weights import Weights, tensor_names


@pytest.fixture
def version(llama_base: Path, tmp_path: Path) -> Version:
    """A version with a LoRA adapter, as training leaves it."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, set_seed

    run = tmp_path / "run"
    set_seed(1)
    config = LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", init_lora_weights=False)
    get_peft_model(AutoModelForCausalLM.from_pretrained(llama_base), config).save_pretrained(str(run / "adapter"))
    write_persona(Persona("dwight", "Dwight Schrute", base=str(llama_base)), run / "persona.toml")
    (run / "tokenizer.json").write_bytes((llama_base / "tokenizer.json").read_bytes())
    training = {"base": str(llama_base), "method": "lora", "settings": {"seed": 3}}
    (run / "training.json").write_text(json.dumps(training))
    return Store(tmp_path / "store").add("dwight", run)


def test_what_ships_is_in_16_bits_and_complete(version: Version, tmp_path: Path) -> None:
    folder = ship(version, personas=tmp_path / "personas")
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    adapter = {"adapter/adapter_config.json", "adapter/adapter_model.safetensors"}
    assert files == {"persona.toml", "tokenizer.json", "manifest.json"} | adapter
    assert version.adapter is not None
    ours, theirs = (path / "adapter_model.safetensors" for path in (folder / "adapter", version.adapter))
    assert tensor_names(ours) == tensor_names(theirs)
    assert ours.stat().st_size < 0.7 * theirs.stat().st_size


def test_a_shipped_adapter_is_merged_at_first_use_into_what_was_trained(
    version: Version, llama_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "SHIPPED", tmp_path / "personas")
    ship(version, personas=tmp_path / "personas")
    installed = Store(tmp_path / "elsewhere").live("dwight")
    installed.verify()
    assert installed.adapter is not None
    assert installed.manifest["settings"] == {"seed": 3}
    before, after = Weights(llama_base, version.adapter), Weights(llama_base, installed.adapter)
    for name in tensor_names(llama_base / "model.safetensors"):
        np.testing.assert_allclose(after[name], before[name], atol=2e-3)
    assert (installed.engine_folder / "openvino_model.bin").is_file()


def test_the_figures_ship_with_the_version_that_they_belong_to(version: Version, tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    figures.write_text(json.dumps({"persona": "dwight", "version": "v1", "tuned": {"perplexity": 9.5}}))
    manifest = json.loads((ship(version, figures, tmp_path / "personas") / "manifest.json").read_text())
    assert manifest["evaluation"]["tuned"] == {"perplexity": 9.5}
    figures.write_text(json.dumps({"persona": "dwight", "version": "v7"}))
    with pytest.raises(ModelError, match="holds no figures of dwight v1"):
        ship(version, figures, tmp_path / "personas")


def test_the_sources_ship_with_the_version_and_are_installed_under_a_checksum(
    version: Version, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "SHIPPED", tmp_path / "personas")
    lines = [ScriptLine("Dwight Schrute", "False. Black bear.", "3", "Office", 1, True)]
    write_sources(lines, version.folder / SOURCES)
    ship(version, personas=tmp_path / "personas")
    installed = Store(tmp_path / "elsewhere").live("dwight")
    assert SOURCES in installed.manifest["files"]
    assert installed.sources is not None
    assert read_sources(installed.sources) == lines


def test_a_version_without_sources_does_not_ship_with_another_ones(version: Version, tmp_path: Path) -> None:
    write_sources([], version.folder / SOURCES)
    folder = ship(version, personas=tmp_path / "personas")
    assert (folder / SOURCES).is_file()
    (version.folder / SOURCES).unlink()
    ship(version, personas=tmp_path / "personas")
    assert not (folder / SOURCES).exists()


def test_a_version_without_adapter_does_not_ship(
    llama_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    card = tmp_path / "personas" / "homer" / "persona.toml"
    card.parent.mkdir(parents=True)
    write_persona(Persona("homer", "Homer", base=str(llama_base)), card)
    monkeypatch.setattr(store_module, "SHIPPED", tmp_path / "personas")
    assert main(["ship", "--persona", "homer", "--store", str(tmp_path / "store")]) == 1
    assert "has no adapter: only an adapter is small enough to ship" in capsys.readouterr().err
