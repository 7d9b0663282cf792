"""The pictures of the README: the page of `make run` in a real browser, with the character that ships.

`make pictures` keeps them in docs/images.
"""

import os
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import platformdirs
import pytest
from playwright.async_api import Page, ViewportSize, expect

from tests.browser import launched
from tests.e2e.stage import BotProcess, Stage

ALEX, MASHA, SAM, GROUP = 1001, 1002, 1003, -1001
DESKTOP = ViewportSize(width=1200, height=760)
PHONE: dict[str, Any] = {
    "viewport": ViewportSize(width=390, height=780),
    "color_scheme": "dark",
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}
TALK = ("/start", "Do you have a pet?", "Why do you play the saxophone?", "What is your brother like?")
BYTES = 40_000  # A page without a conversation is a smaller picture.
PATIENCE = 30_000  # Milliseconds; a loaded machine may take long.


@pytest.fixture
def pictures(tmp_path: Path) -> Iterator[Path]:
    """Where this test's pictures go; those that were wanted are copied from there."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    yield folder
    if wanted := os.environ.get("PICTURES"):
        for picture in folder.iterdir():
            shutil.copy(picture, wanted)


@asynccontextmanager
async def making_run(stage: Stage) -> AsyncIterator[Stage]:
    """The people of `make run`, until the block ends."""
    cache = str(platformdirs.user_cache_path("understudy"))
    settings = {"OFFLINE_PORT": "0", "UNDERSTUDY_CACHE": cache, "HOME": str(stage.folder)}
    async with stage.process("-m", "bot", "offline", **settings) as bot:
        await stage.eventually(lambda: "Open http" in bot.output)
        people = stage.at(address(bot))
        await stage.eventually(lambda: "Taking messages" in bot.log)
        yield people
        assert await bot.stop() == 0
    assert "Traceback" not in bot.log


def address(bot: BotProcess) -> str:
    found = re.search(r"http://[\d.]+:\d+", bot.output)
    assert found, bot.output
    return found[0]


async def write(page: Page, text: str, answers: int) -> None:
    await page.get_by_label("Message", exact=True).fill(text)
    await page.get_by_label("Message", exact=True).press("Enter")
    await expect(page.locator(".message.theirs")).to_have_count(answers, timeout=PATIENCE)


async def picture(page: Page, file: Path) -> None:
    await page.wait_for_timeout(400)  # What moves on the page comes to rest.
    assert len(await page.screenshot(path=file)) > BYTES


async def test_a_private_talk_on_a_desktop_and_on_a_phone(stage: Stage, pictures: Path) -> None:
    async with making_run(stage) as people, launched() as browser:
        desktop = await browser.new_page(viewport=DESKTOP, locale="en-GB")
        await desktop.goto(f"{people.url}/#{ALEX}/{ALEX}")
        for count, text in enumerate(TALK, 1):
            await write(desktop, text, count)
        await picture(desktop, pictures / "page.png")
        phone = await browser.new_page(locale="en-GB", **PHONE)
        await phone.goto(f"{people.url}/#{ALEX}/{ALEX}")
        await expect(phone.locator(".message.theirs")).to_have_count(len(TALK), timeout=PATIENCE)
        await picture(phone, pictures / "page-phone.png")


async def test_a_conversation_in_a_group(stage: Stage, pictures: Path) -> None:
    async with making_run(stage) as people, launched() as browser:
        name = (await people.state())["bot"]["username"]
        page = await browser.new_page(viewport=DESKTOP, locale="en-GB")
        await page.goto(f"{people.url}/#{ALEX}/{GROUP}")
        await people.say("Rehearsal is at six. Who brings the snacks?", user=SAM, chat_id=GROUP)
        await people.say("Me! And we have to learn a new song.", user=MASHA, chat_id=GROUP)
        asked = await people.say(f"@{name} Do you like school?", user=MASHA, chat_id=GROUP)
        answer = (await people.messages(1, GROUP))[0]
        assert answer["reply_to_message"]["message_id"] == asked["message_id"]
        await people.say("Who is your favorite musician?", user=SAM, chat_id=GROUP, reply_to=answer["message_id"])
        await people.messages(2, GROUP)
        await page.get_by_label("Message", exact=True).fill(f"/ask@{name} What is your brother like?")
        await page.get_by_label("Message", exact=True).press("Enter")
        assert len(await people.messages(3, GROUP)) == 3
        await picture(page, pictures / "group.png")
