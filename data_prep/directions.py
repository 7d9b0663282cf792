"""Stage directions: what a script says in (), [] or {} about how a line is spoken."""

from __future__ import annotations

import re
from collections.abc import Iterator

BRACKETS = r"[()\[\]{}]"  # a line without one of these has no direction
_BRACKET = re.compile(BRACKETS)
_FIRST = re.compile(r"\(([^()\[\]{}]*)\)([^()\[\]{}]*)")  # one direction, before the words
_LETTER = re.compile(r"[^\W\d_]")


def split_directions(text: str) -> tuple[str, str]:
    """The words of a line without its stage directions, and the directions joined by "; ".

    Directions may nest, stand anywhere, close with another bracket than they opened with, or not close at all.
    These stay among the words: brackets without a letter ("(555)"), a part of a quoted title that is not in
    capitals, and a "(" before lower case that never closes.
    """
    if (first := _FIRST.fullmatch(text)) and _LETTER.search(first[1]):  # nearly all there are
        return " ".join(first[2].split()), " ".join(first[1].split())
    pieces, directions, done = [], [], 0
    for start, end in _spans(text):
        if _is_speech(text[start:end], text[:start]):
            continue
        pieces.append(text[done:start])
        directions.append(" ".join(_BRACKET.sub(" ", text[start:end]).split()))
        done = end
    return _joined([*pieces, text[done:]]), "; ".join(filter(None, directions))


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Where the outermost brackets begin and end."""
    depth, start = 0, 0
    for match in _BRACKET.finditer(text):
        if match.group() in "([{":
            start = match.start() if depth == 0 else start
            depth += 1
        elif depth:
            depth -= 1
            if depth == 0:
                yield start, match.end()
    if depth:
        yield from _unclosed(text, start)


def _unclosed(text: str, start: int) -> Iterator[tuple[int, int]]:
    inside = text[start + 1 :]
    twin = inside.find(text[start])
    if twin >= 0 and not set(inside) & set(")]}"):  # "[slams the phone down[ I lost it."
        yield start, start + twin + 2
    elif text[start] != "(" or inside.isupper():
        yield start, len(text)


def _is_speech(span: str, before: str) -> bool:
    in_quotes = before.count('"') % 2 == 1 or before.count("“") > before.count("”")
    return not _LETTER.search(span) or (in_quotes and not span.isupper())


def _joined(pieces: list[str]) -> str:
    """The pieces with one space between, and none before the punctuation that a direction had cut off."""
    text = pieces[0].strip()
    for piece in pieces[1:]:
        following = piece.lstrip(" \t\n]}")
        if text.endswith((".", "!", "?")) and following.startswith(".") and not following.startswith(".."):
            following = following[1:].lstrip()
        close = following.startswith((",", ".", ";", ":", "!", "?")) and not following.startswith("..")
        text = f"{text}{'' if close or not text else ' '}{following}".strip()
    return " ".join(text.split())
