"""What a button says to whoever presses it."""

import logging

from telegram import Update
from telegram.error import TelegramError

log = logging.getLogger(__name__)


async def toast(update: Update, text: str | None) -> None:
    """Answer a button, so that it stops waiting. It may have waited for too long, which is no reason to do nothing."""
    assert update.callback_query is not None, "only buttons are answered so"
    try:
        await update.callback_query.answer(text)
    except TelegramError as error:
        log.info("Update %d: the button could not be answered (%s)", update.update_id, error)
