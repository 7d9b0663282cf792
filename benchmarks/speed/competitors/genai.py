"""OpenVINO GenAI as its manual says to begin: `LLMPipeline(what, "CPU")`, nothing set.

Lisa's base is the GGUF file as it is shipped, which the library reads by itself (and keeps the graph it made of it,
as `enable_save_ov_model` has it do). GPT-2 has no such reader: there it is given our export.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.speed.competitors import SAMPLING, Answer
from benchmarks.speed.gguf_files import unpack_shipped
from model.atomic import read_json


def prepare(base: Path, folder: Path) -> None:
    """The shipped file, read and saved once by the library; or our export."""
    if read_json(base / "config.json")["model_type"] == "gpt2":
        from model.export import export

        folder.rmdir()
        export(base, folder)
    else:
        import openvino_genai

        unpack_shipped(folder / "shipped.gguf")
        openvino_genai.LLMPipeline(folder / "shipped.gguf", "CPU", enable_save_ov_model=True)


def load(folder: Path) -> "GenAI":
    """The pipeline, over the folder that holds a graph by now."""
    import openvino_genai

    return GenAI(openvino_genai.LLMPipeline(folder, "CPU"))


class GenAI:
    """Implements `benchmarks.speed.competitors.Competitor`."""

    def __init__(self, pipeline: Any) -> None:
        self._pipeline = pipeline

    def answer(self, prompts: Sequence[Sequence[int]], new_tokens: int) -> list[Answer]:
        """See the protocol. The prompts must be of one length."""
        import openvino
        import openvino_genai

        ids = np.array(prompts, np.int64)
        inputs = openvino_genai.TokenizedInputs(openvino.Tensor(ids), openvino.Tensor(np.ones_like(ids)))
        asked, firsts = time.perf_counter(), list[float]()
        streamer = _clock(asked, firsts) if len(prompts) == 1 else None  # It streams one chat only.
        results = self._pipeline.generate(inputs, _settings(new_tokens), streamer)
        last = time.perf_counter() - asked
        return [Answer(firsts[0] if firsts else last, last, len(tokens)) for tokens in results.tokens]


def _clock(asked: float, firsts: list[float]) -> Any:
    """A streamer that notes when tokens come, and reads nothing."""
    import openvino_genai

    class Clock(openvino_genai.StreamerBase):  # type: ignore[misc]
        def write(self, _tokens: Any) -> Any:
            firsts.append(time.perf_counter() - asked)
            return openvino_genai.StreamingStatus.RUNNING

        def end(self) -> None:
            """Nothing is held back."""

    return Clock()


def _settings(new_tokens: int) -> Any:
    import openvino_genai

    settings = openvino_genai.GenerationConfig()
    settings.max_new_tokens, settings.ignore_eos = new_tokens, True
    settings.do_sample = True
    settings.temperature, settings.top_k, settings.top_p = SAMPLING.temperature, SAMPLING.top_k, SAMPLING.top_p
    return settings
