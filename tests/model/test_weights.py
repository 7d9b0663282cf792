"""Reading weights and merging adapters without torch, held against torch and peft."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, set_seed

from model.errors import ModelError
from model.weights import Weights, plain_name, read_tensor


def random_adapter(base: Path, folder: Path, use_rslora: bool = False) -> dict[str, torch.Tensor]:
    """Save a LoRA adapter with random weights; gives what peft itself merges it to."""
    set_seed(1)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    is_gpt2 = model.config.model_type == "gpt2"
    config = LoraConfig(
        r=4,
        lora_alpha=8,
        target_modules="all-linear",
        fan_in_fan_out=is_gpt2,
        init_lora_weights=False,
        use_rslora=use_rslora,
    )
    adapted = get_peft_model(model, config)
    adapted.save_pretrained(str(folder))
    return {plain_name(name): tensor for name, tensor in adapted.merge_and_unload().state_dict().items()}


@pytest.mark.parametrize("use_rslora", [False, True])
def test_merging_in_numpy_gives_what_peft_gives(either_base: Path, tmp_path: Path, use_rslora: bool) -> None:
    expected = random_adapter(either_base, tmp_path, use_rslora)
    weights = Weights(either_base, tmp_path)
    unmerged = Weights(either_base)
    names = [name for name in expected if name in weights]
    assert len(names) > 10
    for name in names:
        np.testing.assert_allclose(weights[name], expected[name].numpy(), atol=1e-5)
    assert any(np.abs(weights[name] - unmerged[name]).max() > 0.01 for name in names)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_every_stored_type_is_read_as_float32(tmp_path: Path, dtype: torch.dtype) -> None:
    values = torch.tensor([[1.5, -2.25], [0.0, 3.0]])
    save_file({"other": torch.ones(3), "x": values.to(dtype)}, tmp_path / "w.safetensors")
    read = read_tensor(tmp_path / "w.safetensors", "x")
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, values.numpy())


def test_an_adapter_for_another_base_is_refused(gpt2_base: Path, llama_base: Path, tmp_path: Path) -> None:
    random_adapter(llama_base, tmp_path)
    with pytest.raises(ModelError, match=r"which the base .* does not have"):
        Weights(gpt2_base, tmp_path)


def test_an_adapter_of_another_kind_is_refused(gpt2_base: Path, tmp_path: Path) -> None:
    random_adapter(gpt2_base, tmp_path)
    file = tmp_path / "adapter_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"use_dora": True}))
    with pytest.raises(ModelError, match="only plain LoRA"):
        Weights(gpt2_base, tmp_path)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"not tensors")
    with pytest.raises(ModelError, match=r"model\.safetensors cannot be read"):
        Weights(tmp_path)


def test_a_folder_without_weights_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"holds no \*\.safetensors"):
        Weights(tmp_path)
