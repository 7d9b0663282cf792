"""From the text, parse_mode and entities of a call to the plain text and entities of a message."""

from bot.offline.arguments import Arguments
from bot.offline.entities import Entity, stripped, utf16_length, with_found
from bot.offline.errors import BadRequestError
from bot.offline.html_markup import HtmlParser

MAX_TEXT = 4096
MAX_CAPTION = 1024


def parsed_text(args: Arguments, name: str = "text") -> tuple[str, list[Entity]]:
    """The text argument `name` with its markup turned into entities. Raises BadRequestError where Telegram does."""
    text = args.text(name)
    mode = args.text("parse_mode").lower()
    if mode == "html":
        text, entities = HtmlParser(text).parse()
    elif mode in {"markdown", "markdownv2"}:
        raise BadRequestError("can't parse entities: the offline Telegram reads HTML only, not Markdown")
    elif mode in {"", "none"}:
        entities = given_entities(args, "caption_entities" if name == "caption" else "entities", text)
    else:
        raise BadRequestError("unsupported parse_mode")
    text, entities = stripped(text, entities)
    return text, with_found(text, entities)


def given_entities(args: Arguments, name: str, text: str) -> list[Entity]:
    """The entities that a call lists itself; those that reach outside the text are refused."""
    entities: list[Entity] = args.json(name, list) or []
    size = utf16_length(text)
    for entity in entities:
        if not isinstance(entity, dict) or not {"type", "offset", "length"} <= entity.keys():
            raise BadRequestError("can't parse MessageEntity: type, offset and length are required")
        if not 0 <= int(entity["offset"]) <= int(entity["offset"]) + int(entity["length"]) <= size:
            raise BadRequestError(f"entity beginning at UTF-16 offset {entity['offset']} ends outside of the text")
    return entities


def message_text(args: Arguments, too_long: str = "message is too long") -> tuple[str, list[Entity]]:
    """The text of a message to send: 1 to 4096 UTF-16 units after parsing."""
    text, entities = parsed_text(args)
    if not text:
        raise BadRequestError("message text is empty")
    if utf16_length(text) > MAX_TEXT:
        raise BadRequestError(too_long)
    return text, entities


def caption_text(args: Arguments) -> tuple[str, list[Entity]]:
    """The caption of a file to send: at most 1024 UTF-16 units after parsing."""
    text, entities = parsed_text(args, "caption")
    if utf16_length(text) > MAX_CAPTION:
        raise BadRequestError("message caption is too long")
    return text, entities
