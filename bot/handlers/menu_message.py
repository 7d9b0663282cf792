"""A message with a menu in it: inline buttons of which some are marked as what holds now."""

import logging
from collections.abc import Collection, Sequence
from functools import partial

from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions, Update
from telegram.error import BadRequest

from bot.delivery import Delivery

log = logging.getLogger(__name__)

MARK = "✓ "
NO_PREVIEW = LinkPreviewOptions(is_disabled=True)

Option = tuple[str, str]  # The data of a button and its label.


def keyboard(rows: Sequence[Sequence[Option]], marked: Collection[str]) -> InlineKeyboardMarkup:
    """The buttons; `marked` are the data of those that are marked."""
    return InlineKeyboardMarkup(
        [
            [InlineKeyboardButton(MARK * (data in marked) + label, callback_data=data) for data, label in row]
            for row in rows
        ]
    )


async def show_menu(update: Update, delivery: Delivery, text: str, buttons: InlineKeyboardMarkup | None) -> None:
    """Answer a command with a menu."""
    message = update.effective_message
    assert message is not None, "commands come in messages"
    send = partial(
        message.reply_text,
        text,
        reply_markup=buttons,
        allow_sending_without_reply=True,
        link_preview_options=NO_PREVIEW,
    )
    await delivery.carry_out(update, send)


async def change_menu(
    update: Update, bot: Bot, delivery: Delivery, text: str, buttons: InlineKeyboardMarkup | None
) -> None:
    """Show a menu as it is after one of its buttons was pressed."""
    await delivery.carry_out(update, partial(_edit, update, bot, text, buttons))


async def _edit(update: Update, bot: Bot, text: str, buttons: InlineKeyboardMarkup | None) -> None:
    message = update.effective_message
    assert message is not None, "only buttons of messages that can be seen change a menu"
    try:
        await bot.edit_message_text(
            text, message.chat_id, message.message_id, reply_markup=buttons, link_preview_options=NO_PREVIEW
        )
    except BadRequest as error:
        # Pressed twice, or what was chosen held already, or the menu was deleted: there is nothing to show.
        log.info("Update %d: a menu was not changed (%s)", update.update_id, error)
