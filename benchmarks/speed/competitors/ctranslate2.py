"""CTranslate2, int8. The part of the prompts that all chats share is its static prompt, which it computes once."""

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.speed.competitors import SAMPLING, Answer
from benchmarks.speed.workloads import SHARED_TOKENS


def prepare(base: Path, folder: Path) -> None:
    """Its own converter, which needs transformers and torch; serving does not."""
    from ctranslate2.converters import TransformersConverter

    TransformersConverter(str(base)).convert(str(folder), quantization="int8", force=True)


def load(folder: Path) -> "CTranslate2":
    """A generator that has the cores to itself."""
    import ctranslate2

    generator = ctranslate2.Generator(str(folder), intra_threads=os.cpu_count() or 1, compute_type="int8")
    return CTranslate2(generator, json.loads((folder / "vocabulary.json").read_text(encoding="utf-8")))


class CTranslate2:
    """Implements `benchmarks.speed.competitors.Competitor`."""

    def __init__(self, generator: Any, vocabulary: Sequence[str]) -> None:
        self._generator = generator
        self._vocabulary = vocabulary

    def answer(self, prompts: Sequence[Sequence[int]], new_tokens: int) -> list[Answer]:
        """See the protocol."""
        asked, firsts = time.perf_counter(), dict[int, float]()

        def note(step: Any) -> bool:
            firsts.setdefault(step.batch_id, time.perf_counter() - asked)
            return False

        results = self._generator.generate_batch(
            [self._words(prompt[SHARED_TOKENS:]) for prompt in prompts],
            static_prompt=self._words(prompts[0][:SHARED_TOKENS]),
            include_prompt_in_result=False,
            max_length=new_tokens,
            min_length=new_tokens,
            sampling_topk=SAMPLING.top_k,
            sampling_topp=SAMPLING.top_p,
            sampling_temperature=SAMPLING.temperature,
            callback=note,
        )
        last = time.perf_counter() - asked
        return [
            Answer(firsts.get(chat, last), last, len(result.sequences_ids[0])) for chat, result in enumerate(results)
        ]

    def _words(self, ids: Sequence[int]) -> list[str]:
        return [self._vocabulary[token] for token in ids]
