"""The default engine: OpenVINO GenAI on the processor, many requests in one running batch, in a process of its own.

Prefix caching computes a persona card once for everyone, and a dialogue's past once. If the process dies, because the
system ran out of memory or the library failed, another takes its place and goes on with the answers where they were.
"""

import asyncio
import logging
import threading
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from model.engine import GenerationSettings, Piece
from model.engines.engine_process import EngineProcess
from model.errors import ModelError
from model.prompt import Prompt, TextStream

logger = logging.getLogger(__name__)

RETRY_SECONDS = 10.0  # after a process that could not be started


@dataclass(slots=True, eq=False)
class _Request:
    """One generation on its way; `pieces` carries text, then None at the end, or the error that ended it."""

    prompt: Sequence[int]
    settings: GenerationSettings
    text: TextStream
    loop: asyncio.AbstractEventLoop
    pieces: "asyncio.Queue[Piece | ModelError | None]" = field(default_factory=asyncio.Queue)
    written: list[int] = field(default_factory=list)
    was_interrupted: bool = False

    def order(self, process: EngineProcess, number: int) -> None:
        """Have `process` write what is not written yet."""
        left = replace(self.settings, max_new_tokens=self.settings.max_new_tokens - len(self.written))
        process.start(number, [*self.prompt, *self.written], left)

    def write(self, ids: Sequence[int], end: str | None) -> None:
        self.written += ids
        text = "".join(map(self.text.push, ids))
        if text or end == "length":
            self.deliver(Piece(text, cut_off=end == "length"))
        if end:
            self.deliver(None)

    def deliver(self, piece: Piece | ModelError | None) -> None:
        try:
            self.loop.call_soon_threadsafe(self.pieces.put_nowait, piece)
        except RuntimeError:  # the loop that asked is closed: nobody waits any more
            return


class OpenVINOEngine:
    """Implements `model.engine.Engine` over the folder that `model.export` wrote."""

    def __init__(self, folder: Path, prompt: Prompt) -> None:
        self._prompt = prompt
        self._make_process = partial(EngineProcess, folder, prompt.end_of_turn, prompt.opening)
        self._process = self._make_process()
        self._requests: dict[int, _Request] = {}
        self._lock = threading.Lock()  # of the two above: no request may miss the change of a process
        self._numbers = count(1)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    async def generate(self, prompt: Sequence[int], settings: GenerationSettings) -> AsyncGenerator[Piece, None]:
        """See `model.engine.Engine.generate`."""
        request = _Request(prompt, settings, self._prompt.stream(), asyncio.get_running_loop())
        with self._lock:
            if self._closed.is_set():
                raise ModelError("the engine is closed")
            number = next(self._numbers)
            self._requests[number] = request
            request.order(self._process, number)
        try:
            while (piece := await request.pieces.get()) is not None:
                if isinstance(piece, ModelError):
                    raise piece
                yield piece
        finally:
            with self._lock:
                if self._requests.pop(number, None):
                    self._process.cancel(number)

    async def close(self) -> None:
        """End what runs, and the process."""
        with self._lock:
            self._closed.set()
            process = self._process
        await asyncio.to_thread(process.kill)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        while not self._closed.is_set():
            for reply in self._process.replies():
                self._take(reply)
            if not self._closed.is_set():
                self._replace()
        self._process.close()
        self._fail_all(ModelError("the engine is closed"))

    def _take(self, reply: dict[str, Any]) -> None:
        number = reply["number"]
        has_ended = "error" in reply or reply["end"]
        with self._lock:
            request = self._requests.pop(number, None) if has_ended else self._requests.get(number)
        if request is None:  # nobody waits for it any more
            return
        if "error" in reply:
            request.deliver(ModelError(reply["error"]))
        else:
            request.write(reply["ids"], reply["end"])

    def _replace(self) -> None:
        """Have another process in the place of one that has ended, and go on with what that had begun."""
        logger.error("the engine: %s; another takes its place", self._process.ending())
        self._process.close()
        while not self._closed.is_set():
            try:
                process = self._make_process()
            except (ModelError, OSError) as error:
                logger.error("the engine cannot be started again: %s", error)
                self._fail_all(ModelError(str(error)))
                self._closed.wait(RETRY_SECONDS)
            else:
                self._hand_over_to(process)
                return

    def _hand_over_to(self, process: EngineProcess) -> None:
        with self._lock:
            self._process = process
            for number, request in list(self._requests.items()):
                if request.was_interrupted:  # perhaps it is the request that kills them
                    del self._requests[number]
                    request.deliver(ModelError("the engine's process died twice over the same request"))
                else:
                    request.was_interrupted = True
                    request.order(process, number)

    def _fail_all(self, error: ModelError) -> None:
        with self._lock:
            requests, self._requests = self._requests, {}
        for request in requests.values():
            request.deliver(error)
