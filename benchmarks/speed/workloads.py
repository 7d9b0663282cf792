"""What the engines are given to do: prompts out of the demo script, the same for all, and never twice the same.

A prompt is a part that all chats share, as a persona card is, and a part of the chat's own: lines of the script, one
after the other, cut where the length asks for it.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

from tokenizers import Tokenizer

SCRIPT = Path(__file__).parents[2] / "data_prep/demo/springfield_script_lines.csv"
SHARED_TOKENS, QUESTION_TOKENS, CONTEXT_TOKENS = 64, 12, 36  # a question alone, or with three lines before it
PROMPT_TOKENS = SHARED_TOKENS + CONTEXT_TOKENS + QUESTION_TOKENS
NEW_TOKENS = 25
LONG_PROMPT = 448  # for the rate at which prompts are read: too long for an engine's own overhead to count
TURNS = 5

Prompts = list[list[int]]


class Workload:
    """A stream of prompts."""

    def __init__(self, base: Path) -> None:
        self._tokens = _script_tokens(base / "tokenizer.json")
        self._shared = self._take(SHARED_TOKENS)
        self._strangers = 0

    def chats(self, number: int) -> Prompts:
        """One prompt for each chat: a shared card, three lines of context, a question."""
        return [self._shared + self._take(CONTEXT_TOKENS + QUESTION_TOKENS) for _ in range(number)]

    def question(self) -> Prompts:
        """One chat that has just begun: a shared card and a question."""
        return [self._shared + self._take(QUESTION_TOKENS)]

    def long_prompt(self) -> Prompts:
        """One long prompt that shares nothing with any other."""
        return [self._strange(self._take(LONG_PROMPT))]

    def dialogue(self, known: bool) -> Iterator[Prompts]:
        """The prompts of a dialogue's turns: each has the one before it, an answer and a new question.

        The answers are lines of the script as well, so that of the past an engine knows what it was asked, and no more.
        Unless `known`, each prompt begins with a token of its own, and nothing that was computed before can serve.
        """
        prompt = list(self._shared)
        for turn in range(TURNS):
            prompt += self._take(QUESTION_TOKENS if turn == 0 else NEW_TOKENS + QUESTION_TOKENS)
            yield [list(prompt) if known else self._strange(prompt)]

    def _take(self, number: int) -> list[int]:
        return [next(self._tokens) for _ in range(number)]

    def _strange(self, prompt: list[int]) -> list[int]:
        # The first ids of these vocabularies are control tokens; the words come after them.
        self._strangers += 1
        return [100 + self._strangers, *prompt[1:]]


def _script_tokens(tokenizer_file: Path) -> Iterator[int]:
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    with SCRIPT.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield from tokenizer.encode(row["spoken_words"], add_special_tokens=False).ids
