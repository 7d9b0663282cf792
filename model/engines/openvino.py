"""The default engine: OpenVINO GenAI on the processor, many requests in one running batch.

One thread owns the pipeline: it takes up new requests, steps them all by one token, and hands text to the event
loops that wait for it. Prefix caching computes a persona card once for everyone, and a dialogue's past once.

The library keeps Python's lock during a step: the loops run between two steps only, and each step waits for what they
do there. So they are woken seldom, and then left the time to run.
"""

import asyncio
import logging
import queue
import secrets
import threading
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import openvino_genai
from openvino_genai.py_openvino_genai import GenerationFinishReason, GenerationStatus

from model.engine import GenerationSettings, Piece
from model.engines.mapped_file import give_back
from model.errors import ModelError, last_line
from model.export import WEIGHTS_FILE
from model.prompt import Prompt, TextStream

logger = logging.getLogger(__name__)

CACHE_BLOCKS = 320  # of 32 tokens each: room for about forty chats, 120 MB with SmolLM2
MAX_CHATS = 32
MAX_STEP_TOKENS = 512  # prompts are read in pieces of this size, so that running answers do not stall
GATHERING_SECONDS = 0.002  # who asks together is answered together
LOOP_SECONDS = 0.0002  # for the loops, when they have been woken
PIECE_SECONDS = 0.1  # what is written within that goes out together; nobody reads more quickly


@dataclass(slots=True, eq=False)
class _Request:
    """One generation on its way; `pieces` carries text, then None at the end, or the error that ended it."""

    prompt: Sequence[int]
    settings: GenerationSettings
    text: TextStream
    loop: asyncio.AbstractEventLoop
    pieces: "asyncio.Queue[Piece | BaseException | None]" = field(default_factory=asyncio.Queue)
    cancelled: threading.Event = field(default_factory=threading.Event)
    handle: Any = None
    written: str = ""
    delivered_at: float = 0.0

    def write(self, text: str) -> bool:
        """Deliver text, unless some was delivered just now; whether it was."""
        self.written += text
        return time.monotonic() - self.delivered_at >= PIECE_SECONDS and self.flush()

    def flush(self) -> bool:
        """Deliver what has been kept; whether there was any."""
        if not self.written:
            return False
        self.deliver(Piece(self.written))
        self.written, self.delivered_at = "", time.monotonic()
        return True

    def deliver(self, piece: "Piece | BaseException | None") -> None:
        try:
            self.loop.call_soon_threadsafe(self.pieces.put_nowait, piece)
        except RuntimeError:  # the loop that asked is closed: nobody waits any more
            self.cancelled.set()


class OpenVINOEngine:
    """Implements `model.engine.Engine` over the folder that `model.export` wrote."""

    def __init__(self, folder: Path, prompt: Prompt) -> None:
        self._prompt = prompt
        self._weights = folder / WEIGHTS_FILE
        self._pipeline = make_pipeline(folder)
        self._incoming: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        self._running: list[_Request] = []
        self._count = 0
        self._has_spoken = False
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    async def generate(self, prompt: Sequence[int], settings: GenerationSettings) -> AsyncGenerator[Piece, None]:
        """See `model.engine.Engine.generate`."""
        if self._closed:
            raise ModelError("the engine is closed")
        request = _Request(prompt, settings, self._prompt.stream(), asyncio.get_running_loop())
        self._incoming.put(request)
        try:
            while (piece := await request.pieces.get()) is not None:
                if isinstance(piece, BaseException):
                    raise piece
                yield piece
        finally:
            request.cancelled.set()

    async def close(self) -> None:
        """Cancel what runs and end the thread."""
        self._closed = True
        self._incoming.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        try:
            self._warm_up()
        except Exception:  # whoever asks first will be told what is wrong
            logger.exception("the engine failed to warm up")
        while self._take_up():
            try:
                self._pipeline.step()
                self._has_spoken = False
                self._running = [request for request in self._running if self._advance(request)]
                if self._has_spoken:
                    time.sleep(LOOP_SECONDS)
            except Exception as error:
                logger.exception("the engine failed at a step")
                self._fail_all(error)
        self._fail_all(ModelError("the engine is closed"))
        while self._pipeline.has_non_finished_requests():  # a step frees what was cancelled
            self._pipeline.step()

    def _warm_up(self) -> None:
        """Have the weights packed and the persona card read before anybody waits for that.

        The library packs them when it first meets a single token, and once more, otherwise, for a short prompt. Each
        time it reads the mapped file, whose pages need not stay after that.
        """
        single = [self._prompt.end_of_turn]
        for ids in (single, self._prompt.opening or 16 * single):
            self._count += 1
            config = _generation_config(GenerationSettings(max_new_tokens=1), self._prompt.end_of_turn)
            handle = self._pipeline.add_request(self._count, openvino.Tensor(np.array([ids], np.int64)), config)
            while self._pipeline.has_non_finished_requests():
                self._pipeline.step()
            handle.read_all()
            give_back(self._weights)

    def _take_up(self) -> bool:
        """Start what has come in, waiting for it when there is nothing else to do; False when it is time to stop."""
        while not self._running or not self._incoming.empty():
            request = self._incoming.get()
            if request is None:
                return False
            self._start(request)
            if len(self._running) == 1:
                time.sleep(GATHERING_SECONDS)
        return True

    def _start(self, request: _Request) -> None:
        self._count += 1
        ids = openvino.Tensor(np.array([request.prompt], np.int64))
        try:
            config = _generation_config(request.settings, self._prompt.end_of_turn)
            request.handle = self._pipeline.add_request(self._count, ids, config)
        except Exception as error:  # whatever one request is refused for, the thread goes on for the others
            request.deliver(ModelError(f"the engine refused a request: {last_line(error)}"))
            return
        self._running.append(request)

    def _advance(self, request: _Request) -> bool:
        """Pass on what the last step gave; False when the request has ended."""
        if request.cancelled.is_set():
            request.handle.cancel()
            return False
        reason = GenerationFinishReason.NONE
        while request.handle.can_read():
            for output in request.handle.read().values():
                self._has_spoken |= request.write("".join(map(request.text.push, output.generated_ids)))
                reason = output.finish_reason
        if request.handle.get_status() == GenerationStatus.IGNORED:
            request.deliver(ModelError("the prompt does not fit into the engine's cache"))
            return False
        if reason == GenerationFinishReason.NONE:
            return True
        request.flush()
        if reason == GenerationFinishReason.LENGTH:
            request.deliver(Piece("", cut_off=True))
        request.deliver(None)
        return False

    def _fail_all(self, error: Exception) -> None:
        for request in self._running:
            request.handle.cancel()
            request.deliver(error)
        self._running = []
        while not self._incoming.empty():
            if (waiting := self._incoming.get()) is not None:
                waiting.deliver(error)


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
