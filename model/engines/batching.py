"""The process in which OpenVINO GenAI's batching pipeline runs: python -m model.engines.batching

One loop takes up new requests and steps them all by one token. The library keeps Python's lock during a step, 10 ms
for one chat and a second for a long prompt, so in the bot's own process everything else would stand still meanwhile.

It speaks with `model.engines.engine_process` over its standard streams, a JSON object a line; tokens are their ids.
It ends when its input does, so whoever has started it cannot leave it behind, however it ends itself.
"""

import json
import os
import queue
import secrets
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import openvino_genai
from openvino_genai.py_openvino_genai import GenerationFinishReason, GenerationStatus

from model.engine import GenerationSettings
from model.engines.mapped_file import give_back
from model.errors import ModelError, last_line
from model.export import WEIGHTS_FILE
from model.private_output import private_output

CACHE_BLOCKS = 320  # of 32 tokens each: room for about forty chats, 120 MB with SmolLM2
MAX_CHATS = 32
MAX_STEP_TOKENS = 512  # prompts are read in pieces of this size, so that running answers do not stall
SHORT_PROMPT = 16  # tokens
GATHERING_SECONDS = 0.002  # who asks together is answered together
TELLING_SECONDS = 0.1  # what is written within that is told together; nobody reads more quickly

Json = dict[str, Any]
ENDINGS = {GenerationFinishReason.STOP: "stop", GenerationFinishReason.LENGTH: "length"}


@dataclass(slots=True)
class _Answer:
    """One answer on its way; `ids` are the tokens that nobody has been told yet."""

    handle: Any
    ids: list[int] = field(default_factory=list)
    told_at: float = 0.0

    def is_due(self) -> bool:
        return bool(self.ids) and time.monotonic() - self.told_at >= TELLING_SECONDS


class Batch:
    """All requests that are being answered, over the folder that `model.export` wrote.

    An order is `{"start": number, "prompt": ids, "settings": {...}}` or `{"cancel": number}`. What is told of a number
    is `{"number": number, "ids": new ids, "end": null, "stop" or "length"}`, or `{"number": number, "error": line}`.
    """

    def __init__(
        self, folder: Path, end_of_turn: int, orders: "queue.SimpleQueue[Json]", tell: Callable[[Json], None]
    ) -> None:
        self._weights = folder / WEIGHTS_FILE
        self._end_of_turn = end_of_turn
        self._pipeline = make_pipeline(folder)
        self._orders = orders
        self._tell = tell
        self._running: dict[int, _Answer] = {}

    def warm_up(self, opening: list[int]) -> None:
        """Have the weights packed, and what every prompt opens with read, before anybody waits for that.

        The library packs them when it first meets a single token, and once more, otherwise, for a short prompt. Each
        time it reads the mapped file, whose pages need not stay after that.
        """
        single = [self._end_of_turn]
        for ids in filter(None, (single, SHORT_PROMPT * single, opening)):
            handle = self._add(0, ids, GenerationSettings(max_new_tokens=1))
            while self._pipeline.has_non_finished_requests():
                self._pipeline.step()
            handle.read_all()
            give_back(self._weights)

    def take_up(self) -> None:
        """Follow the orders that have come in; wait for one when there is nothing else to do."""
        if not self._running and self._orders.empty():
            give_back(self._weights)  # a step looks into it here and there, which maps most of it
        while not self._running or not self._orders.empty():
            self._follow(self._orders.get())
            if len(self._running) == 1:
                time.sleep(GATHERING_SECONDS)

    def step(self) -> None:
        """Bring every answer one token further, and a part of the prompts that are still to be read."""
        self._pipeline.step()
        self._running = {number: one for number, one in self._running.items() if self._advance(number, one)}

    def _follow(self, order: Json) -> None:
        if "cancel" in order:
            if answer := self._running.pop(order["cancel"], None):
                answer.handle.cancel()
            return
        number = order["start"]
        try:
            handle = self._add(number, order["prompt"], GenerationSettings(**order["settings"]))
        except Exception as error:  # whatever one request is refused for, the others go on
            self._tell({"number": number, "error": f"the engine refused a request: {last_line(error)}"})
            return
        self._running[number] = _Answer(handle)

    def _add(self, number: int, prompt: list[int], settings: GenerationSettings) -> Any:
        ids = openvino.Tensor(np.array([prompt], np.int64))
        return self._pipeline.add_request(number, ids, _generation_config(settings, self._end_of_turn))

    def _advance(self, number: int, answer: _Answer) -> bool:
        """Tell what the last step gave; False when the answer has ended."""
        end = None
        while answer.handle.can_read():
            for output in answer.handle.read().values():
                answer.ids += output.generated_ids
                end = ENDINGS.get(output.finish_reason)
        if answer.handle.get_status() == GenerationStatus.IGNORED:
            self._tell({"number": number, "error": "the prompt does not fit into the engine's cache"})
            return False
        if end or answer.is_due():
            self._tell({"number": number, "ids": answer.ids, "end": end})
            answer.ids, answer.told_at = [], time.monotonic()
        return end is None


def make_pipeline(folder: Path) -> Any:
    """The library's batching pipeline over an exported folder; ModelError if it cannot be loaded."""
    scheduler = openvino_genai.SchedulerConfig()
    scheduler.num_kv_blocks = CACHE_BLOCKS
    scheduler.max_num_seqs = MAX_CHATS
    scheduler.max_num_batched_tokens = MAX_STEP_TOKENS
    scheduler.enable_prefix_caching = True
    try:
        return openvino_genai.ContinuousBatchingPipeline(folder, scheduler, "CPU")
    except RuntimeError as error:
        raise ModelError(f"{folder} cannot be loaded by the engine: {last_line(error)}") from error


def _generation_config(settings: GenerationSettings, end_of_turn: int) -> Any:
    config = openvino_genai.GenerationConfig()
    config.eos_token_id = end_of_turn
    config.stop_token_ids = {end_of_turn}
    config.min_new_tokens = 1
    config.max_new_tokens = settings.max_new_tokens
    config.repetition_penalty = settings.repetition_penalty
    config.do_sample = settings.temperature > 0
    if config.do_sample:
        config.temperature = settings.temperature
        config.top_p = settings.top_p
        if settings.top_k:
            config.top_k = settings.top_k
    # The library's own default is the same seed for every request.
    config.rng_seed = secrets.randbits(32) if settings.seed is None else settings.seed
    return config


def serve() -> None:
    """Load what the first line names, say that it is ready, or why it never will be, and follow orders from then on."""
    tell = _teller()
    first = sys.stdin.readline()
    if not first:
        return
    model = json.loads(first)
    orders: queue.SimpleQueue[Json] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(orders,), daemon=True).start()
    try:
        batch = Batch(Path(model["folder"]), model["end_of_turn"], orders, tell)
        batch.warm_up(model["opening"])
    except ModelError as error:
        tell({"error": str(error)})
        return
    tell({"ready": True})
    while True:
        batch.take_up()
        batch.step()


def _teller() -> Callable[[Json], None]:
    output = private_output()

    def tell(what: Json) -> None:
        output.write(json.dumps(what) + "\n")
        output.flush()

    return tell


def _listen(orders: "queue.SimpleQueue[Json]") -> None:
    try:
        for line in sys.stdin:
            orders.put(json.loads(line))
    finally:  # Nobody is there any more, perhaps since the middle of a line; nothing here is worth keeping.
        os._exit(0)


if __name__ == "__main__":
    for unwanted in (signal.SIGINT, signal.SIGTERM):  # They are for the bot, which ends us when its answers are out.
        signal.signal(unwanted, signal.SIG_IGN)
    serve()
