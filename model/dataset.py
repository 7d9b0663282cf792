"""Examples -> tensors. Reads the examples folder, drops context at random, batches answers of like length.

Knows nothing of optimisers or of the prompt format.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from data_prep.schema import MANIFEST, TARGET_PAIRS
from model.errors import ModelError
from model.prompt import Example, Prompt, Turn

IGNORED = -100  # the label that PyTorch's cross-entropy skips
POOL_BATCHES = 50


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Up to three lines of a scene, oldest first, and what the character answered."""

    context: tuple[Turn, ...]
    answer: str


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of an examples folder; ModelError if this is not one."""
    file = folder / MANIFEST
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(
            f"{folder} is no examples folder (it has no {MANIFEST}): make one with "
            f"`python -m data_prep SCRIPT --character NAME --out {folder}`"
        ) from None
    except (OSError, ValueError) as error:
        raise ModelError(f"{file} cannot be read: {error}") from error
    if not isinstance(manifest, dict) or "character" not in manifest:
        raise ModelError(f"{file} names no character: prepare the script again")
    return manifest


def read_dialogues(folder: Path, split: str, limit: int = 0) -> list[Dialogue]:
    """The target character's dialogues of one split; with a limit, so many of them, evenly spread.

    Raises ModelError that names the file when it cannot be read or holds nothing of this split.
    """
    file = folder / TARGET_PAIRS
    rows = [row for row in _read_rows(file) if row["split"] == split and row["answer"].strip()]
    if not rows:
        raise ModelError(f"{file} has no example of the split {split!r}")
    if 0 < limit < len(rows):
        rows = [rows[i * len(rows) // limit] for i in range(limit)]
    return [_dialogue(row) for row in rows]


def _read_rows(file: Path) -> list[dict[str, Any]]:
    import pyarrow
    import pyarrow.parquet

    columns = ["speaker", "context", "context_speakers", "answer", "split"]
    try:
        table = pyarrow.parquet.read_table(file, columns=columns)
    except FileNotFoundError:
        raise ModelError(f"{file} does not exist: prepare the script again") from None
    except (OSError, KeyError, pyarrow.ArrowException) as error:
        raise ModelError(f"{file} cannot be read: {error}") from error
    if missing := set(columns) - set(table.column_names):
        raise ModelError(f"{file} lacks the column {min(missing)!r}: prepare the script again")
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def _dialogue(row: dict[str, Any]) -> Dialogue:
    lines = zip(row["context_speakers"], row["context"], strict=True)
    return Dialogue(tuple(Turn(who, text, who == row["speaker"]) for who, text in lines), row["answer"])


class AnswerExamples:
    """Dialogues as token ids, context dropped anew in every epoch.

    With probability `context_dropout` an example loses its oldest lines, how many is drawn evenly from 1 to all n:
    at 0.5 with three lines, all three stay in 1/2 of the epochs, and two, one and none in 1/6 each. What an
    example loses depends on `seed`, the epoch and its place alone. Everything is tokenised once, at the start.
    """

    def __init__(
        self,
        dialogues: Sequence[Dialogue],
        prompt: Prompt,
        max_length: int,
        context_dropout: float = 0.0,
        seed: int = 0,
        progress: bool = False,
    ) -> None:
        self._context_dropout = context_dropout
        self._seed = seed
        bar = tqdm(dialogues, desc="tokenising", unit="example", leave=False, disable=not progress)
        self._variants = [_encode(dialogue, prompt, max_length, context_dropout > 0) for dialogue in bar]
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Draw which lines of context this epoch leaves out."""
        random = np.random.default_rng((self._seed, epoch))
        most = np.array([len(variants) - 1 for variants in self._variants])
        dropped = random.integers(1, np.maximum(most, 1) + 1)
        keeps_all = (random.random(len(most)) >= self._context_dropout) | (most == 0)
        self._dropped = np.where(keeps_all, 0, dropped)

    @property
    def lengths(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Tokens of each example in this epoch, shape (examples,)."""
        return np.array([len(self[i].ids) for i in range(len(self))], dtype=np.int64)

    def __len__(self) -> int:
        return len(self._variants)

    def __getitem__(self, index: int) -> Example:
        return self._variants[index][int(self._dropped[index])]


def _encode(dialogue: Dialogue, prompt: Prompt, max_length: int, every_context: bool) -> list[Example]:
    """The example with 0, 1, ... of its oldest lines dropped; only the first of these unless `every_context`."""
    drops = range(len(dialogue.context) + 1 if every_context else 1)
    return [prompt.encode_example(dialogue.context[n:], dialogue.answer, max_length) for n in drops]


class LengthBuckets:
    """The order in which an epoch visits the examples, such that each batch holds examples of like length.

    Examples are shuffled, sorted by length within pools of fifty batches, and the batches shuffled again. The order
    depends on `seed` and the epoch alone, so that a resumed run goes on exactly where it stopped.
    """

    def __init__(self, examples: AnswerExamples, batch_size: int, seed: int) -> None:
        self._examples = examples
        self._batch_size = batch_size
        self._seed = seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Called by the trainer at the start of each epoch; tells the examples as well."""
        self._epoch = epoch
        self._examples.set_epoch(epoch)

    def __len__(self) -> int:
        return len(self._examples)

    def __iter__(self) -> Iterator[int]:
        random = np.random.default_rng((self._seed, self._epoch))
        lengths = self._examples.lengths
        order = random.permutation(len(lengths))
        pools = np.split(order, range(POOL_BATCHES * self._batch_size, len(order), POOL_BATCHES * self._batch_size))
        by_length = np.concatenate([pool[np.argsort(lengths[pool], kind="stable")] for pool in pools])
        # A short batch must stay last: the data loader cuts this stream into batches by counting.
        whole = len(order) // self._batch_size * self._batch_size
        batches = by_length[:whole].reshape(-1, self._batch_size)
        yield from (int(i) for i in random.permutation(batches).ravel())
        yield from (int(i) for i in by_length[whole:])


def collate(examples: Sequence[Example]) -> dict[str, torch.Tensor]:
    """Pad a batch on the right and mark what is to be learned.

    `input_ids`, `attention_mask` and `labels` have the shape (batch, longest); labels are -100 but for the answer with
    its closing token. The output head is the dearest layer of a small model, so it runs only where an answer token
    comes next: `logits_to_keep` (batch, longest) is True there, and `shift_labels` (answer tokens of the whole
    batch,) holds those tokens in the same order.
    """
    shape = len(examples), max(len(example.ids) for example in examples)
    ids, mask = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.long)
    labels, comes_next = torch.full(shape, IGNORED), torch.zeros(shape, dtype=torch.bool)
    for row, example in enumerate(examples):
        start, end = example.answer_start, len(example.ids)
        ids[row, :end] = torch.tensor(example.ids)
        mask[row, :end] = 1
        labels[row, start:end] = ids[row, start:end]
        comes_next[row, start - 1 : end - 1] = True
    return {
        "input_ids": ids,
        "attention_mask": mask,
        "labels": labels,
        "logits_to_keep": comes_next,
        "shift_labels": labels[labels != IGNORED],
    }
