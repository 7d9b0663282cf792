"""How far a training is: the latest is shown, once in a while, and not where Telegram wants to be left alone."""

import asyncio

import pytest

from bot.training.events import Progress
from bot.training.reports import Display
from tests.bot.waiting import until

HOUR = 3600.0


class Screen:
    """Where it is shown; remembers the steps, and asks to be left alone for so long."""

    def __init__(self, asks: float = 0.0) -> None:
        self.shown: list[int | None] = []
        self._asks = asks

    async def show(self, progress: Progress | None) -> float:
        self.shown.append(progress.done if progress else None)
        return self._asks


def step(done: int) -> Progress:
    return Progress(stage="train", done=done, total=9)


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.mark.parametrize(("pace", "asks"), [(HOUR, 0.0), (0.0, HOUR)])
async def test_between_two_edits_there_is_a_rest_as_long_as_telegram_wants(
    pace: float, asks: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.training.reports.EDIT_SECONDS", pace)
    screen = Screen(asks)
    display = Display(screen.show)
    running = asyncio.create_task(display.run())
    for done in range(5):
        await settle()
        display.update(step(done))
    await settle()
    assert screen.shown == [None]
    display.close()
    await running
    assert screen.shown == [None]


async def test_of_what_came_meanwhile_the_latest_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.training.reports.EDIT_SECONDS", 0.0)
    screen = Screen()
    display = Display(screen.show)
    running = asyncio.create_task(display.run())
    await settle()
    display.update(step(1))
    display.update(step(2))
    await until(lambda: len(screen.shown) == 2)
    display.close()
    await running
    assert screen.shown == [None, 2]
