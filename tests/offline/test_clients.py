"""Two unrelated Bot API clients talk to the server unchanged: python-telegram-bot and aiogram."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiogram
import pytest
from aiogram import types
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramBadRequest, TelegramConflictError, TelegramRetryAfter, TelegramUnauthorizedError
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, ReactionTypeEmoji, Update
from telegram.constants import ChatAction, ParseMode
from telegram.error import BadRequest, Conflict, InvalidToken, NetworkError, RetryAfter
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
from tests.offline.caller import Caller

TOKEN = "1:offline"


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
async def echo_bot(server: OfflineTelegram) -> AsyncIterator[Application[Any, Any, Any, Any, Any, Any]]:
    builder = ApplicationBuilder().token(TOKEN).base_url(server.base_url).base_file_url(server.base_file_url)
    app = builder.build()
    app.add_handlers(
        [CommandHandler("start", start), CallbackQueryHandler(pressed), MessageHandler(filters.TEXT, echo)]
    )
    async with app:
        assert app.updater
        await app.updater.start_polling(timeout=5)
        await app.start()
        yield app
        await app.updater.stop()
        await app.stop()


@pytest.fixture
async def ptb(server: OfflineTelegram, caller: Caller) -> AsyncIterator[Bot]:
    """A python-telegram-bot client; somebody has written to it in chat 1."""
    await caller.say("Hi")
    async with Bot(TOKEN, base_url=server.base_url, base_file_url=server.base_file_url) as bot:
        yield bot


@pytest.fixture
async def aio(server: OfflineTelegram, caller: Caller) -> AsyncIterator[aiogram.Bot]:
    """An aiogram client; somebody has written to it in chat 1."""
    await caller.say("Hi")
    async with aiogram.Bot(TOKEN, session=AiohttpSession(api=TelegramAPIServer.from_base(server.url))) as bot:
        yield bot


async def test_an_application_of_python_telegram_bot_echoes(echo_bot: object, caller: Caller) -> None:
    sent = await caller.say("Hi Lisa!")
    answers = await caller.messages(after=sent["message_id"], wait=10)
    assert [(answer["text"], answer["from_bot"]) for answer in answers] == [("You said: Hi Lisa!", True)]
    assert answers[0]["reply_to_message"]["message_id"] == sent["message_id"]


async def test_its_commands_and_buttons_work(echo_bot: object, caller: Caller) -> None:
    sent = await caller.say("/start")
    question = (await caller.messages(after=sent["message_id"], wait=10))[0]
    assert question["text"] == "Do you like jazz?"
    shown = await caller.people("GET", "messages", chat_id=1)
    where = {"user_id": 1, "chat_id": 1, "message_id": question["message_id"]}
    await caller.people("POST", "press", **where, data="yes")
    while shown["messages"][-1]["text"] != "You like jazz.":
        shown = await caller.people("GET", "messages", chat_id=1, since=shown["version"], wait=10)
    assert [answer["text"] for answer in shown["answers"]] == ["So do I"]
    assert "reply_markup" not in shown["messages"][-1]


async def test_it_goes_on_after_an_outage(echo_bot: object, server: OfflineTelegram, caller: Caller) -> None:
    await caller.until_polled()
    await server.stop()
    await server.start()
    sent = await caller.say("Are you there?")
    answers = await caller.messages(after=sent["message_id"], wait=30)
    assert [answer["text"] for answer in answers] == ["You said: Are you there?"]


async def test_its_errors_are_those_of_telegram(ptb: Bot, server: OfflineTelegram, caller: Caller) -> None:
    with pytest.raises(BadRequest, match="Chat not found"):
        await ptb.send_message(99, "Hi")
    sent = await ptb.send_message(1, "Hi")
    with pytest.raises(BadRequest, match="Message is not modified"):
        await sent.edit_text("Hi")
    with pytest.raises(BadRequest, match="Message is too long"):
        await ptb.send_message(1, "a" * 4097)
    with pytest.raises(BadRequest, match="Can't parse entities"):
        await ptb.send_message(1, "<b>", parse_mode=ParseMode.HTML)
    with pytest.raises(InvalidToken):
        async with Bot("2:wrong", base_url=server.base_url):
            pass


async def test_it_understands_the_faults(ptb: Bot, caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "1")
    await caller.fault("sendMessage", "429", retry_after=3)
    with pytest.raises(RetryAfter) as flood:
        await ptb.send_message(1, "Hi")
    assert flood.value.retry_after == timedelta(seconds=3)
    for kind in ("500", "drop", "drop_after"):
        await caller.fault("sendMessage", kind)
        with pytest.raises(NetworkError):
            await ptb.send_message(1, kind)
    assert [message["text"] for message in await caller.messages()] == ["Hi", "drop_after"]


async def test_it_is_told_that_another_one_polls(ptb: Bot, caller: Caller) -> None:
    first = asyncio.create_task(ptb.get_updates(offset=10**9 * 2, timeout=30))
    await caller.until_polled()
    second = asyncio.create_task(caller.bot("getUpdates", timeout=30))
    with pytest.raises(Conflict, match="terminated by other getUpdates request"):
        await asyncio.wait_for(first, 10)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)


async def test_it_sends_and_fetches_files(ptb: Bot, picture: bytes) -> None:
    photo = await ptb.send_photo(1, picture, caption="<i>Blue</i>", parse_mode=ParseMode.HTML)
    assert (photo.photo[0].width, photo.caption, photo.caption_html) == (160, "Blue", "<i>Blue</i>")
    assert await (await photo.photo[0].get_file()).download_as_bytearray() == picture
    document = await ptb.send_document(1, b"words", filename="essay.txt")
    assert document.document
    assert document.document.file_name == "essay.txt"
    assert bytes(await (await document.document.get_file()).download_as_bytearray()) == b"words"


async def test_it_reads_back_what_it_has_set(ptb: Bot) -> None:
    await ptb.set_my_commands([("start", "Begin")], language_code="en")
    assert [command.command for command in await ptb.get_my_commands(language_code="en")] == ["start"]
    await ptb.set_my_name("Lisa")
    assert (await ptb.get_my_name()).name == "Lisa"
    assert await ptb.send_message_draft(1, 5, "The saxophone")
    assert await ptb.send_chat_action(1, ChatAction.TYPING)
    sent = await ptb.send_message(1, "Hi")
    assert await sent.set_reaction(ReactionTypeEmoji("👍"))
    assert (await ptb.get_chat(1)).first_name == "User 1"
    assert await sent.delete()


async def test_a_bot_of_aiogram_echoes(aio: aiogram.Bot, caller: Caller) -> None:
    dispatcher = aiogram.Dispatcher()

    @dispatcher.message()
    async def answer(message: types.Message) -> None:
        await message.reply(f"<b>{message.text}</b> yourself", parse_mode="HTML")

    polling = asyncio.create_task(dispatcher.start_polling(aio, handle_signals=False, polling_timeout=5))
    first = await caller.messages(wait=10)
    answers = await caller.messages(after=first[0]["message_id"], wait=10)
    await dispatcher.stop_polling()
    await polling
    assert (answers[0]["text"], answers[0]["reply_to_message"]["text"]) == ("Hi yourself", "Hi")


async def test_a_bot_of_aiogram_answers_inline_queries(aio: aiogram.Bot, caller: Caller) -> None:
    dispatcher = aiogram.Dispatcher()

    @dispatcher.inline_query()
    async def offer(query: types.InlineQuery) -> None:
        content = types.InputTextMessageContent(message_text=f"<i>{query.query}</i>", parse_mode="HTML")
        article = types.InlineQueryResultArticle(
            id="1", title=query.from_user.first_name, input_message_content=content
        )
        await query.answer([article], cache_time=0, is_personal=True)

    polling = asyncio.create_task(dispatcher.start_polling(aio, handle_signals=False, polling_timeout=5))
    query = (await caller.people("POST", "inline", user_id=1, query="jazz"))["inline_query_id"]
    offered = (await caller.people("GET", "inline", inline_query_id=query, wait=10))["answer"]
    assert [result["title"] for result in offered["results"]] == ["User 1"]
    await caller.people("POST", "choose", inline_query_id=query, result_id="1", chat_id=1)
    await dispatcher.stop_polling()
    await polling
    chosen = (await caller.people("GET", "messages", chat_id=1))["messages"][-1]
    assert (chosen["text"], chosen["via_bot"]["is_bot"]) == ("jazz", True)
    assert chosen["entities"][0]["type"] == "italic"


async def test_aiogram_parses_everything_that_is_answered(aio: aiogram.Bot, picture: bytes) -> None:
    assert (await aio.get_me()).is_bot
    button = types.InlineKeyboardButton(text="Yes", callback_data="yes")
    markup = types.InlineKeyboardMarkup(inline_keyboard=[[button]])
    sent = await aio.send_message(1, "Jazz?", reply_markup=markup)
    assert sent.reply_markup
    assert sent.reply_markup.inline_keyboard[0][0].callback_data == "yes"
    edited = await aio.edit_message_text("Blues?", chat_id=1, message_id=sent.message_id)
    assert isinstance(edited, types.Message)
    assert edited.text == "Blues?"
    photo = await aio.send_photo(1, types.BufferedInputFile(picture, "a.png"))
    assert photo.photo
    fetched = await aio.download(photo.photo[0])
    assert fetched
    assert fetched.read() == picture
    assert (await aio.get_webhook_info()).url == ""
    assert (await aio.get_chat(1)).type == "private"
    assert (await aio.get_chat_member(1, 1)).status == "member"


async def test_aiogram_gets_telegrams_errors(aio: aiogram.Bot, server: OfflineTelegram, caller: Caller) -> None:
    with pytest.raises(TelegramBadRequest, match="chat not found"):
        await aio.send_message(99, "Hi")
    await caller.fault("sendMessage", "429", retry_after=3)
    with pytest.raises(TelegramRetryAfter) as flood:
        await aio.send_message(1, "Hi")
    assert flood.value.retry_after == 3
    await aio.set_webhook("http://127.0.0.1:9/")
    with pytest.raises(TelegramConflictError):
        await aio.get_updates()
    stranger = aiogram.Bot("2:wrong", session=AiohttpSession(api=TelegramAPIServer.from_base(server.url)))
    async with stranger:
        with pytest.raises(TelegramUnauthorizedError):
            await stranger.get_me()
