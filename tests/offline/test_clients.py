"""Two unrelated Bot API clients talk to the server unchanged."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress

import aiogram
import pytest
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from telegram import BotCommand, InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram import Bot as PtbBot
from telegram.error import BadRequest, InvalidToken, NetworkError, RetryAfter
from telegram.ext import (
    Application,
    ApplicationBuilder,
    CallbackQueryHandler,
    CommandHandler,
    ContextTypes,
    MessageHandler,
    filters,
)

from bot.offline import OfflineTelegram


async def echo(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    assert update.effective_message
    await update.effective_message.reply_text(f"You said: {update.effective_message.text}", do_quote=True)


async def start(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    assert update.effective_message
    buttons = InlineKeyboardMarkup([[InlineKeyboardButton("Yes", callback_data="yes")]])
    await update.effective_message.reply_html("Do you like <b>jazz</b>?", reply_markup=buttons)


async def pressed(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    assert update.callback_query
    await update.callback_query.answer("So do I")
    await update.callback_query.edit_message_text("You like jazz.")


@pytest.fixture
async def echo_bot(server: OfflineTelegram) -> AsyncIterator[Application]:  # type: ignore[type-arg]
    builder = ApplicationBuilder().token("1:offline").base_url(server.base_url).base_file_url(server.base_file_url)
    app = builder.build()
    app.add_handlers([CommandHandler("start", start), CallbackQueryHandler(pressed), MessageHandler(filters.TEXT, echo)])
    async with app:
        assert app.updater
        await app.updater.start_polling(timeout=5)
        await app.start()
        yield app
        await app.updater.stop()
        await app.stop()


async def test_a_bot_of_python_telegram_bot_echoes(echo_bot: object, caller: Any):
    sent = await caller.say("Hi Lisa!")
    answers = await caller.messages(after=sent["message_id"], wait=5)
    assert [(answer["text"], answer["from_bot"]) for answer in answers] == [("You said: Hi Lisa!", True)]
    assert answers[0]["reply_to_message"]["message_id"] == sent["message_id"]
