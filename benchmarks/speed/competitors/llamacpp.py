"""llama.cpp in the process (xllamacpp), with its prompt cache and a slot for each chat.

Lisa's base is read as it is shipped (Q4_1): what a user of llama.cpp would run, and quicker than eight bits where one
chat decodes. GPT-2 is written at eight bits (Q8_0).
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.speed.competitors import SAMPLING, Answer
from benchmarks.speed.gguf_files import write_gguf

MOST_CHATS, ROOM = 32, 512  # ROOM: tokens of prompt and answer for each chat


def prepare(base: Path, folder: Path) -> None:
    """A GGUF file."""
    write_gguf(base, folder / "model.gguf")


def load(folder: Path) -> "LlamaCpp":
    """A server in this process, which is spoken to without HTTP."""
    import xllamacpp

    settings = xllamacpp.CommonParams()
    settings.model.path = str(folder / "model.gguf")
    settings.n_parallel, settings.n_ctx = MOST_CHATS, MOST_CHATS * ROOM
    settings.cache_prompt = settings.cont_batching = True
    settings.hostnames = ["127.0.0.1"]
    settings.verbosity = 0
    return LlamaCpp(xllamacpp.Server(settings))


class LlamaCpp:
    """Implements `benchmarks.speed.competitors.Competitor`."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._threads = ThreadPoolExecutor(MOST_CHATS)

    def answer(self, prompts: Sequence[Sequence[int]], new_tokens: int) -> list[Answer]:
        """See the protocol. A thread for each chat, as its own HTTP server has."""
        asked = time.perf_counter()
        return list(self._threads.map(lambda prompt: self._answer(prompt, new_tokens, asked), prompts))

    def _answer(self, prompt: Sequence[int], new_tokens: int, asked: float) -> Answer:
        first, tokens = 0.0, 0

        def take(chunk: Any) -> bool:
            nonlocal first, tokens
            first = first or time.perf_counter() - asked
            for part in chunk if isinstance(chunk, list) else [chunk]:
                if "error" in part:
                    raise RuntimeError(part["error"])
                tokens = part.get("usage", {}).get("completion_tokens", tokens)
            return False

        self._server.handle_completions(_request(prompt, new_tokens), take)
        return Answer(first, time.perf_counter() - asked, tokens)


def _request(prompt: Sequence[int], new_tokens: int) -> dict[str, Any]:
    return {
        "prompt": list(prompt),
        "n_predict": new_tokens,
        "stream": True,
        "ignore_eos": True,
        "cache_prompt": True,
        "samplers": ["top_k", "top_p", "temperature"],
        "temperature": SAMPLING.temperature,
        "top_k": SAMPLING.top_k,
        "top_p": SAMPLING.top_p,
    }
