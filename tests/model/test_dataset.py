"""Examples -> tensors, asserted to the number."""

import json
from collections import Counter
from pathlib import Path

import pytest
import torch

from model.dataset import AnswerExamples, Dialogue, LengthBuckets, collate, read_dialogues, read_manifest
from model.errors import ModelError
from model.prompt import Example, Prompt, Turn

LINES = tuple(Turn("Jim Halpert", text, False) for text in ("Morning.", "Nice day.", "Do you like beets?"))


@pytest.fixture
def prompt(gpt2_base: Path) -> Prompt:
    return Prompt.from_folder(gpt2_base)


def test_a_batch_is_padded_on_the_right_and_only_the_answers_are_learned() -> None:
    batch = collate([Example([5, 6, 7, 8, 9], 3), Example([5, 4], 1)])
    assert batch["input_ids"].tolist() == [[5, 6, 7, 8, 9], [5, 4, 0, 0, 0]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]]
    assert batch["labels"].tolist() == [[-100, -100, -100, 8, 9], [-100, 4, -100, -100, -100]]


def test_logits_are_asked_for_only_where_an_answer_token_comes_next() -> None:
    batch = collate([Example([5, 6, 7, 8, 9], 3), Example([5, 4], 1)])
    assert batch["logits_to_keep"].tolist() == [[False, False, True, True, False], [True, False, False, False, False]]
    assert batch["logits_to_keep"].dtype == torch.bool
    assert batch["shift_labels"].tolist() == [8, 9, 4]


def test_the_loss_of_the_answers_is_the_loss_that_full_logits_give(either_base: Path) -> None:
    from model.engines.transformers import load_model

    prompt = Prompt.from_folder(either_base)
    batch = collate([prompt.encode_example(LINES, "Fact.", 64), prompt.encode_example(LINES[:1], "Beets.", 64)])
    model = load_model(either_base)
    model.train(False)
    with torch.no_grad():
        ours = model(**batch).loss
        full = model(**{name: batch[name] for name in ("input_ids", "attention_mask", "labels")}).loss
    assert ours.item() == pytest.approx(full.item(), rel=1e-5)


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
    kept = {tuple(prompt.encode_example(LINES[n:], "Fact.", 64).ids): 3 - n for n in range(4)}
    counts = Counter(kept[tuple(examples[i].ids)] for i in range(3000))
    assert counts[3] == pytest.approx(1500, abs=120)
    for lines in (0, 1, 2):
        assert counts[lines] == pytest.approx(500, abs=90)


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


def test_dialogues_come_from_their_split_and_know_who_speaks(examples_folder: Path) -> None:
    dialogues = read_dialogues(examples_folder, "train")
    assert len(dialogues) == 96
    longest = max(dialogues, key=lambda dialogue: len(dialogue.context))
    assert [turn.is_character for turn in longest.context] == [False, True, False]
    assert longest.answer.startswith("Fact.")


def test_a_limit_spreads_over_the_whole_split(examples_folder: Path) -> None:
    every = read_dialogues(examples_folder, "train")
    assert read_dialogues(examples_folder, "train", limit=3) == [every[0], every[32], every[64]]


def test_a_folder_that_is_no_examples_folder_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"is no examples folder \(it has no manifest\.json\).*data_prep") as refusal:
        read_manifest(tmp_path)
    assert "\n" not in str(refusal.value)
    (tmp_path / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(ModelError, match=r"manifest\.json cannot be read"):
        read_manifest(tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps({"format": 1}), encoding="utf-8")
    with pytest.raises(ModelError, match="names no character"):
        read_manifest(tmp_path)


def test_a_damaged_or_empty_examples_file_is_named(examples_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"target_char_qa_pairs\.parquet does not exist"):
        read_dialogues(tmp_path, "train")
    (tmp_path / "target_char_qa_pairs.parquet").write_bytes(b"not parquet")
    with pytest.raises(ModelError, match=r"target_char_qa_pairs\.parquet cannot be read"):
        read_dialogues(tmp_path, "train")
    with pytest.raises(ModelError, match="has no example of the split 'nonsense'"):
        read_dialogues(examples_folder, "nonsense")
