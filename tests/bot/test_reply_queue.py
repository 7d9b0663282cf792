"""The reply queue: bounded, one turn per chat, fair between chats."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bot.reply_queue import ReplyQueue, Ticket

Speak = Callable[[str, str], Awaitable[None]]


async def settle() -> None:
    """Let every task that can go on go on."""
    for _ in range(20):
        await asyncio.sleep(0)


class Stand:
    """Starts turns that last until they are ended by hand; `order` is who got a turn, in order."""

    def __init__(self, limit: int) -> None:
        self.queue = ReplyQueue(limit)
        self.order: list[str] = []
        self.ends: dict[str, asyncio.Event] = {}
        self.tickets: dict[str, Ticket] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def ask(self, *names: str) -> None:
        """Queue turns; a name is the chat's letter and a number."""
        for name in names:
            self.ends[name] = asyncio.Event()
            self.tickets[name] = Ticket()
            self.tasks[name] = asyncio.create_task(self._turn(name))
        await settle()

    async def end(self, *names: str) -> None:
        for name in names:
            self.ends[name].set()
            await settle()

    def before(self, *names: str) -> list[int]:
        return [self.tickets[name].before for name in names]

    async def _turn(self, name: str) -> None:
        async with self.queue.turn(name[0], self.tickets[name]):
            self.order.append(name)
            await self.ends[name].wait()


async def test_no_more_turns_at_once_than_the_limit() -> None:
    stand = Stand(2)
    await stand.ask("a1", "b1", "c1")
    assert stand.order == ["a1", "b1"]
    await stand.end("a1")
    assert stand.order == ["a1", "b1", "c1"]


async def test_a_chat_has_one_turn_at_a_time_even_when_places_are_free() -> None:
    stand = Stand(4)
    await stand.ask("a1", "a2", "b1")
    assert stand.order == ["a1", "b1"]
    await stand.end("a1")
    assert stand.order == ["a1", "b1", "a2"]


async def test_a_chat_with_many_requests_does_not_hold_up_the_others() -> None:
    stand = Stand(1)
    await stand.ask("a1", "a2", "a3", "a4", "b1", "c1", "b2")
    await stand.end("a1", "a2", "b1", "c1", "a3", "b2", "a4")
    assert stand.order == ["a1", "a2", "b1", "c1", "a3", "b2", "a4"]
    assert all(task.done() for task in stand.tasks.values())


async def test_a_request_that_is_cancelled_while_it_waits_leaves_the_queue() -> None:
    stand = Stand(1)
    await stand.ask("a1", "b1", "c1")
    stand.tasks["b1"].cancel()
    await settle()
    await stand.end("a1")
    assert stand.order == ["a1", "c1"]


async def test_a_request_that_is_cancelled_in_its_turn_gives_the_place_back() -> None:
    stand = Stand(1)
    await stand.ask("a1", "a2")
    stand.tasks["a1"].cancel()
    await settle()
    assert stand.order == ["a1", "a2"]


async def test_a_turn_granted_at_the_moment_of_cancelling_is_not_lost() -> None:
    stand = Stand(1)
    await stand.ask("a1", "b1", "c1")
    stand.ends["a1"].set()
    await asyncio.sleep(0)  # a1 ends and grants the turn to b1, whose task has not run yet
    stand.tasks["b1"].cancel()
    await settle()
    assert stand.order == ["a1", "c1"]


async def test_a_turn_that_fails_gives_the_place_back() -> None:
    queue = ReplyQueue(1)
    with pytest.raises(ZeroDivisionError):
        async with queue.turn("a"):
            raise ZeroDivisionError
    async with asyncio.timeout(1), queue.turn("a"):
        pass


def test_a_queue_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="room"):
        ReplyQueue(0)


async def test_a_ticket_tells_how_many_are_before_it_and_0_once_it_is_its_turn() -> None:
    stand = Stand(1)
    await stand.ask("a1", "b1", "c1")
    assert stand.before("a1", "b1", "c1") == [0, 1, 2]
    await stand.end("a1")
    assert stand.before("a1", "b1", "c1") == [0, 0, 1]
    stand.tasks["b1"].cancel()
    await settle()
    assert stand.before("b1", "c1") == [0, 0]


async def test_a_ticket_counts_in_the_order_in_which_turns_are_given() -> None:
    stand = Stand(1)
    await stand.ask("a1", "b1", "b2", "b3", "c1", "d1", "d2")
    names = ["b1", "c1", "d1", "b2", "d2", "b3"]
    assert stand.before(*names) == [1, 2, 3, 4, 5, 6]
    await stand.end("a1", *names)
    assert stand.order == ["a1", *names]


def test_a_ticket_that_is_in_no_queue_has_nobody_before_it() -> None:
    assert Ticket().before == 0
