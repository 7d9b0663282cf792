"""The reference engine: transformers' own `generate`, one request at a time, on a CPU or a GPU.

Slow, and right: the other engines are compared with it. Needs the train extra.
"""

import asyncio
import contextlib
import threading
import warnings
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, GenerationConfig, PreTrainedModel, StoppingCriteria
from transformers.generation.streamers import BaseStreamer
from transformers.utils import logging as transformers_logging

from model.engine import GenerationSettings, Piece
from model.errors import ModelError, first_line
from model.prompt import Prompt


def load_model(folder: Path, adapter: Path | None = None) -> PreTrainedModel:
    """A causal language model in float32, read from a local folder without any network, with the adapter merged in.

    Raises ModelError that names the folder when it cannot be read or the adapter does not fit.
    """
    with quiet():
        try:
            model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
                folder, dtype=torch.float32, local_files_only=True
            )
        except (OSError, ValueError, RuntimeError) as error:
            raise ModelError(f"{folder} cannot be read as a model: {first_line(error)}") from error
        return model if adapter is None else _merged(model, adapter)


def _merged(model: PreTrainedModel, adapter: Path) -> PreTrainedModel:
    from peft import PeftModel

    if not (adapter / "adapter_config.json").is_file():  # without it, peft would go and ask the hub
        raise ModelError(f"{adapter} is no adapter: it has no adapter_config.json")
    try:
        merged: PreTrainedModel = PeftModel.from_pretrained(model, str(adapter)).merge_and_unload()
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelError(f"{adapter} does not fit its base: {first_line(error)}") from error
    return merged


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """No bars, notes and deprecations of the libraries' own: standard error is for ours."""
    level, had_bars = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # peft asks transformers for what it calls by a new name
            yield
    finally:
        transformers_logging.set_verbosity(level)
        if had_bars:
            transformers_logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def load(folder: Path, adapter: Path | None = None) -> "TransformersEngine":
    """An engine from a base or full-weights folder, with a PEFT adapter merged in if one is given."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return TransformersEngine(load_model(folder, adapter).to(device).eval(), Prompt.from_folder(folder))  # type: ignore[arg-type]


class TransformersEngine:
    """Implements `model.engine.Engine`. Requests wait for each other in one thread."""

    def __init__(self, model: PreTrainedModel, prompt: Prompt) -> None:
        self._model = model
        self._prompt = prompt
        self._closing = threading.Event()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="transformers-engine")

    async def generate(self, prompt: Sequence[int], settings: GenerationSettings) -> AsyncGenerator[Piece, None]:
        """Stream the answer; see `model.engine.Engine`. ModelError if prompt and answer exceed the model's window."""
        self._check_window(len(prompt) + settings.max_new_tokens)
        loop = asyncio.get_running_loop()
        pieces: asyncio.Queue[Piece | None] = asyncio.Queue()
        request = _Request(list(prompt), settings, lambda piece: loop.call_soon_threadsafe(pieces.put_nowait, piece))
        work = loop.run_in_executor(self._thread, self._run, request)
        work.add_done_callback(lambda _: pieces.put_nowait(None))
        try:
            while (piece := await pieces.get()) is not None:
                yield piece
            await work
        finally:
            request.cancelled.set()
            work.cancel()

    async def close(self) -> None:
        """Cancel what runs or waits, and wait until the thread is free."""
        self._closing.set()
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)

    def _check_window(self, tokens: int) -> None:
        window = getattr(self._model.config, "max_position_embeddings", None)
        if window is not None and tokens > window:
            raise ModelError(f"prompt and answer need {tokens} tokens, but the model reads {window} at most")

    def _run(self, request: "_Request") -> None:
        if request.cancelled.is_set() or self._closing.is_set():
            return
        ids = torch.tensor([request.prompt], device=self._model.device)
        with torch.inference_mode(), _seeded(request.settings.seed), quiet():
            answered = self._model.generate(  # type: ignore[operator]
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                generation_config=self._generation_config(request.settings),
                streamer=_PieceStreamer(request.emit, self._prompt),
                stopping_criteria=[_StopWhen(request.cancelled), _StopWhen(self._closing)],
            )
        if int(answered[0, -1]) != self._prompt.end_of_turn:
            request.emit(Piece("", cut_off=True))

    def _generation_config(self, settings: GenerationSettings) -> GenerationConfig:
        sampling: dict[str, Any] = {"do_sample": False}
        if settings.temperature > 0:
            sampling = {
                "do_sample": True,
                "temperature": settings.temperature,
                "top_p": settings.top_p,
                "top_k": settings.top_k,
            }
        return GenerationConfig(  # type: ignore[no-untyped-call]
            min_new_tokens=1,
            max_new_tokens=settings.max_new_tokens,
            repetition_penalty=settings.repetition_penalty,
            eos_token_id=self._prompt.end_of_turn,
            pad_token_id=self._prompt.end_of_turn,
            **sampling,
        )


class _Request:
    def __init__(self, prompt: list[int], settings: GenerationSettings, emit: Callable[[Piece], object]) -> None:
        self.prompt = prompt
        self.settings = settings
        self.emit = emit
        self.cancelled = threading.Event()


class _PieceStreamer(BaseStreamer):
    """Passes on whole characters; `generate` gives it the prompt first, then token by token."""

    def __init__(self, emit: Callable[[Piece], object], prompt: Prompt) -> None:
        self._emit = emit
        self._text = prompt.stream()
        self._seen_prompt = False

    def put(self, value: torch.Tensor) -> None:
        if not self._seen_prompt:
            self._seen_prompt = True
            return
        if text := self._text.push(int(value.item())):
            self._emit(Piece(text))

    def end(self) -> None:
        """Nothing is left to give: bytes of an unfinished character are no text."""


class _StopWhen(StoppingCriteria):
    def __init__(self, event: threading.Event) -> None:
        self._event = event

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:
        return torch.full((input_ids.shape[0],), self._event.is_set(), device=input_ids.device)


@contextlib.contextmanager
def _seeded(seed: int | None) -> Iterator[None]:
    """A generator state of its own for one request; the process's comes back afterwards."""
    if seed is None:
        yield
        return
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield
