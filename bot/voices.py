"""Voices: where several people talk, each line goes to the character with the name of whoever said it.

A name stands for one person, and only at the beginning of a line; nobody has the character's. So no name and no text
lets anybody speak as somebody else. Knows neither Telegram nor SQL.
"""

import unicodedata
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.chat_service import Line

SOMEBODY = "Guest"  # Who has no name that can be used.
ROLES = frozenset({"system", "user", "assistant", "human", "bot", "ai"})  # As whom a prompt format lets speak.
LONGEST = 32  # Characters of a name.
IN_NAMES = " -'’."
CYRILLIC, LATIN = "авекмнорстухѕіјԁ", "abekmhopctyxsijd"  # Letters that look the same.
LOOK_ALIKES = str.maketrans(CYRILLIC, LATIN)


def told_apart(history: "Sequence[Line]", character: str) -> "list[Line]":
    """The lines with their speakers' names in front, if these are several people; the character's stay as they are."""
    names = _names(_people(history), character)
    if len(names) < 2:
        return list(history)
    return [line if line.is_character else _named(line, names[_speaker(line)]) for line in history]


def plain_name(name: str) -> str:
    """What of a name can stand before a line: letters, digits and what joins them, in one short line; may be empty."""
    kept = (" " if sign.isspace() else sign for sign in unicodedata.normalize("NFC", name))
    words = "".join(sign for sign in kept if sign.isalnum() or unicodedata.category(sign) == "Mn" or sign in IN_NAMES)
    return " ".join(words.split())[:LONGEST].strip()


def _named(line: "Line", name: str) -> "Line":
    # In one line, so that what looks like a name within a text is not where names are.
    return replace(line, speaker=name, text=f"{name}: {' '.join(line.text.split())}")


def _people(history: "Sequence[Line]") -> dict[Hashable, str]:
    """Who speaks, by the latest name of each, in the order of their first lines."""
    people: dict[Hashable, str] = {}
    for line in history:
        if not line.is_character:
            people[_speaker(line)] = line.speaker
    return people


def _speaker(line: "Line") -> Hashable:
    return line.speaker if line.person is None else line.person


def _names(people: Mapping[Hashable, str], character: str) -> dict[Hashable, str]:
    """A name for everybody, each only once."""
    names: dict[Hashable, str] = {}
    taken: set[str] = set()
    for person, given in people.items():
        name = plain_name(given)
        if _is_forbidden(_letters(name), character):
            name = SOMEBODY
        number, unique = 1, name
        while _letters(unique) in taken:
            number += 1
            unique = f"{name} {number}"
        taken.add(_letters(unique))
        names[person] = unique
    return names


def _is_forbidden(letters: str, character: str) -> bool:
    """Whether a name is none, or a role's, or the character's: its full name and what begins so, or its first name."""
    whole, first = _letters(character), _letters(character.split()[0] if character.split() else "")
    return letters in {"", first, *ROLES} or bool(whole and letters.startswith(whole))


def _letters(name: str) -> str:
    """What is left of a name if one looks only at its letters and digits, and does not look closely."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    return "".join(sign for sign in plain if sign.isalnum()).translate(LOOK_ALIKES)
