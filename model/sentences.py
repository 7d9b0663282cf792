"""Text taken apart: sentences as they come, piece by piece, and words."""

import re
from collections.abc import Iterator

from model.engine import Piece

# The full stop of a title or an initial ends no sentence ("Mr. Burns", "Philip K. Dick"); "I" is no initial.
_NO_ABBREVIATION = "".join(rf"(?<!\b{before})" for before in ("Mr", "Mrs", "Ms", "Dr", "St", "Prof", "[A-HJ-Z]"))
_END = rf"""(?:{_NO_ABBREVIATION}\.|[!?…])["'”’)*]*"""
SENTENCE_END = re.compile(rf"{_END}(?=\s)")
WHOLE = re.compile(rf"{_END}$")
WORD = re.compile(r"\w+(?:['’]\w+)*")


class Sentences:
    """Holds text back until its sentence has ended."""

    def __init__(self) -> None:
        self._held = ""
        self._cut_off = False

    def push(self, piece: Piece) -> list[str]:
        """The sentences that `piece` completes, each with the white space in front of it; mostly none."""
        self._held += piece.text
        self._cut_off = self._cut_off or piece.cut_off
        *ready, self._held = _split(self._held)
        return ready

    def finish(self) -> list[str]:
        """What is left, without the white space after it; nothing if it was cut off in its middle."""
        rest = self._held.rstrip()
        return [] if not rest or (self._cut_off and not WHOLE.search(rest)) else [rest]


def split_sentences(text: str) -> list[str]:
    """The sentences of a whole text, the last of which may be open."""
    return [sentence for sentence in _split(text) if sentence.strip()]


def words(text: str) -> list[str]:
    """The words of a text in lower case; an apostrophe is part of its word."""
    return [word.replace("’", "'") for word in WORD.findall(text.casefold())]


def _split(text: str) -> Iterator[str]:
    start = 0
    for match in SENTENCE_END.finditer(text):
        yield text[start : match.end()]
        start = match.end()
    yield text[start:]
