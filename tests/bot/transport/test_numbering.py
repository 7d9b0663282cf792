"""Which message is known to be the newest of all private chats."""

from datetime import UTC, datetime

import pytest
from telegram import Chat, Message
from telegram.constants import ChatType

from bot.transport.numbering import Numbering


def message(number: int, kind: str = ChatType.PRIVATE) -> Message:
    return Message(number, datetime.now(UTC), Chat(7, kind))


def test_the_highest_number_of_any_private_chat_counts() -> None:
    numbering = Numbering()
    assert numbering.newest() == 0
    for number in (5, 9, 7):
        numbering.note(message(number))
    assert numbering.newest() == 9
    numbering.go_on_from(8)
    assert numbering.newest() == 9


@pytest.mark.parametrize("kind", [ChatType.GROUP, ChatType.SUPERGROUP, ChatType.CHANNEL])
def test_other_chats_have_series_of_their_own(kind: str) -> None:
    numbering = Numbering()
    numbering.note(message(9, kind))
    assert numbering.newest() == 0


@pytest.mark.parametrize("number", [-1, 2**63, "9", True, None])
def test_what_is_no_number_of_a_message_is_passed_over(number: int) -> None:
    numbering = Numbering()
    numbering.note(None)
    numbering.note(message(number))
    assert numbering.newest() == 0


def test_numbers_that_others_are_known_to_have_are_passed_over() -> None:
    numbering = Numbering()
    for number in (4, 6, 7):
        numbering.note(message(number))
    numbering.note(message(5, ChatType.GROUP))
    assert numbering.unknown(after=3, most=3) == [5, 8, 9]
