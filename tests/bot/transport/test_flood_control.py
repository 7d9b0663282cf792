"""Flood control: what is better left out than waited for uses up no message that an answer may need."""

from typing import Any

import pytest
from telegram.error import RetryAfter

from bot.transport.flood_control import ROOM, WHERE_THERE_IS_ROOM, FloodControl

GROUP, PERSON = -5, 5


@pytest.fixture(autouse=True)
def times_as_the_bot_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "1")


class Line:
    """Calls that flood control lets through; `limit` is what Telegram says to the next one."""

    def __init__(self) -> None:
        self.control = FloodControl()
        self.calls = 0
        self.limit: RetryAfter | None = None

    async def call(self, chat: int, how: int | None = None, endpoint: str = "editMessageText") -> None:
        await self.control.process_request(self._answer, (), {}, endpoint, {"chat_id": chat}, how)

    async def _answer(self, *_: Any, **__: Any) -> bool:
        self.calls += 1
        if self.limit:
            raise self.limit
        return True


async def fill(line: Line, chat: int, calls: int = 60) -> None:
    for _ in range(calls):
        await line.call(chat, WHERE_THERE_IS_ROOM)


async def test_in_a_group_what_can_be_left_out_stops_before_answers_have_to_wait() -> None:
    line = Line()
    with pytest.raises(RetryAfter):
        await fill(line, GROUP)
    before = line.calls
    for _ in range(ROOM):
        await line.call(GROUP)
    assert line.calls == before + ROOM
    with pytest.raises(RetryAfter):
        await fill(line, GROUP)


async def test_groups_do_not_share_their_room_and_people_have_all_they_want() -> None:
    line = Line()
    with pytest.raises(RetryAfter):
        await fill(line, GROUP)
    await line.call(GROUP - 1, WHERE_THERE_IS_ROOM)
    await fill(line, PERSON, calls=25)


@pytest.mark.parametrize("endpoint", ["sendMessageDraft", "sendChatAction"])
async def test_what_is_no_message_uses_up_none(endpoint: str) -> None:
    line = Line()
    for _ in range(100):
        await line.call(GROUP, endpoint=endpoint)
    await line.call(GROUP, WHERE_THERE_IS_ROOM)
    assert line.calls == 101


@pytest.mark.parametrize("how", [None, WHERE_THERE_IS_ROOM])
async def test_a_limit_of_telegrams_reaches_whoever_called(how: int | None) -> None:
    line = Line()
    line.limit = RetryAfter(7)
    with pytest.raises(RetryAfter) as caught:
        await line.call(GROUP, how)
    assert caught.value is line.limit
    assert line.calls == 1
