"""What an engine is: token ids in, a stream of text out. Knows neither prompts nor characters nor any library."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from model.errors import ModelError

MOST_NEW_TOKENS = 8192
SEEDS = 2**32


@dataclass(frozen=True, slots=True)
class GenerationSettings:
    """How the next tokens are drawn.

    `temperature` 0 takes the likeliest token each time (greedy decoding). `top_p` is the mass of the nucleus
    (Holtzman et al. 2020), `top_k` the number of candidates (0: all), `repetition_penalty` divides the logits of
    tokens seen before (Keskar et al. 2019; 1: off). `max_new_tokens` is a length in tokens. With a `seed` the same
    prompt gives the same answer on the same engine.

    Raises ModelError when a value is out of its range.
    """

    max_new_tokens: int = 48
    temperature: float = 0.5
    top_p: float = 0.9
    top_k: int = 50
    repetition_penalty: float = 1.0
    seed: int | None = None

    def __post_init__(self) -> None:
        checks = {
            "max_new_tokens": (1 <= self.max_new_tokens <= MOST_NEW_TOKENS, f"1 to {MOST_NEW_TOKENS}"),
            "temperature": (self.temperature >= 0, "0 or more"),
            "top_p": (0 < self.top_p <= 1, "above 0 and at most 1"),
            "top_k": (self.top_k >= 0, "0 or more"),
            "repetition_penalty": (self.repetition_penalty > 0, "above 0"),
            "seed": (self.seed is None or 0 <= self.seed < SEEDS, "0 to 4294967295"),
        }
        for name, (valid, wanted) in checks.items():
            if not valid:
                raise ModelError(f"{name} is {getattr(self, name)}, but must be {wanted}")


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of an answer. `cut_off` is set on the last one (which may be empty) if the length limit ended the answer."""

    text: str
    cut_off: bool = False


class Engine(Protocol):
    """Generates for many callers at once."""

    def generate(self, prompt: Sequence[int], settings: GenerationSettings) -> AsyncGenerator[Piece, None]:
        """Stream the text that follows `prompt` (token ids), up to the end of the turn or the length limit.

        The turn does not end with its first token, so an answer is not empty unless that token is white space. Pieces
        never split a character and never hold the closing token. Closing the generator, or cancelling the task that
        reads it, cancels the work.
        """
        ...

    async def close(self) -> None:
        """Cancel what runs and free the model."""
        ...
