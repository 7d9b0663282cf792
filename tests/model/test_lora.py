"""The adapter's layer in one step is peft's layer, to rounding."""

from pathlib import Path

import pytest
import torch
from peft.tuners.lora import Linear
from torch.nn.functional import cross_entropy

from model.dataset import collate
from model.engines.transformers import load_model
from model.evaluation.likelihood import answer_logits
from model.lora import OneStepLinear, quicken
from model.prompt import Prompt, Turn
from model.trainer import with_adapter
from model.training_settings import TrainingSettings

LINES = (Turn("Jim", "Morning.", False), Turn("Jim", "Do you like beets?", False))


def settings(base: Path, dropout: float = 0.0) -> TrainingSettings:
    return TrainingSettings(examples=Path("examples"), persona="dwight", base=str(base), rank=4, dropout=dropout)


def adapted(base: Path, dropout: float = 0.0) -> torch.nn.Module:
    """The base with an adapter that is past its beginning, where half of it is zero."""
    model = with_adapter(load_model(base), settings(base, dropout))
    torch.manual_seed(1)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    return model


def as_peft_computes(model: torch.nn.Module) -> torch.nn.Module:
    for module in model.modules():
        if isinstance(module, OneStepLinear):
            module.__class__ = Linear  # type: ignore[assignment]
    return model


def one_step_layers(model: torch.nn.Module) -> int:
    return sum(isinstance(module, OneStepLinear) for module in model.modules())


def test_loss_and_gradients_are_those_of_peft(either_base: Path) -> None:
    prompt = Prompt.from_folder(either_base, "You are Dwight.")
    batch = collate([prompt.encode_example(LINES, "Fact.", 64), prompt.encode_example(LINES[1:], "Yes.", 64)])
    ours, theirs = adapted(either_base), as_peft_computes(adapted(either_base))
    assert one_step_layers(theirs) == 0
    losses = [cross_entropy(answer_logits(model, batch), batch["shift_labels"]) for model in (ours, theirs)]
    torch.autograd.backward(losses)
    assert losses[0].item() == pytest.approx(losses[1].item(), rel=1e-6)
    gradients = [[p.grad for p in model.parameters() if p.requires_grad] for model in (ours, theirs)]
    assert len(gradients[0]) == 2 * one_step_layers(ours) > 0
    for mine, reference in zip(*gradients, strict=True):
        torch.testing.assert_close(mine, reference, rtol=1e-3, atol=1e-6)


def test_a_bias_is_added_once() -> None:
    from peft import LoraConfig, get_peft_model

    layer = torch.nn.Sequential(torch.nn.Linear(3, 5))
    model = get_peft_model(layer, LoraConfig(r=2, target_modules=["0"], init_lora_weights=False))
    rows = torch.randn(2, 4, 3)
    expected = model(rows)
    quicken(model)
    assert one_step_layers(model) == 1
    torch.testing.assert_close(model(rows), expected)


def test_with_dropout_and_under_autocast_peft_computes(llama_base: Path) -> None:
    assert one_step_layers(adapted(llama_base, dropout=0.1)) == 0
    ours, theirs = adapted(llama_base), as_peft_computes(adapted(llama_base))
    ids = torch.tensor([[1, 2, 3]])
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(ours(input_ids=ids).logits, theirs(input_ids=ids).logits)
