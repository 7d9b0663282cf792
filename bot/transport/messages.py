"""The calls that put a message into a chat, change it there and take it away."""

import logging

from telegram import InlineKeyboardMarkup, LinkPreviewOptions, Message
from telegram.error import BadRequest
from telegram.ext import ExtBot

log = logging.getLogger(__name__)

NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


async def reply(message: Message, text: str, buttons: InlineKeyboardMarkup | None = None) -> Message:
    """Send a text as it is, without any markup, into the chat and topic of a message."""
    # In groups the library quotes the message; whoever deleted it in the meantime still gets the answer.
    return await message.reply_text(
        text,
        reply_markup=buttons,
        allow_sending_without_reply=True,
        link_preview_options=NO_PREVIEW,
    )


async def edit(
    message: Message,
    number: int,
    text: str,
    buttons: InlineKeyboardMarkup | None = None,
    rate_limit_args: int | None = None,
) -> None:
    """Edit another message of the chat. Raises BadRequest if it is not there, cannot be edited, or is like that."""
    bot = message.get_bot()
    assert isinstance(bot, ExtBot), "the application has made it"
    await bot.edit_message_text(
        text,
        message.chat_id,
        number,
        reply_markup=buttons,
        link_preview_options=NO_PREVIEW,
        rate_limit_args=rate_limit_args,
    )


async def replace(
    message: Message, old: int, text: str, buttons: InlineKeyboardMarkup | None, rate_limit_args: int | None = None
) -> bool:
    """Let another message of the chat be this one; False if it is not there any more, or cannot be edited."""
    try:
        await edit(message, old, text, buttons, rate_limit_args)
    except BadRequest as error:
        if "not modified" in error.message.lower():  # It was edited before, and the answer to that was lost.
            return True
        log.debug("Message %d cannot be edited (%s)", old, error)
        return False
    return True


async def remove(message: Message, number: int) -> None:
    """Delete another message of the chat. Raises BadRequest if it is gone, or too old."""
    await message.get_bot().delete_message(message.chat_id, number)
