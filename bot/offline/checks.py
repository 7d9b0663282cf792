"""What Telegram checks in a call before it acts, and the words in which it refuses."""

from typing import Any

from bot.offline.arguments import Arguments
from bot.offline.errors import BadRequestError
from bot.offline.world import Chat, Json, World

ACTIONS = frozenset(
    {
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
    }
)
BUTTON_ACTIONS = frozenset(
    {
        "url",
        "callback_data",
        "web_app",
        "login_url",
        "switch_inline_query",
        "switch_inline_query_current_chat",
        "switch_inline_query_chosen_chat",
        "copy_text",
        "callback_game",
        "pay",
    }
)
MAX_CALLBACK_BYTES = 64


def target_chat(world: World, args: Arguments) -> Chat:
    """The chat that a call is about. Nothing here has a public @name, so none is found by one."""
    name = args.text("chat_id")
    if not name:
        raise BadRequestError("chat_id is empty")
    if name.startswith("@"):
        raise BadRequestError("chat not found")
    return world.chat(args.integer("chat_id"))


def own_message(world: World, args: Arguments, what: str) -> tuple[Chat, Json]:
    """The bot's own message that a call wants to change; `what` is "edit" or "delete"."""
    chat = target_chat(world, args)
    message_id = args.integer("message_id")
    if not message_id:
        raise BadRequestError("message identifier is not specified")
    message = chat.messages.get(message_id)
    if message is None:
        raise BadRequestError(f"message to {what} not found")
    if what == "edit" and not message["from"]["is_bot"]:
        raise BadRequestError("message can't be edited")
    return chat, message


def reply_target(chat: Chat, args: Arguments) -> Json | None:
    """The message that a new one answers, if the call names one."""
    parameters = args.json("reply_parameters", dict) or {}
    message_id = int(parameters.get("message_id") or args.integer("reply_to_message_id"))
    lenient = parameters.get("allow_sending_without_reply") or args.flag("allow_sending_without_reply")
    if not message_id:
        return None
    if message_id not in chat.messages and not lenient:
        raise BadRequestError("message to be replied not found")
    return chat.messages.get(message_id)


def thread_id(args: Arguments) -> int:
    """The topic that a message belongs to; 0 for none."""
    return args.integer("message_thread_id")


def checked_action(args: Arguments) -> str:
    action = args.text("action").lower()
    if action not in ACTIONS:
        raise BadRequestError("wrong parameter action in request")
    return action


def checked_draft_id(args: Arguments) -> int:
    draft_id = args.integer("draft_id")
    if not draft_id:
        raise BadRequestError("draft identifier must be non-zero")
    return draft_id


def accepted_markup(args: Arguments) -> Json | None:
    """The reply markup of a call, checked; None if there is none."""
    markup: Json | None = args.json("reply_markup", dict)
    if markup and "inline_keyboard" in markup:
        rows = markup["inline_keyboard"]
        if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
            raise BadRequestError('field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays')
        return {"inline_keyboard": [[_checked_button(button) for button in row] for row in rows if row]}
    return markup


def shown_markup(markup: Json | None) -> Json:
    """The part of a message that shows its inline keyboard; other keyboards are not part of a message."""
    return {"reply_markup": markup} if markup and markup.get("inline_keyboard") else {}


def _checked_button(button: Any) -> Json:
    if not isinstance(button, dict):
        raise BadRequestError("can't parse inline keyboard button: InlineKeyboardButton must be an Object")
    if not str(button.get("text", "")).strip():
        raise BadRequestError("inline keyboard button text is empty")
    if not BUTTON_ACTIONS & button.keys():
        raise BadRequestError("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
    data = button.get("callback_data")
    if data is not None and not 1 <= len(str(data).encode()) <= MAX_CALLBACK_BYTES:
        raise BadRequestError("BUTTON_DATA_INVALID")
    return button
