"""A message with a menu in it: inline buttons of which some are marked as what holds now."""

import logging
from collections.abc import Collection, Sequence
from functools import partial

from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.error import BadRequest

from bot.transport.delivery import Delivery
from bot.transport.messages import NO_PREVIEW, reply

log = logging.getLogger(__name__)

MARK = "✓ "

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
    await delivery.carry_out(update, partial(reply, message, text, buttons))


async def change_menu(
    update: Update, bot: Bot, delivery: Delivery, text: str, buttons: InlineKeyboardMarkup | None = None
) -> None:
    """Show a menu as it is after one of its buttons was pressed."""
    await delivery.carry_out(update, partial(_edit, update, bot, text, buttons))


async def _edit(update: Update, bot: Bot, text: str, buttons: InlineKeyboardMarkup | None) -> None:
    # The press knows where it was made even if the message is too old to come with it whole.
    message = update.callback_query and update.callback_query.message
    assert message, "only buttons of messages change a menu"
    try:
        await bot.edit_message_text(
            text, message.chat.id, message.message_id, reply_markup=buttons, link_preview_options=NO_PREVIEW
        )
    except BadRequest as error:
        # Pressed twice, or what was chosen held already, or the menu was deleted: there is nothing to show.
        log.info("Update %d: a menu was not changed (%s)", update.update_id, error)
