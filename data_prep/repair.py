"""Broken rows of a 13-column script: put right where only one reading of them is possible.

A quote that was not escaped makes a parser see too many or too few fields. The row still has anchors: three numbers
on its left; `timestamp,true|false,character_id,location_id` in its middle; and on its right the normalised text,
which has no commas or quotes, and a count. Between them every reading is tried, and checked against what the row
says twice: `normalized_text` is `spoken_words` without punctuation, and `raw_text` is the speaker and those words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from data_prep.directions import split_directions

_LEFT = re.compile(r'"?(\d+)"?,"?(\d+)"?,"?(\d+)"?,')
_MIDDLE = re.compile(r'(?=,"?(\d*)"?,"?(true|false)"?,"?(\d*)"?,"?(\d*)"?,)', re.IGNORECASE)
_RIGHT = re.compile(r',("[^",]*"|[^",]*),"?(\d*)"?\s*$')
_COMMAS_IN_NAMES = 8  # a speaker's and a place's name have few; this bounds the work on hostile rows


def repair_row(text: str) -> list[str] | None:
    """The 13 fields of a broken row, or None where no reading or more than one passes the checks."""
    left, right = _LEFT.match(text), _RIGHT.search(text)
    if not left or not right or right.start() < left.end():
        return None
    body = text[left.end() : right.start()]
    readings = set()
    for middle in _readings(body):
        fields = (*left.groups(), *middle, _unquoted(right[1]), right[2])
        if _agrees_with_itself(fields):
            readings.add(fields)
    return list(readings.pop()) if len(readings) == 1 else None


def letters_only(text: str) -> str:
    """Letters and digits in lower case: what two spellings of the same words have in common."""
    return re.sub(r"[\W_]+", "", text.casefold())


def after_speaker(raw_text: str, speaker: str) -> str | None:
    """What follows "Speaker:" at the start of a line, whatever the case; None if it starts otherwise."""
    head, rest = raw_text[: len(speaker)], raw_text[len(speaker) :].lstrip()
    if speaker and head.casefold() == speaker.casefold() and rest.startswith(":"):
        return rest[1:].strip()
    return None


def _readings(body: str) -> Iterator[tuple[str, ...]]:
    """raw_text to spoken_words, in every way that the middle anchor and the commas after it allow."""
    for anchor in _MIDDLE.finditer(body):
        raw_text = _unquoted(body[: anchor.start()])
        rest = body[anchor.start() + 1 :].split(",", 4)[4]
        for character, location, words in _three_fields(rest):
            yield raw_text, *anchor.groups(), _unquoted(character), _unquoted(location), _unquoted(words)


def _three_fields(text: str) -> Iterator[tuple[str, str, str]]:
    commas = [match.start() for match in re.finditer(",", text)][:_COMMAS_IN_NAMES]
    for index, first in enumerate(commas):
        for second in commas[index + 1 :]:
            yield text[:first], text[first + 1 : second], text[second + 1 :]


def _unquoted(field: str) -> str:
    if len(field) > 1 and field[0] == field[-1] == '"':
        return field[1:-1].replace('\\"', '"').replace('""', '"')
    return field


def _agrees_with_itself(fields: tuple[str, ...]) -> bool:
    raw_text, speaking, character, spoken, normalised = (fields[index] for index in (3, 5, 8, 10, 11))
    if any(name.count('"') for name in (character, fields[9])):
        return False
    silent = speaking.casefold() == "false"
    if silent and not character:  # a heading
        return not letters_only(spoken + normalised)
    words = after_speaker(raw_text, character)
    if words is None or silent != (not letters_only(spoken)):
        return False
    return letters_only(spoken) == letters_only(normalised) == letters_only(split_directions(words)[0])
