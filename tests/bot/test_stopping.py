"""Stopping: what was asked can be called off until its answer is made."""

import asyncio

import pytest

from bot.stopping import Errand, StoppedError, Stopping


async def think(errand: Errand, begun: asyncio.Event | None = None) -> str:
    """Work that comes to an end only where nobody watches it begin."""
    async with errand.thinking():
        if begun:
            begun.set()
            await asyncio.Event().wait()
        errand.settle()
    return "thought"


async def test_work_in_hand_is_cancelled() -> None:
    errand, begun = Errand(), asyncio.Event()
    task = asyncio.create_task(think(errand, begun))
    await begun.wait()
    assert errand.stop()
    assert errand.stop()
    with pytest.raises(StoppedError):
        await task


async def test_work_that_was_stopped_before_it_began_does_not_begin() -> None:
    errand, begun = Errand(), asyncio.Event()
    assert errand.stop()
    with pytest.raises(StoppedError):
        await think(errand, begun)
    assert not begun.is_set()


async def test_an_answer_that_is_made_cannot_be_stopped_any_more() -> None:
    errand = Errand()
    async with errand.thinking():
        errand.settle()
        assert not errand.stop()
        await asyncio.sleep(0)
    assert not errand.stop()


async def fail(errand: Errand, settled: bool) -> None:
    async with errand.thinking():
        if settled:
            errand.settle()
        raise ZeroDivisionError


async def stop_in_the_last_moment(errand: Errand) -> None:
    async with errand.thinking():
        assert errand.stop()
        errand.settle()


async def test_an_answer_that_is_ready_in_the_moment_of_stopping_is_not_kept() -> None:
    with pytest.raises(StoppedError):
        await stop_in_the_last_moment(Errand())


@pytest.mark.parametrize("settled", [True, False])
async def test_what_failed_may_begin_again_and_can_be_stopped_until_then(settled: bool) -> None:
    errand = Errand()
    with pytest.raises(ZeroDivisionError):
        await fail(errand, settled)
    assert await think(errand) == "thought"
    with pytest.raises(ZeroDivisionError):
        await fail(errand, settled)
    assert errand.stop()
    with pytest.raises(StoppedError):
        await think(errand)


async def test_a_timeout_of_the_work_itself_is_not_taken_for_a_stop() -> None:
    with pytest.raises(TimeoutError, match="the engine"):
        async with Errand().thinking():
            raise TimeoutError("the engine")


async def test_the_end_of_the_process_is_not_taken_for_a_stop() -> None:
    begun = asyncio.Event()
    task = asyncio.create_task(think(Errand(), begun))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_stop_is_for_what_its_owner_asked_before_it() -> None:
    stopping = Stopping()
    with (
        stopping.in_hand(1, "Ned"),
        stopping.in_hand(2, "Maude"),
        stopping.in_hand(3, "Ned"),
        stopping.in_hand(4, "Ned"),
    ):
        assert stopping.stop("Ned", before=3)
        with pytest.raises(StoppedError):
            stopping.errand(1).settle()
        for receipt in (2, 4):
            stopping.errand(receipt).settle()


def test_what_is_not_in_hand_cannot_be_stopped() -> None:
    stopping = Stopping()
    with stopping.in_hand(1, "Ned"):
        pass
    with stopping.in_hand(2, "Ned"):
        assert not stopping.stop("Ned", before=2)
    stopping.errand(None).settle()
