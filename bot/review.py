"""The review: what people think of answers is looked at by an admin before anything is learned from it.

There are two kinds of things to decide about: an answer that somebody likes, once however many do, and a correction.
A dislike alone teaches nothing. Knows neither Telegram nor SQL.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.chat_service import Line

CONTEXT = 3  # Lines before an answer, as in the examples that a character is trained on.


@dataclass(frozen=True, slots=True)
class Case:
    """Something to decide about: an answer with the lines before it, and what people think of it.

    `number` counts cases in the order of their first verdict, `receipt` tells a state of it from a later one.
    """

    number: int
    receipt: int
    context: Sequence[Line]
    answer: Line
    likes: int
    dislikes: int
    correction: str | None


class Desk(Protocol):
    """Where the cases are. Raises StorageError if the database is not available."""

    async def next(self, after: int = 0) -> Case | None:
        """The first undecided case with a number beyond `after`."""
        ...

    async def decide(self, number: int, receipt: int, accept: bool) -> bool:
        """Accept or reject a case for good. False if that was done already, or it has changed since it was shown."""
        ...


@dataclass(frozen=True, slots=True)
class Lesson:
    """What may be learned: an answer that people like, or one that a person has put in its place.

    `speaker` is who answers, `version` that of the model that gave the answer, liked or not.
    """

    context: Sequence[Line]
    speaker: str
    answer: str
    version: str
    is_corrected: bool
