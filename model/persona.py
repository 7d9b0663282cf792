"""Who a character is, in words: `persona.toml`, written by hand and shipped or stored beside the weights."""

import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from model.errors import ModelError

FILE_NAME = "persona.toml"
SHIPPED = Path(__file__).parent / "personas"
IDENTIFIER = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
KEYS = ("id", "name", "about", "card", "greeting", "base", "speechless")


@dataclass(frozen=True, slots=True)
class Persona:
    """A persona card. `card` is the system turn of bases that have one; `base` names the base it is made for.

    `speechless` is what the character says when it has no answer that it could give.
    """

    id: str
    name: str
    about: str = ""
    card: str = ""
    greeting: str = ""
    base: str = ""
    speechless: str = ""

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
    for key, value in fields.items():
        if key not in KEYS or not isinstance(value, str):
            raise ModelError(f"{file}: {key!r} must be one of {', '.join(KEYS)}, and a string")
    for key in ("id", "name"):
        if not fields.get(key):
            raise ModelError(f"{file}: {key!r} is missing")
    return Persona(**{key: value.strip() for key, value in fields.items()})


def write_persona(persona: Persona, file: Path) -> None:
    """Write a card that `read_persona` reads back unchanged."""
    lines = [f"{key} = {_toml_string(getattr(persona, key))}" for key in KEYS if getattr(persona, key)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _toml_string(text: str) -> str:
    # TOML's basic strings take JSON's escapes, but want DEL escaped as well.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
