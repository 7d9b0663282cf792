"""What is offered to whoever asks in inline mode."""

import logging

from telegram import InlineQueryResultArticle, InlineQueryResultsButton, Update
from telegram.error import TelegramError

log = logging.getLogger(__name__)

START = "inline"  # With what /start comes from those who press a hint.


async def offer(update: Update, *results: InlineQueryResultArticle, hint: str | None = None) -> None:
    """Answer an inline query, for this person and this time only. It may be too late, which is no reason to fail.

    A `hint` is a line above the results, which leads to the private chat.
    """
    assert update.inline_query is not None, "only inline queries are answered so"
    button = InlineQueryResultsButton(hint, start_parameter=START) if hint else None
    try:
        await update.inline_query.answer(results, cache_time=0, is_personal=True, button=button)
    except TelegramError as error:
        log.info("Update %d: the inline query could not be answered (%s)", update.update_id, error)
