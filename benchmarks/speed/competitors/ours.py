"""Understudy's own engine, driven as the bot drives it: through its asynchronous interface, one task for each chat."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.speed.competitors import SAMPLING, Answer
from model.atomic import read_json
from model.engine import GenerationSettings
from model.engines.openvino import OpenVINOEngine
from model.prompt import Prompt


def prepare(base: Path, folder: Path) -> None:
    """The export that a trained version carries."""
    from model.export import export

    folder.rmdir()
    export(base, folder)


def load(folder: Path) -> "Understudy":
    """The default engine over the export."""
    return Understudy(folder)


class Understudy:
    """Implements `benchmarks.speed.competitors.Competitor`."""

    def __init__(self, folder: Path) -> None:
        prompt = Prompt.from_folder(folder)
        prompt.end_of_turn = int(read_json(folder / "config.json")["eos_token_id"])  # see `benchmarks.speed.bases`
        self._engine = OpenVINOEngine(folder, prompt)
        self._runner = asyncio.Runner()

    def answer(self, prompts: Sequence[Sequence[int]], new_tokens: int) -> list[Answer]:
        """See the protocol."""
        return self._runner.run(self._answer_all(prompts, replace(SAMPLING, max_new_tokens=new_tokens)))

    async def _answer_all(self, prompts: Sequence[Sequence[int]], settings: GenerationSettings) -> list[Answer]:
        asked = time.perf_counter()
        return await asyncio.gather(*(self._answer(prompt, settings, asked) for prompt in prompts))

    async def _answer(self, prompt: Sequence[int], settings: GenerationSettings, asked: float) -> Answer:
        first, full = 0.0, False
        async for piece in self._engine.generate(prompt, settings):
            first = first or time.perf_counter() - asked
            full = piece.cut_off
        # The engine gives text. What the length limit cut off has as many tokens as the limit says.
        return Answer(first, time.perf_counter() - asked, settings.max_new_tokens if full else 0)
