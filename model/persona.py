"""Who a character is, in words: `persona.toml`, written by hand and shipped or stored beside the weights."""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from model.errors import ModelError

FILE_NAME = "persona.toml"
SHIPPED = Path(__file__).parent / "personas"
IDENTIFIER = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
LANGUAGE = re.compile(r"[a-z]{2,3}")
TEXTS = ("id", "name", "about", "card", "greeting", "base", "speechless")
KEYS = (*TEXTS, "languages", "unreadable")
UNREADABLE = ("photo", "video", "voice", "sticker", "document", "location", "poll", "dice", "caption", "other")


@dataclass(frozen=True, slots=True)
class Persona:
    """A persona card. `card` is the system turn of bases that have one; `base` names the base it is made for.

    `speechless` is what the character says when it has no answer that it could give. `languages` are those that it
    speaks, by their ISO 639 codes; empty: nobody knows. `unreadable` has its words about what it cannot read, several
    of them for each kind in UNREADABLE that it has words for.
    """

    id: str
    name: str
    about: str = ""
    card: str = ""
    greeting: str = ""
    base: str = ""
    speechless: str = ""
    languages: tuple[str, ...] = ()
    unreadable: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_identifier(self.id)


def check_identifier(persona: str) -> str:
    """The id itself; ModelError if it could not be a folder's name everywhere."""
    if not IDENTIFIER.fullmatch(persona):
        raise ModelError(f"persona id {persona!r} must be lower-case letters, digits, '-' and '_', at most 64")
    return persona


def read_persona(file: Path) -> Persona:
    """Read a persona card; ModelError names the file and the key that does not fit."""
    try:
        fields = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{file} cannot be read: {error}") from error
    for key in fields:
        if key not in KEYS:
            raise ModelError(f"{file}: {key!r} must be one of {', '.join(KEYS)}")
    for key in ("id", "name"):
        if not _text(file, key, fields.get(key, "")):
            raise ModelError(f"{file}: {key!r} is missing")
    return Persona(
        **{key: _text(file, key, fields[key]) for key in TEXTS if key in fields},
        languages=_languages(file, fields.get("languages", [])),
        unreadable=_unreadable(file, fields.get("unreadable", {})),
    )


def write_persona(persona: Persona, file: Path) -> None:
    """Write a card that `read_persona` reads back unchanged."""
    lines = [f"{key} = {_toml_string(getattr(persona, key))}" for key in TEXTS if getattr(persona, key)]
    if persona.languages:
        lines.append(f"languages = {_toml_strings(persona.languages)}")
    if persona.unreadable:  # A table takes all that follows, so it is the last.
        lines += ["", "[unreadable]", *(f"{kind} = {_toml_strings(says)}" for kind, says in persona.unreadable.items())]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _text(file: Path, key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ModelError(f"{file}: {key!r} must be a string")
    return value.strip()


def _texts(file: Path, key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) and each.strip() for each in value):
        raise ModelError(f"{file}: {key!r} must be a list of strings, none of them empty")
    return tuple(each.strip() for each in value)


def _languages(file: Path, value: Any) -> tuple[str, ...]:
    codes = _texts(file, "languages", value)
    for code in codes:
        if not LANGUAGE.fullmatch(code):
            raise ModelError(f"{file}: {code!r} in 'languages' is no language code such as 'en'")
    return codes


def _unreadable(file: Path, value: Any) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, dict) or not value.keys() <= set(UNREADABLE):
        raise ModelError(f"{file}: 'unreadable' must be a table with lists of strings for {', '.join(UNREADABLE)}")
    return {kind: _texts(file, f"unreadable.{kind}", says) for kind, says in value.items()}


def _toml_strings(texts: tuple[str, ...]) -> str:
    return f"[{', '.join(map(_toml_string, texts))}]"


def _toml_string(text: str) -> str:
    # TOML's basic strings take JSON's escapes, but want DEL escaped as well.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
