"""Text that comes in pieces, as whole sentences."""

import re
from collections.abc import Iterator

from model.engine import Piece

SENTENCE_END = re.compile(r"""[.!?…]["'”’)*]*(?=\s)""")
WHOLE = re.compile(r"""[.!?…]["'”’)*]*$""")


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


def _split(text: str) -> Iterator[str]:
    start = 0
    for match in SENTENCE_END.finditer(text):
        yield text[start : match.end()]
        start = match.end()
    yield text[start:]
