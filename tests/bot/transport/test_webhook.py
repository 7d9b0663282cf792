"""What a webhook call may bring: an update, or nothing that does any harm."""

import json
import random
from typing import Any

import pytest
from telegram import Bot

from bot.transport.webhook import read_update

BOT = Bot("1:offline")
CHAT = {"id": 1, "type": "private", "first_name": "Ned"}
UPDATE = {"update_id": 7, "message": {"message_id": 1, "date": 1700000000, "chat": CHAT, "text": "private words"}}
ODD_VALUES: list[Any] = [None, True, -1, 0, 2**70, 1.5, float("nan"), "", "private words", [], {}, [[]], {"id": {}}]


def test_an_update_is_read() -> None:
    update = read_update(json.dumps(UPDATE).encode(), BOT)
    assert update.update_id == 7
    assert update.message is not None
    assert update.message.text == "private words"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"private words",
        b"\xff\xfe",
        b"null",
        b"[]",
        b'"private words"',
        b"{}",
        b'{"update_id": "7"}',
        b'{"update_id": true}',
        b'{"update_id": -1}',
        b'{"update_id": 9223372036854775808}',
        b'{"update_id": 7, "message": "private words"}',
        b'{"update_id": 7, "message": {"date": 99999999999999999999}}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_update_is_refused_in_one_line_that_quotes_nothing(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"^its body is ") as caught:
        read_update(body, BOT)
    assert "private" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_update_with_odd_values_anywhere_is_read_or_refused() -> None:
    draw = random.Random(20260314)
    outcomes = {"read": 0, "refused": 0}
    for _ in range(3000):
        update = json.loads(json.dumps(UPDATE))
        place = draw.choice([update, update["message"], update["message"]["chat"]])
        place[draw.choice([*place, "from", "entities", "reply_to_message"])] = draw.choice(ODD_VALUES)
        try:
            read_update(json.dumps(update).encode(), BOT)
            outcomes["read"] += 1
        except ValueError:
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 100
