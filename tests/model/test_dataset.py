"""Examples -> tensors, asserted to the number."""

from collections import Counter
from pathlib import Path

import pytest
import torch
from torch.nn.functional import cross_entropy

from model.dataset import AnswerExamples, LengthBuckets, collate
from model.evaluation.likelihood import answer_logits
from model.examples import Dialogue
from model.prompt import Example, Prompt, Turn

LINES = tuple(Turn("Jim Halpert", text, False) for text in ("Morning.", "Nice day.", "Do you like beets?"))


@pytest.fixture
def prompt(gpt2_base: Path) -> Prompt:
    return Prompt.from_folder(gpt2_base)


def test_a_batch_is_padded_on_the_right_and_only_the_answers_are_learned() -> None:
    batch = collate([Example([5, 6, 7, 8, 9], 3), Example([3, 4], 1)])
    assert batch["input_ids"].tolist() == [[5, 6, 7, 8, 9], [3, 4, 0, 0, 0]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]]
    assert batch["labels"].tolist() == [[-100, -100, -100, 8, 9], [-100, 4, -100, -100, -100]]


def test_logits_are_asked_for_only_where_an_answer_token_comes_next() -> None:
    batch = collate([Example([5, 6, 7, 8, 9], 3), Example([3, 4], 1)])
    assert batch["logits_to_keep"].tolist() == [[False, False, True, True, False], [True, False, False, False, False]]
    assert batch["logits_to_keep"].dtype == torch.bool
    assert batch["shift_labels"].tolist() == [8, 9, 4]


def test_what_a_whole_batch_begins_with_stands_apart() -> None:
    batch = collate([Example([1, 2, 5, 6, 8], 4), Example([1, 2, 7, 9], 3)])
    assert batch["prefix_ids"].tolist() == [1, 2]
    assert batch["input_ids"].tolist() == [[5, 6, 8], [7, 9, 0]]
    assert batch["labels"].tolist() == [[-100, -100, 8], [-100, 9, -100]]
    assert batch["logits_to_keep"].tolist() == [[False, True, False], [True, False, False]]


def test_the_id_that_predicts_an_answers_first_token_is_never_set_apart() -> None:
    batch = collate([Example([1, 2, 5], 2), Example([1, 2, 6], 2)])
    assert batch["prefix_ids"].tolist() == [1]
    assert batch["input_ids"].tolist() == [[2, 5], [2, 6]]


@pytest.mark.parametrize("card", ["", "You are Dwight Schrute."])
def test_a_prefix_read_once_gives_the_loss_and_the_gradients_of_whole_examples(either_base: Path, card: str) -> None:
    from model.engines.transformers import load_model

    prompt = Prompt.from_folder(either_base, card)
    examples = [prompt.encode_example(LINES, "Fact.", 64), prompt.encode_example(LINES[:1], "Beets.", 64)]
    ours, whole = load_model(either_base), load_model(either_base)
    batch = collate(examples)
    loss = cross_entropy(answer_logits(ours, batch), batch["shift_labels"])
    plain = torch.stack([_plain_loss(whole, example) for example in examples]).sum() / len(batch["shift_labels"])
    torch.autograd.backward([loss, plain])
    assert loss.item() == pytest.approx(plain.item(), rel=1e-5)
    for mine, theirs in zip(ours.parameters(), whole.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-3, atol=1e-6)


def _plain_loss(model: torch.nn.Module, example: Example) -> torch.Tensor:
    """Sum over one example that is read whole, with all logits."""
    ids = torch.tensor([example.ids])
    logits = model(input_ids=ids).logits[0, example.answer_start - 1 : -1]
    return cross_entropy(logits, ids[0, example.answer_start :], reduction="sum")


def test_the_answer_is_learned_with_its_closing_token(prompt: Prompt) -> None:
    examples = AnswerExamples([Dialogue(LINES, "Fact.")], prompt, 64)
    learned = collate([examples[0]])["shift_labels"].tolist()
    assert learned[-1] == prompt.end_of_turn
    assert prompt.decode(learned) == "Fact."


