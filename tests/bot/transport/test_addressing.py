"""Addressing: who is taken for the one who speaks."""

from typing import Any

import pytest
from telegram import Bot, Update

from bot.transport.addressing import person_of

BOT = Bot("1:offline")
NED = {"id": 1, "is_bot": False, "first_name": "Ned"}
GROUP = {"id": -5, "type": "supergroup", "title": "Friends"}


@pytest.mark.parametrize(("more", "person"), [({}, 1), ({"sender_chat": GROUP}, None)])
def test_who_speaks_in_the_name_of_a_chat_is_no_person(more: dict[str, Any], person: int | None) -> None:
    message = {"message_id": 1, "date": 1700000000, "chat": GROUP, "from": NED, "text": "Hi", **more}
    assert person_of(Update.de_json({"update_id": 1, "message": message}, BOT)) == person


def test_who_presses_a_button_is_the_person_and_not_the_one_whose_message_it_is_under() -> None:
    sender = {"id": 9, "is_bot": True, "first_name": "Lisa"}
    message = {"message_id": 1, "date": 1700000000, "chat": GROUP, "from": sender, "sender_chat": GROUP, "text": "?"}
    query = {"id": "1", "from": NED, "chat_instance": "1", "data": "yes", "message": message}
    assert person_of(Update.de_json({"update_id": 1, "callback_query": query}, BOT)) == 1
