"""The ban commands' reading of what is typed: whom they mean, and that nothing makes them fail."""

import random
from typing import Any

import pytest
from telegram import Bot, Message, User

from bot.gate import Gate, Rules
from bot.handlers.bans import named_id
from bot.storage.database import Database
from bot.storage.guest_book import SqlGuestBook
from bot.storage.tables import now

BOT_ID = 1
PIECES = [
    *("/ban", "@understudy_bot", " ", "\n", "\t", "\u2028", "\u200b", "\x00", "-", "+", ".", "_", "e", "0x", "'; --"),
    *("0", "7", "12345", "-100", "9" * 16, "9" * 17, "9" * 5000, "١٢٣", "²", "½", "𝟟", "\ud800", "\N{SAXOPHONE}"),
    *("%s", "{number}", "{", "<b>", "DROP TABLE bans", "nan", "inf", "True", "1_000"),
]


@pytest.fixture(scope="module")
def bot() -> Bot:
    """A bot that knows its own name without asking for it."""
    bot = Bot(f"{BOT_ID}:offline")
    bot._bot_user = User(BOT_ID, "Lisa", is_bot=True, username="understudy_bot")
    return bot


def message(bot: Bot, text: str | None, **more: Any) -> Message:
    chat = {"id": -500, "type": "supergroup", "title": "The choir"}
    sender = {"id": 9, "is_bot": False, "first_name": "Admin"}
    data = {"message_id": 5, "date": 1700000000, "chat": chat, "from": sender, "text": text, **more}
    return Message.de_json(data, bot)


def reply(bot: Bot, **original: Any) -> Message:
    chat = {"id": -500, "type": "supergroup", "title": "The choir"}
    return message(bot, "/ban", reply_to_message={"message_id": 4, "date": 1700000000, "chat": chat, **original})


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("/ban 12345", 12345),
        ("/ban@understudy_bot \n 12345 ", 12345),
        ("/ban -1001234567890", -1001234567890),
        ("/ban", None),
        ("/ban 0", None),
        ("/ban -0", None),
        ("/ban +12", None),
        ("/ban 12 34", None),
        ("/ban 012", None),
        ("/ban 1_000", None),
        ("/ban ١٢", None),
        ("/ban @ned", None),
        ("/ban " + "9" * 5000, None),
        (None, None),
    ],
)
def test_a_number_after_the_command_says_whom_it_means(bot: Bot, text: str | None, number: int | None) -> None:
    assert named_id(message(bot, text)) == number


def test_in_a_reply_the_author_is_meant_whoever_that_is(bot: Bot) -> None:
    ned = {"id": 7, "is_bot": False, "first_name": "Ned"}
    channel = {"id": -100777, "type": "channel", "title": "News"}
    assert named_id(reply(bot, **{"from": ned})) == 7
    assert named_id(reply(bot, **{"from": ned}, sender_chat=channel)) == -100777
    assert named_id(reply(bot, **{"from": {"id": BOT_ID, "is_bot": True, "first_name": "Lisa"}})) is None
    assert named_id(reply(bot)) is None


def test_in_a_topic_the_one_who_opened_it_is_not_meant(bot: Bot) -> None:
    ned = {"id": 7, "is_bot": False, "first_name": "Ned"}
    opening = {"name": "Jazz", "icon_color": 1}
    assert named_id(reply(bot, **{"from": ned}, forum_topic_created=opening)) is None


async def test_no_text_and_no_id_makes_a_ban_fail(bot: Bot, database: Database) -> None:
    draw = random.Random(20260314)
    gate = Gate(Rules(), SqlGuestBook(database.session), now)
    numbers = set()
    for _ in range(3000):
        text = "".join(draw.choices(PIECES, k=draw.randint(0, 5)))
        numbers |= {named_id(message(bot, text)), named_id(message(bot, f"/ban {text}"))}
    numbers |= {10**16 - 1, 1 - 10**16, None}
    assert len(numbers) > 10
    for number in numbers - {None}:
        assert isinstance(number, int)
        assert await gate.ban(number, 9)
        assert await gate.unban(number)
