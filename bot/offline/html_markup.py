"""Telegram's HTML: parsed by its own rules, refused in its own words."""

import re
from dataclasses import dataclass
from typing import NoReturn

from bot.offline.entities import Entity, in_order, utf16_length, utf16_slice
from bot.offline.errors import BadRequestError

ENTITY_OF_TAG = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "code": "code",
    "pre": "pre",
    "a": "text_link",
    "span": "spoiler",
    "tg-spoiler": "spoiler",
    "tg-emoji": "custom_emoji",
    "tg-time": "date_time",
    "blockquote": "blockquote",
}
NAMED_CHARACTERS = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
CHARACTER = re.compile(r"&(?:#(\d{1,7});?|#[xX]([0-9a-fA-F]{1,6});?|(lt|gt|amp|quot);?)")
TAG_NAME = re.compile(r"[^\s>]*")
END_TAG = re.compile(r"</([^\s>]*)\s*>")
ATTRIBUTE = re.compile(r"""\s*([^\s=>]+)(?:\s*=\s*("[^"]*"|'[^']*'|[A-Za-z0-9.\-]+))?""")


@dataclass(slots=True)
class OpenTag:
    """A start tag whose end has not come yet; `offset` in UTF-16 units of the plain text."""

    name: str
    attributes: dict[str, str]
    offset: int


class HtmlParser:
    """One pass over a marked-up text."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._position = 0
        self._text = ""
        self._open: list[OpenTag] = []
        self._entities: list[Entity] = []

    def parse(self) -> tuple[str, list[Entity]]:
        """The plain text and its entities. Raises BadRequestError as Telegram does."""
        while self._position < len(self._source):
            if self._source.startswith("</", self._position):
                self._end_tag()
            elif self._source[self._position] == "<":
                self._start_tag()
            else:
                self._plain()
        if self._open:
            refuse(f'Can\'t find end tag corresponding to start tag "{self._open[-1].name}"')
        return self._text, in_order(_merged_code(self._entities))

    def _plain(self) -> None:
        end = self._source.find("<", self._position)
        end = len(self._source) if end < 0 else end
        self._text += decoded(self._source[self._position : end])
        self._position = end

    def _start_tag(self) -> None:
        begin = self._position
        match = TAG_NAME.match(self._source, begin + 1)
        assert match
        if match.end() == len(self._source):
            refuse(f"Unclosed start tag at byte offset {self._bytes(begin)}")
        name = match.group().lower()
        if name not in ENTITY_OF_TAG:
            refuse(f'Unsupported start tag "{name}" at byte offset {self._bytes(begin)}')
        self._position = match.end()
        attributes = self._attributes(name, begin)
        if name == "span" and attributes.get("class") != "tg-spoiler":
            refuse(f'Tag "span" must have class "tg-spoiler" at byte offset {self._bytes(begin)}')
        self._open.append(OpenTag(name, attributes, utf16_length(self._text)))

    def _attributes(self, tag: str, begin: int) -> dict[str, str]:
        attributes: dict[str, str] = {}
        while True:
            while self._source[self._position : self._position + 1].isspace():
                self._position += 1
            if self._position >= len(self._source):
                refuse(f'Unclosed start tag "{tag}" at byte offset {self._bytes(begin)}')
            if self._source[self._position] == ">":
                self._position += 1
                return attributes
            name, value = self._attribute(tag, begin)
            attributes[name] = value

    def _attribute(self, tag: str, begin: int) -> tuple[str, str]:
        match = ATTRIBUTE.match(self._source, self._position)
        if not match:
            refuse(f'Empty attribute name in the tag "{tag}" at byte offset {self._bytes(begin)}')
        self._position = match.end()
        if self._position >= len(self._source) or re.match(r"\s*=", self._source[self._position :]):
            refuse(f"Unclosed start tag at byte offset {self._bytes(begin)}")
        return match.group(1).lower(), decoded((match.group(2) or "").strip("\"'"))

    def _end_tag(self) -> None:
        begin = self._position
        if not self._open:
            refuse(f"Unexpected end tag at byte offset {self._bytes(begin)}")
        match = END_TAG.match(self._source, begin)
        if not match:
            refuse(f"Unclosed end tag at byte offset {self._bytes(begin)}")
        opened, name = self._open[-1], match.group(1).lower()
        if name not in {"", opened.name}:
            refuse(
                f'Unmatched end tag at byte offset {self._bytes(begin)}, expected "</{opened.name}>", found "</{name}>"'
            )
        self._position = match.end()
        self._close(self._open.pop())

    def _close(self, tag: OpenTag) -> None:
        length = utf16_length(self._text) - tag.offset
        if length <= 0:
            return
        entity: Entity = {"type": ENTITY_OF_TAG[tag.name], "offset": tag.offset, "length": length}
        if tag.name == "a":
            address = link(tag.attributes.get("href", utf16_slice(self._text, tag.offset, length)))
            if not address:
                return
            entity["url"] = address
        if tag.name == "tg-emoji":
            entity["custom_emoji_id"] = tag.attributes.get("emoji-id", "")
        if tag.name == "code" and tag.attributes.get("class", "").startswith("language-"):
            entity["language"] = tag.attributes["class"].removeprefix("language-")
        if tag.name == "blockquote" and "expandable" in tag.attributes:
            entity["type"] = "expandable_blockquote"
        self._entities.append(entity)

    def _bytes(self, position: int) -> int:
        return len(self._source[:position].encode())


def _merged_code(entities: list[Entity]) -> list[Entity]:
    """A code with a language right inside a pre becomes that pre's language; elsewhere the language is dropped."""
    pres = {(entity["offset"], entity["length"]): entity for entity in entities if entity["type"] == "pre"}
    kept = []
    for entity in entities:
        language = entity.pop("language", "") if entity["type"] == "code" else ""
        around = pres.get((entity["offset"], entity["length"]))
        if language and around is not None:
            around["language"] = language
        else:
            kept.append(entity)
    return kept


def decoded(text: str) -> str:
    """Text with the few character references that Telegram knows replaced."""
    return CHARACTER.sub(_character, text)


def _character(match: re.Match[str]) -> str:
    decimal, hexadecimal, name = match.groups()
    if name:
        return NAMED_CHARACTERS[name]
    code = int(decimal) if decimal else int(hexadecimal, 16)
    allowed = 0 < code < 0x110000 and not 0xD800 <= code < 0xE000
    return chr(code) if allowed else match.group()


def link(address: str) -> str:
    """The address of a link as Telegram keeps it, or "" if it is none."""
    if re.fullmatch(r"(?:https?|tg|ftp|tonsite|mailto|tel):\S+", address, re.IGNORECASE):
        host_only = re.fullmatch(r"https?://[^/?#]+", address)
        return f"{address}/" if host_only else address
    host = re.fullmatch(r"([\w-]+(?:\.[\w-]+)+)([/?#]\S*)?", address)
    if host:
        rest = host.group(2) or "/"
        return f"http://{host.group(1)}{rest if rest.startswith('/') else '/' + rest}"
    return ""


def refuse(problem: str) -> NoReturn:
    """Raises Telegram's refusal of a text that cannot be parsed."""
    raise BadRequestError(f"can't parse entities: {problem}")
