"""Who is compared: the engines behind one small protocol, and what each of them needs.

Each has a module here with two functions. `prepare(base, folder)` writes into an empty folder what it reads, from a
base in the hub's layout; `load(folder)` gives a `Competitor`. A module imports its library in these functions only, so
that a process carries one library and no more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from model.engine import GenerationSettings

SAMPLING = GenerationSettings()  # what the bot samples with unless it is told otherwise


@dataclass(frozen=True, slots=True)
class Answer:
    """When an answer began and ended, in seconds after the question, and of how many tokens it was."""

    first: float
    last: float
    tokens: int


class Competitor(Protocol):
    """Answers a number of chats that ask at the same time."""

    def answer(self, prompts: Sequence[Sequence[int]], new_tokens: int) -> list[Answer]:
        """An answer of `new_tokens` sampled tokens to each of the prompts (token ids), an end of turn ignored."""
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """A competitor by its key: the module that runs it, its title, and the distributions that serving with it needs.

    `variant` is for modules that run in several ways. A retrieval bot writes nothing: it looks an answer up.
    """

    key: str
    module: str
    title: str
    needs: tuple[str, ...]
    variant: str = ""
    retrieves: bool = False

    def prepare(self, base: Path, folder: Path) -> None:
        """Write what it reads."""
        self._library().prepare(base, folder, *self._options())

    def load(self, folder: Path) -> Competitor:
        """Make it ready to answer."""
        loaded: Competitor = self._library().load(folder, *self._options())
        return loaded

    def _library(self) -> Any:
        return import_module(f"{__name__}.{self.module}")

    def _options(self) -> tuple[str, ...]:
        return (self.variant,) if self.variant else ()


OURS, REFERENCE, BFLOAT16, DEFAULTS = "ours", "transformers", "transformers-bf16", "genai"
ENTRIES = {
    entry.key: entry
    for entry in (
        Entry(OURS, "ours", "Understudy", ("openvino-genai", "tokenizers", "numpy")),
        Entry(REFERENCE, "transformers", "transformers, float32", ("transformers", "torch"), "float32"),
        Entry(BFLOAT16, "transformers", "transformers, bfloat16", ("transformers", "torch"), "bfloat16"),
        Entry("ctranslate2", "ctranslate2", "CTranslate2, int8", ("ctranslate2",)),
        Entry("llamacpp", "llamacpp", "llama.cpp", ("xllamacpp",)),
        Entry(DEFAULTS, "genai", "OpenVINO GenAI, defaults", ("openvino-genai",)),
        Entry("retrieval", "retrieval", "retrieval, bi-encoder", ("transformers", "torch"), "alone", True),
        Entry("reranking", "retrieval", "retrieval, cross-encoder", ("transformers", "torch"), "reranked", True),
    )
}
