"""Whatever is typed or sent: it is stored as it was, cut without loss, and no button means what it does not say."""

import asyncio
import json
import re
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from telegram import Bot, Update
from telegram.constants import MessageLimit
from telegram.request import BaseRequest

from bot.chat_service import Conversation, Exchange, Line, Mode
from bot.chat_settings import ChatSettings
from bot.feedback import read_judgement
from bot.handlers.privacy import PRESSED as FORGET_PRESSED
from bot.handlers.reviewing import PRESSED as REVIEW_PRESSED
from bot.handlers.settings_menu import SETTING_PRESSED, changed
from bot.storage.database import Database
from bot.storage.repository import SqlUnitOfWork
from bot.transport.addressing import owner_of
from bot.transport.delivery import split
from bot.transport.placement import read_press
from bot.transport.updates import HIGHEST_ID, Fetching, update_of
from tests.properties import FEW, STEADY, hostile_texts, numbers, written_texts

BOT = Bot("1:offline")
HERE = Conversation(2**52 - 1, 0)
SHAPES = r"(again|show|judge:like|set:length|forget:yes|review:skip)(:[0-9\u0660-\u0669]{1,20}|:short){0,3}\s?"
presses = st.one_of(hostile_texts, st.from_regex(SHAPES, fullmatch=True), st.from_regex(SETTING_PRESSED))
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, st.floats(), hostile_texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(hostile_texts, inner, max_size=3)),
    max_leaves=8,
)
PARTS = ("message", "edited_message", "callback_query", "message_reaction", "from", "chat", "date", "text", "entities")
updates = st.dictionaries(st.sampled_from(("update_id", *PARTS)), json_values, max_size=4)


def tables(file: Path) -> list[tuple[str, str]]:
    with sqlite3.connect(file) as connection:
        found = connection.execute("SELECT name, sql FROM sqlite_master").fetchall()
    connection.close()
    return found


@STEADY
@given(presses)
@example("again:999999999999999999:999999999")
@example("again:1:1\n")
def test_a_button_is_read_only_if_its_data_is_exactly_that_of_one_with_numbers_the_database_can_hold(data: str) -> None:
    press, judgement = read_press(data), read_judgement(data)
    for found in (press, judgement):
        if found is not None:
            assert 0 <= found.piece < 10**18
            assert 0 <= found.number < 10**9
            assert re.sub(r":0+(?=\d)", ":", data) == str(found)
    if review := REVIEW_PRESSED.match(data):
        assert int(review[2]) < HIGHEST_ID
        assert int(review[3]) < HIGHEST_ID


@STEADY
@given(presses)
@example("set:length:short\n")
@example("forget:yes:1\n")
def test_a_button_of_a_menu_that_is_let_in_can_be_handled(data: str) -> None:
    if re.match(SETTING_PRESSED, data):
        assert changed(ChatSettings(), data) is not None
    if re.match(FORGET_PRESSED, data):
        assert data.isascii()
        assert data == data.strip()


@STEADY
@given(hostile_texts, st.integers(1, 40))
@example("\ud800" * 5000, 20)
def test_any_text_is_cut_into_messages_of_which_none_is_too_long_and_nothing_is_lost(text: str, limit: int) -> None:
    limit += 1  # A character may have two units.
    parts = split(text, limit)
    assert all(len(part.encode("utf-16-le", "surrogatepass")) // 2 <= limit for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert limit <= MessageLimit.MAX_TEXT_LENGTH


@FEW
@given(written_texts.filter(str.strip), written_texts)
async def test_any_text_is_remembered_letter_by_letter_and_changes_nothing_else(
    database: Database, database_file: Path, text: str, name: str
) -> None:
    before = tables(database_file)
    async with SqlUnitOfWork(database.session) as work:
        await work.forget_context(HERE)
        await work.remember(HERE, Exchange(Line(name, text), Line("Lisa", text, True), Mode.DIALOGUE, "v1"))
        await work.commit()
    async with SqlUnitOfWork(database.session) as work:
        assert await work.context(HERE, 10) == [Line(name, text), Line("Lisa", text, True)]
    assert tables(database_file) == before


def read(data: Any) -> Update | str:
    """The update, or why it is none."""
    try:
        return update_of(json.loads(json.dumps(data)), BOT)
    except ValueError as error:
        return str(error)


@STEADY
@given(updates)
@example({"update_id": 1, "message": {"message_id": 1, "date": 1, "text": "said nowhere"}})
@example({"update_id": 1, "message": {"message_id": 1, "date": 1, "text": "said", "chat": {"id": [], "type": "in"}}})
def test_what_is_no_update_is_refused_in_words_that_quote_nothing_and_what_is_one_can_be_kept(data: Any) -> None:
    update = read(data)
    if isinstance(update, str):
        assert re.fullmatch(r"is (no update \(\w+\)|an update without a number)", update)
    else:
        assert 0 <= update.update_id <= HIGHEST_ID
        assert len({owner_of(update)} | {update.effective_chat}) == 2
        assert json.loads(update.to_json())["update_id"] == update.update_id


class Answering(BaseRequest):
    """Gives one and the same answer."""

    read_timeout = None

    def __init__(self, payload: bytes) -> None:
        self._payload = payload

    async def initialize(self) -> None: ...
    async def shutdown(self) -> None: ...
    async def do_request(self, *_: Any, **__: Any) -> tuple[int, bytes]:
        return 200, self._payload


@STEADY
@given(st.lists(updates, max_size=4))
def test_of_what_telegram_sends_every_update_with_a_number_can_be_read_and_is_on_record_before(
    found: list[Any],
) -> None:
    recorded: list[int] = []

    async def record(updates: Sequence[tuple[Update, str]]) -> None:
        recorded.extend(update_of(json.loads(payload), BOT).update_id for _update, payload in updates)

    fetching = Fetching(Answering(json.dumps({"ok": True, "result": found}).encode()), record)
    _status, payload = asyncio.run(fetching.do_request("", "POST"))
    kept = json.loads(payload)["result"]
    assert [update_of(data, BOT).update_id for data in kept] == [data["update_id"] for data in kept] == recorded
