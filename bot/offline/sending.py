"""Bot API methods by which the bot speaks: messages, files, drafts, chat actions."""

from typing import Any

from bot.offline.arguments import Arguments
from bot.offline.checks import (
    accepted_markup,
    checked_action,
    checked_draft_id,
    reply_target,
    shown_markup,
    target_chat,
    thread_id,
)
from bot.offline.entities import Entity, utf16_length
from bot.offline.errors import BadRequestError
from bot.offline.files import StoredFile, read_picture
from bot.offline.markup import MAX_TEXT, caption_text, message_text, parsed_text
from bot.offline.world import Json, World


async def send_message(world: World, args: Arguments) -> Json:
    text, entities = message_text(args)
    return _send(world, args, _with_entities("text", text, entities))


async def send_photo(world: World, args: Arguments) -> Json:
    caption, entities = caption_text(args)
    target_chat(world, args)
    stored = _file(world, args, "photo", "photos")
    picture = read_picture(stored.upload.data)
    size = {**stored.as_json(), "width": picture.width, "height": picture.height}
    return _send(world, args, {"photo": [size], **_with_entities("caption", caption, entities)})


async def send_document(world: World, args: Arguments) -> Json:
    caption, entities = caption_text(args)
    target_chat(world, args)
    stored = _file(world, args, "document", "documents")
    document = {**stored.as_json(), "file_name": stored.upload.name, "mime_type": stored.upload.mime_type}
    return _send(world, args, {"document": document, **_with_entities("caption", caption, entities)})


async def send_message_draft(world: World, args: Arguments) -> bool:
    text, entities = parsed_text(args)
    chat = target_chat(world, args)
    if not chat.is_private:
        raise BadRequestError("TEXTDRAFT_PEER_INVALID")
    if utf16_length(text) > MAX_TEXT:
        raise BadRequestError("message is too long")
    draft = {"draft_id": checked_draft_id(args), **_with_entities("text", text, entities)}
    world.remember_draft(chat, draft | _thread(args))
    return True


async def send_chat_action(world: World, args: Arguments) -> bool:
    action = checked_action(args)
    world.remember_action(target_chat(world, args), action, thread_id(args))
    return True


async def get_file(world: World, args: Arguments) -> Json:
    stored = world.files.get(args.text("file_id"))
    return {**stored.as_json(), "file_path": stored.path}


def _send(world: World, args: Arguments, content: Json) -> Json:
    chat = target_chat(world, args)
    reply = reply_target(chat, args)
    content = {**content, **_thread(args), **shown_markup(accepted_markup(args))}
    if reply:
        content["reply_to_message"] = {name: value for name, value in reply.items() if name != "reply_to_message"}
    return world.add_message(chat, world.bot.as_json(), content)


def _file(world: World, args: Arguments, name: str, folder: str) -> StoredFile:
    upload = args.upload(name)
    if upload is not None:
        if not upload.data:
            raise BadRequestError("file must be non-empty")
        return world.files.add(folder, upload)
    if not args.has(name):
        raise BadRequestError(f"there is no {name} in the request")
    if args.text(name).startswith(("http://", "https://")):
        raise BadRequestError("failed to get HTTP URL content")
    return world.files.get(args.text(name))


def _thread(args: Arguments) -> Json:
    thread = thread_id(args)
    return {"message_thread_id": thread, "is_topic_message": True} if thread else {}


def _with_entities(name: str, text: str, entities: list[Entity]) -> dict[str, Any]:
    if not text:
        return {}
    kind = "caption_entities" if name == "caption" else "entities"
    return {name: text} | ({kind: entities} if entities else {})
