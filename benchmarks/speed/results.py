"""What a run has found: plain records that become speed.json, and the figures that are derived from them.

Seconds, bytes, tokens and answers per second throughout. A record holds what was measured, round by round; medians and
percentiles are taken when they are asked for.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median, quantiles

Rounds = dict[int, list[list[float]]]  # for each number of chats, round by round, how long each chat waited


@dataclass(slots=True)
class Machine:
    """Where it was measured. Bytes per second, and floating-point operations per second."""

    processor: str
    cores: int
    features: list[str]
    memory: int
    bandwidth: float
    matrix_rate: float
    software: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Work:
    """What one token asks of the machine: bytes of weights that are read, operations inside and at the output head."""

    bytes_read: int
    inner_operations: int
    head_operations: int


@dataclass(slots=True)
class Figures:
    """What one engine did with one model."""

    title: str
    retrieves: bool = False
    waits: Rounds = field(default_factory=dict)
    first_empty: list[float] = field(default_factory=list)
    first_context: list[float] = field(default_factory=list)
    decoding: list[float] = field(default_factory=list)  # tokens per second of one chat
    reading: list[float] = field(default_factory=list)  # prompt tokens per second
    cold_starts: list[float] = field(default_factory=list)
    peak_memory: int = 0
    idle: float = 0.0  # share of one core that it used while others had their turn
    installed: int = 0

    def answers_per_second(self, chats: int) -> float:
        """Answers a second with so many chats at once: a round lasts as long as its last answer."""
        return median(chats / max(waits) for waits in self.waits[chats])

    def wait(self, chats: int, percent: int) -> float:
        """How long a chat waits for its whole answer, at this percentile of all rounds."""
        return percentile([wait for waits in self.waits[chats] for wait in waits], percent)


@dataclass(slots=True)
class Dialogue:
    """Seconds to the first token of each turn, dialogue by dialogue, with and without what was computed before."""

    known: list[list[float]] = field(default_factory=list)
    strange: list[list[float]] = field(default_factory=list)

    def gain(self, turn: int) -> float:
        """How many times sooner a turn (1: the first) begins."""
        return self.first(self.strange, turn) / self.first(self.known, turn)

    @staticmethod
    def first(dialogues: list[list[float]], turn: int) -> float:
        """Seconds to the first token of a turn, at the median."""
        return median(dialogue[turn - 1] for dialogue in dialogues)


@dataclass(slots=True)
class Contest:
    """All engines on one model."""

    title: str
    work: Work
    figures: dict[str, Figures] = field(default_factory=dict)
    dialogue: Dialogue = field(default_factory=Dialogue)

    @property
    def loads(self) -> list[int]:
        """Numbers of chats at once that were measured."""
        return sorted({chats for figures in self.figures.values() for chats in figures.waits})


@dataclass(slots=True)
class Quantization:
    """Perplexity of the same answers before and after the export."""

    answers: int
    tokens: int
    float32: float
    exported: float

    @property
    def cost(self) -> float:
        """By how much the exported model is the worse: 0.01 is a hundredth."""
        return self.exported / self.float32 - 1


@dataclass(slots=True)
class Serving:
    """The bot itself in the terminal, with Lisa, after its first run."""

    cold_starts: list[float]
    peak_memory: int


@dataclass(slots=True)
class Results:
    """Everything of one run."""

    machine: Machine
    contests: dict[str, Contest] = field(default_factory=dict)
    quantization: Quantization | None = None
    serving: Serving | None = None
    quick: bool = False


def percentile(values: Iterable[float], percent: int) -> float:
    """The value that so many percent do not exceed, between the two nearest ones."""
    values = list(values)
    return values[0] if len(values) == 1 else quantiles(values, n=100, method="inclusive")[percent - 1]
