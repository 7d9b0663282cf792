"""transformers' own `generate`: what most people begin with. All chats of a load go through it as one batch."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.speed.competitors import SAMPLING, Answer

PLACE = "base.txt"


def prepare(base: Path, folder: Path, precision: str) -> None:
    """It reads the base as it is: a note of where that is will do."""
    (folder / PLACE).write_text(str(base), encoding="utf-8")


def load(folder: Path, precision: str) -> "Transformers":
    """The model in this precision, a type of torch by name."""
    import torch
    from transformers import AutoModelForCausalLM

    base, kind = (folder / PLACE).read_text(encoding="utf-8"), getattr(torch, precision)
    model: Any = AutoModelForCausalLM.from_pretrained(base, dtype=kind, local_files_only=True)
    return Transformers(model.eval())


class Transformers:
    """Implements `benchmarks.speed.competitors.Competitor`."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def answer(self, prompts: Sequence[Sequence[int]], new_tokens: int) -> list[Answer]:
        """See the protocol. The prompts must be of one length."""
        import torch

        asked, steps = time.perf_counter(), list[float]()
        ids = torch.tensor(prompts)

        def note(*_: Any, **__: Any) -> Any:
            """A criterion for stopping that looks at the clock, and stops nobody."""
            steps.append(time.perf_counter() - asked)
            return ids.new_zeros(ids.shape[0], dtype=torch.bool)

        with torch.inference_mode():
            written = self._model.generate(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                generation_config=_settings(new_tokens),
                stopping_criteria=[note],
            )
        last = time.perf_counter() - asked
        return [Answer(steps[0], last, written.shape[1] - ids.shape[1])] * len(prompts)


def _settings(new_tokens: int) -> Any:
    from transformers import GenerationConfig

    return GenerationConfig(  # type: ignore[no-untyped-call]
        do_sample=True,
        temperature=SAMPLING.temperature,
        top_k=SAMPLING.top_k,
        top_p=SAMPLING.top_p,
        max_new_tokens=new_tokens,
        min_new_tokens=new_tokens,
        pad_token_id=0,
    )