def test_without_dropout_every_epoch_sees_the_whole_context(prompt: Prompt) -> None:
    examples = AnswerExamples([Dialogue(LINES, "Fact.")], prompt, 64)
    whole = prompt.encode_example(LINES, "Fact.", 64)
    for epoch in range(5):
        examples.set_epoch(epoch)
        assert examples[0] == whole


def test_context_is_dropped_oldest_first_as_often_as_documented(prompt: Prompt) -> None:
    examples = AnswerExamples([Dialogue(LINES, "Fact.")] * 3000, prompt, 64, context_dropout=0.5, seed=1)
    kept = {tuple(prompt.encode_example(LINES[n:], "Fact.", 64).ids): 3 - n for n in range(3)}
    counts = Counter(kept[tuple(examples[i].ids)] for i in range(3000))
    assert counts[3] == pytest.approx(1500, abs=120)
    for lines in (1, 2):
        assert counts[lines] == pytest.approx(750, abs=100)


def test_the_line_that_is_answered_is_never_dropped(prompt: Prompt) -> None:
    examples = AnswerExamples([Dialogue(LINES[2:], "Yes.")] * 50, prompt, 64, context_dropout=1.0)
    whole = prompt.encode_example(LINES[2:], "Yes.", 64)
    assert all(examples[i] == whole for i in range(50))


def test_what_is_dropped_depends_on_seed_and_epoch_alone(prompt: Prompt) -> None:
    def drawn(seed: int, epoch: int) -> list[int]:
        examples = AnswerExamples([Dialogue(LINES, "Fact.")] * 40, prompt, 64, context_dropout=0.5, seed=seed)
        examples.set_epoch(epoch)
        return [len(examples[i].ids) for i in range(40)]

    assert drawn(1, 2) == drawn(1, 2)
    assert drawn(1, 2) != drawn(1, 3)
    assert drawn(1, 2) != drawn(2, 2)


def test_an_answer_without_context_keeps_none(prompt: Prompt) -> None:
    examples = AnswerExamples([Dialogue((), "Fact.")], prompt, 64, context_dropout=1.0)
    assert examples[0] == prompt.encode_example((), "Fact.", 64)


def test_an_epoch_visits_every_example_once_in_batches_of_like_length(prompt: Prompt) -> None:
    dialogues = [Dialogue(LINES[:1], "beets " * (1 + i % 20)) for i in range(83)]
    examples = AnswerExamples(dialogues, prompt, 128)
    order = list(LengthBuckets(examples, batch_size=4, seed=0))
    assert sorted(order) == list(range(83))
    batches = [[len(examples[i].ids) for i in order[start : start + 4]] for start in range(0, 80, 4)]
    assert sum(max(batch) - min(batch) for batch in batches) <= max(map(max, batches))
    assert [max(batch) for batch in batches] != sorted(max(batch) for batch in batches)


def test_the_order_changes_with_the_epoch_and_comes_again_with_it(prompt: Prompt) -> None:
    examples = AnswerExamples([Dialogue(LINES, "Fact.")] * 30, prompt, 64, context_dropout=0.5)
    buckets = LengthBuckets(examples, batch_size=4, seed=0)
    first = list(buckets)
    buckets.set_epoch(1)
    assert list(buckets) != first
    buckets.set_epoch(0)
    assert list(buckets) == first


def test_what_is_learned_beforehand_comes_first_in_every_epoch_and_loses_no_context(prompt: Prompt) -> None:
    scenes = prompt.encode_scene([Turn("Jim", f"beets {n}", n % 2 == 0) for n in range(40)], 24)
    examples = AnswerExamples([Dialogue(LINES, "Fact.")] * 30, prompt, 64, context_dropout=1.0, beforehand=scenes)
    buckets = LengthBuckets(examples, batch_size=4, seed=0)
    whole = len(scenes) // 4 * 4
    assert len(scenes) > whole > 0  # What fills no batch comes with the rest.
    for epoch in (0, 1):
        buckets.set_epoch(epoch)
        order = list(buckets)
        assert sorted(order) == list(range(len(scenes) + 30))
        assert max(order[:whole]) < len(scenes)
        assert [examples[i] for i in range(len(scenes))] == scenes
