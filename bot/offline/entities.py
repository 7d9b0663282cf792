"""Message entities: where a text has commands, mentions, links, and what markup leaves behind.

Offsets and lengths count UTF-16 code units, as in the Bot API.
"""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

Entity = dict[str, Any]

FOUND_IN_TEXT: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        "bot_command": re.compile(r"(?<![\w/@<>])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?![\w/@<>])"),
        "url": re.compile(
            r"(?<![\w@.])(?:https?://[^\s<>\"]+|(?:[a-z0-9-]+\.)+(?:com|org|net|io|me|ru|dev|info)(?:/[^\s<>\"]*)?)(?<![.,!?:;)'])(?![\w@])",
            re.IGNORECASE,
        ),
        "email": re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
        "mention": re.compile(r"(?<![\w@/.])@[A-Za-z][A-Za-z0-9_]{2,31}(?![\w@])"),
        "hashtag": re.compile(r"(?<![\w#])#(?=\w*[^\W\d])\w{1,256}"),
    }
)
OPAQUE = frozenset({"code", "pre", "text_link"})


def utf16_length(text: str) -> int:
    """How many UTF-16 code units a text takes: what Telegram counts."""
    return len(text) + sum(character > "\uffff" for character in text)


def utf16_slice(text: str, offset: int, length: int) -> str:
    """The part of a text that an entity covers."""
    units = text.encode("utf-16-le", "surrogatepass")
    return units[2 * offset : 2 * (offset + length)].decode("utf-16-le", "replace")


def find_entities(text: str) -> list[Entity]:
    """What Telegram finds by itself in a plain text, in order and never overlapping."""
    found: list[Entity] = []
    for kind, pattern in FOUND_IN_TEXT.items():
        for match in pattern.finditer(text):
            entity = {
                "type": kind,
                "offset": utf16_length(text[: match.start()]),
                "length": utf16_length(match.group()),
            }
            if not any(overlap(entity, other) for other in found):
                found.append(entity)
    return in_order(found)


def with_found(text: str, marked: list[Entity]) -> list[Entity]:
    """The entities of the markup, and those found in the text outside code and links."""
    opaque = [entity for entity in marked if entity["type"] in OPAQUE]
    found = [entity for entity in find_entities(text) if not any(overlap(entity, other) for other in opaque)]
    return in_order([*marked, *found])


def overlap(one: Entity, other: Entity) -> bool:
    """Whether two entities share a code unit."""
    return bool(one["offset"] < other["offset"] + other["length"] and other["offset"] < one["offset"] + one["length"])


def in_order(entities: list[Entity]) -> list[Entity]:
    """By place; the outer one first where two begin together."""
    return sorted(entities, key=lambda entity: (entity["offset"], -entity["length"]))


def stripped(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    """Text without white space around it, and its entities moved and cut to match; empty ones are left out."""
    start = utf16_length(text) - utf16_length(text.lstrip())
    text = text.strip()
    return text, list(_cut(entities, start, utf16_length(text)))


def _cut(entities: list[Entity], start: int, size: int) -> Iterator[Entity]:
    for entity in entities:
        first = max(entity["offset"] - start, 0)
        end = min(entity["offset"] + entity["length"] - start, size)
        if end > first:
            yield {**entity, "offset": first, "length": end - first}
