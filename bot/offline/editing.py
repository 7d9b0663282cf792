"""Bot API methods by which the bot changes what it said: edits, deletions, reactions."""

import time

from bot.offline.arguments import Arguments
from bot.offline.checks import accepted_markup, own_message, shown_markup, target_chat
from bot.offline.errors import BadRequestError
from bot.offline.markup import caption_text, message_text
from bot.offline.world import Chat, Json, World

NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same"
    " as a current content and reply markup of the message"
)
MAX_DELETED = 100


async def edit_message_text(world: World, args: Arguments) -> Json:
    text, entities = message_text(args, too_long="MESSAGE_TOO_LONG")
    chat, message = own_message(world, args, "edit")
    if "text" not in message:
        raise BadRequestError("there is no text in the message to edit")
    return _edit(world, args, chat, message, {"text": text, "entities": entities})


async def edit_message_caption(world: World, args: Arguments) -> Json:
    caption, entities = caption_text(args)
    chat, message = own_message(world, args, "edit")
    if "text" in message:
        raise BadRequestError("there is no caption in the message to edit")
    return _edit(world, args, chat, message, {"caption": caption, "caption_entities": entities})


async def edit_message_reply_markup(world: World, args: Arguments) -> Json:
    chat, message = own_message(world, args, "edit")
    return _edit(world, args, chat, message, {})


def _edit(world: World, args: Arguments, chat: Chat, message: Json, content: Json) -> Json:
    edited = {name: value for name, value in message.items() if name not in {"reply_markup", *content}}
    edited |= {name: value for name, value in content.items() if value} | shown_markup(accepted_markup(args))
    if {**edited, "edit_date": 0} == {**message, "edit_date": 0}:
        raise BadRequestError(NOT_MODIFIED)
    edited["edit_date"] = int(time.time())
    chat.messages[message["message_id"]] = edited
    world.changed(chat, "edited", message=edited)
    return edited


async def delete_message(world: World, args: Arguments) -> bool:
    chat, message = own_message(world, args, "delete")
    _delete(world, chat, [message["message_id"]])
    return True


async def delete_messages(world: World, args: Arguments) -> bool:
    chat = target_chat(world, args)
    ids = args.json("message_ids", list) or []
    if not 1 <= len(ids) <= MAX_DELETED:
        raise BadRequestError(
            "message identifiers are not specified" if not ids else "too many message identifiers specified"
        )
    _delete(world, chat, [int(message_id) for message_id in ids])
    return True


def _delete(world: World, chat: Chat, ids: list[int]) -> None:
    for message_id in ids:
        if chat.messages.pop(message_id, None):
            world.changed(chat, "deleted", message_id=message_id)


async def set_message_reaction(world: World, args: Arguments) -> bool:
    chat = target_chat(world, args)
    message = chat.messages.get(args.integer("message_id"))
    if message is None:
        raise BadRequestError("message to react not found")
    chat.reactions[message["message_id"]] = args.json("reaction", list) or []
    world.changed(chat, "edited", message=message)
    return True


async def answer_callback_query(world: World, args: Arguments) -> bool:
    text = args.text("text")
    if len(text) > 200:
        raise BadRequestError("MESSAGE_TOO_LONG")
    answer = {"text": text, "show_alert": args.flag("show_alert"), "url": args.text("url")}
    world.answer_callback(args.text("callback_query_id"), answer)
    return True
