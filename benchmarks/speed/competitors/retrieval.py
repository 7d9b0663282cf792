"""The retrieval bot: the character's best line from the script, found by a bi-encoder, perhaps by a cross-encoder too.

Both encoders have MiniLM's shape (6 layers, 384 wide) and random weights. They are given as many tokens as the chat has
said, without the part that all chats share; turning words into tokens and keeping the lines are not counted.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.speed.competitors import Answer
from benchmarks.speed.workloads import SHARED_TOKENS

LINES = 130_000  # spoken in a script of 158 thousand rows
CANDIDATES = 50
LINE_TOKENS = 14  # of a line, at the median of such a script
PAIRS_AT_ONCE = 50
MINILM = {
    "vocab_size": 30522,
    "hidden_size": 384,
    "num_hidden_layers": 6,
    "num_attention_heads": 12,
    "intermediate_size": 1536,
}


def prepare(base: Path, folder: Path, variant: str) -> None:
    """All lines, encoded beforehand: that is where retrieval is quick."""
    embeddings = np.random.default_rng(0).standard_normal((LINES, MINILM["hidden_size"]), np.float32)
    np.save(folder / "embeddings.npy", embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True))
    (folder / "config.json").write_text(json.dumps(MINILM), encoding="utf-8")


def load(folder: Path, variant: str) -> "Retrieval":
    """The bi-encoder, and the cross-encoder where it ranks anew what the first has found."""
    import torch

    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    embeddings = torch.from_numpy(np.load(folder / "embeddings.npy"))
    return Retrieval(_encoder(config), embeddings, _encoder(config) if variant == "reranked" else None)


def _encoder(config: dict[str, Any]) -> Any:
    from transformers import BertConfig, BertModel

    encoder: Any = BertModel(BertConfig(**config))
    return encoder.eval()


@dataclass(frozen=True, slots=True)
class Retrieval:
    """Implements `benchmarks.speed.competitors.Competitor`; it has no tokens to count."""

    encoder: Any
    embeddings: Any
    cross_encoder: Any

    def answer(self, prompts: Sequence[Sequence[int]], new_tokens: int) -> list[Answer]:
        """See the protocol."""
        import torch

        asked = time.perf_counter()
        with torch.inference_mode():
            questions = torch.tensor([prompt[SHARED_TOKENS:] for prompt in prompts]) % MINILM["vocab_size"]
            found = self.encoder(questions).last_hidden_state.mean(dim=1)
            best = (torch.nn.functional.normalize(found) @ self.embeddings.T).topk(CANDIDATES).indices
            if self.cross_encoder is not None:
                self._rank(questions, best)
        last = time.perf_counter() - asked
        return [Answer(last, last, 0)] * len(prompts)

    def _rank(self, questions: Any, best: Any) -> None:
        """Read each question with each of its candidates; the lines' own tokens are made up from their numbers."""
        import torch

        lines = (best.reshape(-1, 1) + torch.arange(LINE_TOKENS)) % MINILM["vocab_size"]
        pairs: Any = torch.cat([questions.repeat_interleave(CANDIDATES, dim=0), lines], dim=1)
        for some in pairs.split(PAIRS_AT_ONCE):
            self.cross_encoder(some).pooler_output.sum(dim=1).tolist()
