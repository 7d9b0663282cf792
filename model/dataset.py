"""Examples -> tensors. Drops context at random, batches answers of like length.

Knows nothing of optimisers or of the prompt format.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from model.examples import Dialogue
from model.prompt import Example, Prompt

IGNORED = -100  # the label that PyTorch's cross-entropy skips
POOL_BATCHES = 50


class AnswerExamples:
    """Dialogues as token ids, context dropped anew in every epoch.

    With probability `context_dropout` an example loses its oldest lines, how many is drawn evenly from 1 to all before
    the line that the character answers first: at 0.5 with three lines, all three stay in 1/2 of the epochs, and two and
    one in 1/4 each. What an example loses depends on `seed`, the epoch and its place alone. Everything is tokenised
    once, at the start. What is learned `beforehand`, in each epoch, stands first and loses nothing.
    """

    def __init__(
        self,
        dialogues: Sequence[Dialogue],
        prompt: Prompt,
        max_length: int,
        context_dropout: float = 0.0,
        seed: int = 0,
        progress: bool = False,
        beforehand: Sequence[Example] = (),
    ) -> None:
        self._context_dropout = context_dropout
        self._seed = seed
        bar = tqdm(dialogues, desc="tokenising", unit="example", leave=False, disable=not progress)
        self.beforehand = len(beforehand)
        self._variants = [[example] for example in beforehand]
        self._variants += [_encode(dialogue, prompt, max_length, context_dropout > 0) for dialogue in bar]
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

    @property
    def answers(self) -> int:
        """How many lines are learned from; an example may hold several."""
        return sum(len(variants[0].learned) for variants in self._variants)

    def __len__(self) -> int:
        return len(self._variants)

    def __getitem__(self, index: int) -> Example:
        return self._variants[index][int(self._dropped[index])]


def _encode(dialogue: Dialogue, prompt: Prompt, max_length: int, every_context: bool) -> list[Example]:
    """The example with 0, 1, ... of its oldest lines dropped; only the first of these unless `every_context`."""
    own = (place for place in dialogue.learned if dialogue.context[place].is_character)
    first_answer = min(own, default=len(dialogue.context))
    return [
        prompt.encode_example(
            dialogue.context[n:], dialogue.answer, max_length, [place - n for place in dialogue.learned if place >= n]
        )
        for n in range(max(1, first_answer) if every_context else 1)
    ]


class LengthBuckets:
    """The order in which an epoch visits the examples, such that each batch holds examples of like length.

    Examples are shuffled, sorted by length within pools of fifty batches, and the batches shuffled again. What is to be
    learned beforehand comes first, but for what would fill no batch. The order depends on `seed` and the epoch alone,
    so that a resumed run goes on exactly where it stopped.
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
        beforehand = random.permutation(self._examples.beforehand)
        whole = len(beforehand) // self._batch_size * self._batch_size
        rest = np.concatenate([beforehand[whole:], np.arange(len(beforehand), len(self))])
        lengths = self._examples.lengths
        for part in (beforehand[:whole], random.permutation(rest)):
            yield from self._batched(part, lengths, random)

    def _batched(
        self, order: "np.ndarray[Any, Any]", lengths: "np.ndarray[Any, Any]", random: np.random.Generator
    ) -> Iterator[int]:
        """These examples, in batches of like length that come in any order."""
        pools = np.split(order, range(POOL_BATCHES * self._batch_size, len(order), POOL_BATCHES * self._batch_size))
        by_length = np.concatenate([pool[np.argsort(lengths[pool], kind="stable")] for pool in pools])
        # A short batch must stay last: the data loader cuts this stream into batches by counting.
        whole = len(order) // self._batch_size * self._batch_size
        batches = by_length[:whole].reshape(-1, self._batch_size)
        yield from (int(i) for i in random.permutation(batches).ravel())
        yield from (int(i) for i in by_length[whole:])


def collate(examples: Sequence[Example]) -> dict[str, torch.Tensor]:
    """Pad a batch on the right and mark what is to be learned.

    What all examples begin with, the persona card above all, stands apart in `prefix_ids` (prefix,), so that it need be
    read once only. Of the rest, `input_ids`, `attention_mask` and `labels` have the shape (batch, longest); labels are
    -100 but for answers with their closing tokens. The output head is the dearest layer of a small model, so it runs
    only where an answer token comes next: `logits_to_keep` (batch, longest) is True there, and `shift_labels` (answer
    tokens of the whole batch,) holds those tokens in the same order.
    """
    shared = _shared_prefix(examples)
    shape = len(examples), max(len(example.ids) for example in examples) - shared
    ids, mask = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.long)
    labels, comes_next = torch.full(shape, IGNORED), torch.zeros(shape, dtype=torch.bool)
    for row, example in enumerate(examples):
        end = len(example.ids) - shared
        ids[row, :end] = torch.tensor(example.ids[shared:])
        mask[row, :end] = 1
        for answer in example.learned:
            start, stop = answer.start - shared, answer.stop - shared
            labels[row, start:stop] = ids[row, start:stop]
            comes_next[row, start - 1 : stop - 1] = True
    return {
        "prefix_ids": torch.tensor(examples[0].ids[:shared], dtype=torch.long),
        "input_ids": ids,
        "attention_mask": mask,
        "labels": labels,
        "logits_to_keep": comes_next,
        "shift_labels": labels[labels != IGNORED],
    }


def _shared_prefix(examples: Sequence[Example]) -> int:
    """How many ids all examples begin with, but for the one before the first answer: it predicts a token of that."""
    if len(examples) == 1:
        return 0  # nobody to share it with
    longest = min(example.learned[0].start for example in examples) - 1
    columns = zip(*(example.ids[:longest] for example in examples), strict=True)
    return next((length for length, column in enumerate(columns) if len(set(column)) > 1), longest)
