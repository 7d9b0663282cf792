"""Groups that become supergroups: what goes out to the old number arrives under the new one."""

from typing import Any

import pytest
from telegram.error import BadRequest, ChatMigrated

from bot.errors import StorageError
from bot.transport.moved_groups import Forwarding

OLD, NEW, OTHER = -5, -1_000_000_000_005, -6
Sent = tuple[str, dict[str, Any]]


class Telegram:
    """Takes calls, but for those to the old group; and what is on record of groups."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.moves: list[tuple[int, int]] = []
        self.record_is_there = True
        self._limiter = Forwarding(self.move, max_retries=1, messages_per_second=30)

    async def move(self, old: int, new: int) -> None:
        if not self.record_is_there:
            raise StorageError("the database is not available")
        self.moves.append((old, new))

    async def call(self, endpoint: str, **data: Any) -> Any:
        """A call of the bot's."""
        return await self._limiter.process_request(self._take, (endpoint, data), {}, endpoint, data, None)

    async def _take(self, endpoint: str, data: dict[str, Any]) -> dict[str, Any]:
        if data["chat_id"] == OLD:
            raise ChatMigrated(NEW)
        self.sent.append((endpoint, data))
        return {"message_id": 7}


async def test_what_is_sent_to_the_group_is_moved_and_sent_on_without_what_it_replies_to() -> None:
    telegram = Telegram()
    assert await telegram.call("sendMessage", chat_id=OLD, text="Hi", reply_parameters=5) == {"message_id": 7}
    assert telegram.sent == [("sendMessage", {"chat_id": NEW, "text": "Hi"})]
    assert telegram.moves == [(OLD, NEW)]


async def test_what_goes_elsewhere_is_left_as_it_is() -> None:
    telegram = Telegram()
    await telegram.call("sendMessage", chat_id=OTHER, text="Hi", reply_parameters=5)
    assert telegram.sent == [("sendMessage", {"chat_id": OTHER, "text": "Hi", "reply_parameters": 5})]
    assert telegram.moves == []


@pytest.mark.parametrize("numbers", [{"message_id": 7}, {"message_ids": [7]}])
async def test_a_message_of_the_old_group_is_not_taken_for_that_of_the_same_number(numbers: dict[str, Any]) -> None:
    telegram = Telegram()
    with pytest.raises(BadRequest):
        await telegram.call("editMessageText", chat_id=OLD, text="Hi", **numbers)
    assert telegram.sent == []


async def test_a_message_that_was_sent_on_can_be_changed_by_whoever_sent_it() -> None:
    telegram = Telegram()
    sent = await telegram.call("sendMessage", chat_id=OLD, text="Once …")
    await telegram.call("editMessageText", chat_id=OLD, text="Once upon a time", message_id=sent["message_id"])
    assert telegram.sent[1] == ("editMessageText", {"chat_id": NEW, "text": "Once upon a time", "message_id": 7})


async def test_nothing_is_sent_before_what_is_on_record_is_moved_but_for_typing() -> None:
    telegram = Telegram()
    telegram.record_is_there = False
    with pytest.raises(StorageError):
        await telegram.call("sendMessage", chat_id=OLD, text="Hi")
    assert telegram.sent == []
    await telegram.call("sendChatAction", chat_id=OLD, action="typing")
    assert telegram.sent == [("sendChatAction", {"chat_id": NEW, "action": "typing"})]
