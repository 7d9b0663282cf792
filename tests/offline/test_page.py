"""The page in a real browser: what people see, and what they can do with mouse, keyboard and a phone."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect

from bot.offline import OfflineTelegram
from tests.browser import launched
from tests.offline.caller import Caller, calling, running

pytestmark = pytest.mark.asyncio(loop_scope="module")

COMMANDS = [
    {"command": "start", "description": "Begin"},
    {"command": "ask", "description": "One question"},
    {"command": "reset", "description": "Forget our talk"},
]
ALEX, MASHA, GROUP = 1001, 1002, -1001
Opener = Callable[..., Awaitable[Page]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One browser for all these tests: starting it takes longer than most of them."""
    async with launched() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def server() -> AsyncIterator[OfflineTelegram]:
    async with running() as telegram:
        yield telegram


@pytest_asyncio.fixture(loop_scope="module")
async def caller(server: OfflineTelegram) -> AsyncIterator[Caller]:
    async with calling(server) as caller:
        yield caller


@pytest_asyncio.fixture(loop_scope="module")
async def opened(browser: Browser, server: OfflineTelegram) -> AsyncIterator[Opener]:
    """Opens the page at an address, in a window of some size; what the page complains of fails the test."""
    complaints: list[str] = []
    contexts: list[BrowserContext] = []

    async def open_page(
        address: str = "", width: int = 1200, height: int = 800, complaints_matter: bool = True, **more: Any
    ) -> Page:
        context = await browser.new_context(viewport={"width": width, "height": height}, locale="en-GB", **more)
        contexts.append(context)
        page = await context.new_page()
        if complaints_matter:
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
        await page.goto(f"{server.url}/{address}")
        await expect(page.get_by_role("heading", name="Chats")).to_be_attached()
        await expect(page.locator("#people li")).not_to_have_count(0)
        return page

    yield open_page
    for context in contexts:
        await context.close()
    assert complaints == []


@pytest_asyncio.fixture(loop_scope="module")
async def page(opened: Opener) -> Page:
    """Alex's private chat with the bot on a desktop."""
    return await opened()


async def write(page: Page, text: str) -> None:
    """Send what is written, or change what was; the server has it when this returns."""
    await page.get_by_label("Message", exact=True).fill(text)
    async with page.expect_response(re.compile("/people/(send|edit)$")):
        await page.keyboard.press("Enter")


async def heard(caller: Caller) -> dict[str, Any]:
    """The newest update, as soon as there is one; it is confirmed, and everything before it."""
    update: dict[str, Any] = (await caller.result("getUpdates", offset=-1, timeout=30))[0]
    await caller.result("getUpdates", offset=update["update_id"] + 1)
    return update


async def test_an_empty_chat_invites_and_start_begins_it(page: Page, caller: Caller) -> None:
    await caller.result("setMyDescription", description="I play the saxophone.")
    welcome = page.locator("#welcome")
    await expect(welcome).to_contain_text("I play the saxophone.")
    await welcome.get_by_role("button", name="Start").click()
    assert (await heard(caller))["message"]["text"] == "/start"
    await expect(welcome).to_be_hidden()


async def test_a_conversation_shows_bubbles_times_and_ticks(page: Page, caller: Caller) -> None:
    await write(page, "Hi Lisa!")
    mine = page.locator(".message.mine")
    await expect(mine.locator(".text")).to_have_text("Hi Lisa!")
    await expect(mine.locator(".ticks")).to_contain_text("Sent")
    await heard(caller)
    await expect(mine.locator(".ticks")).to_contain_text("Delivered")
    await caller.result("sendMessage", chat_id=ALEX, text="Hello, Alex!")
    await expect(page.locator(".message.theirs .text")).to_have_text("Hello, Alex!")
    await expect(page.locator(".theirs time")).to_have_text(re.compile(r"^\d\d:\d\d$"))
    await expect(page.locator(".day")).to_have_text("Today")
    await expect(page.locator("#chats .preview").first).to_have_text("Hello, Alex!")


async def test_shift_enter_makes_a_new_line_and_enter_sends(page: Page, caller: Caller) -> None:
    await page.get_by_label("Message", exact=True).fill("one")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("two")
    await page.keyboard.press("Enter")
    assert (await heard(caller))["message"]["text"] == "one\ntwo"
    await expect(page.get_by_label("Message", exact=True)).to_have_value("")


async def test_markup_is_shown_and_never_executed(page: Page, caller: Caller) -> None:
    hostile = '<img src=x onerror="document.title=1"><script>document.title=2</script>'
    await write(page, hostile)
    await expect(page.locator(".mine .text")).to_have_text(hostile)
    html = '😀 <b>bold <i>too</i></b> <code>x &lt; y</code> <a href="https://a.org">a</a> <tg-spoiler>s</tg-spoiler>'
    await caller.result("sendMessage", chat_id=ALEX, text=html, parse_mode="HTML")
    theirs = page.locator(".theirs .text")
    await expect(theirs.locator("strong")).to_have_text("bold too")
    await expect(theirs.locator("strong em")).to_have_text("too")
    await expect(theirs.locator("code")).to_have_text("x < y")
    await expect(theirs.get_by_role("link")).to_have_attribute("rel", "noopener noreferrer nofollow")
    await theirs.locator(".spoiler").click()
    await expect(theirs.locator(".spoiler")).to_have_class("spoiler shown")
    entity = {"type": "text_link", "offset": 0, "length": 3, "url": "javascript:alert(1)"}
    await caller.result("sendMessage", chat_id=ALEX, text="bad", entities=[entity])
    await expect(page.locator(".theirs .text").last).to_have_text("bad")
    await expect(page.locator(".theirs .text").last.get_by_role("link")).to_have_count(0)


async def test_a_command_in_a_text_is_sent_by_a_click(page: Page, caller: Caller) -> None:
    await caller.say("Hi", user_id=ALEX)
    await caller.result("sendMessage", chat_id=ALEX, text="Try /help")
    await page.get_by_role("button", name="/help").click()
    assert (await heard(caller))["message"]["text"] == "/help"


async def test_the_page_says_whether_the_bot_is_there_yet(page: Page, caller: Caller) -> None:
    await expect(page.locator("#chat-status")).to_have_text("waiting for the bot to start")
    await caller.result("getUpdates")
    await expect(page.locator("#chat-status")).to_have_text("bot")


async def test_a_reaction_is_shown_on_its_message(page: Page, caller: Caller) -> None:
    sent = await caller.say("I like jazz", user_id=ALEX)
    heart = [{"type": "emoji", "emoji": "❤"}]
    await caller.result("setMessageReaction", chat_id=ALEX, message_id=sent["message_id"], reaction=heart)
    await expect(page.locator(".mine .reactions")).to_have_text("❤")


async def test_a_like_is_put_under_an_answer_and_taken_back(page: Page, caller: Caller) -> None:
    await caller.say("Hi", user_id=ALEX)
    await caller.result("sendMessage", chat_id=ALEX, text="Hello")
    like = page.get_by_role("button", name="React with 👍")
    await like.click()
    await expect(page.locator(".theirs .reactions")).to_have_text("👍")
    await like.click()
    await expect(page.locator(".theirs .reactions")).to_have_count(0)


async def test_typing_is_shown_until_the_answer_comes(page: Page, caller: Caller) -> None:
    await write(page, "Hi")
    await heard(caller)
    await expect(page.locator("#chat-status")).to_have_text("bot")
    await caller.result("sendChatAction", chat_id=ALEX, action="typing")
    await expect(page.locator("#chat-status")).to_contain_text("typing")
    await expect(page.locator("#chats .preview").first).to_contain_text("typing")
    await caller.result("sendMessage", chat_id=ALEX, text="Hello")
    await expect(page.locator("#chat-status")).to_have_text("bot")


async def test_a_draft_grows_and_gives_way_to_the_message(page: Page, caller: Caller) -> None:
    await write(page, "Tell me")
    await heard(caller)
    drafts = {"": "Thinking…", "The saxo": "The saxo", "The <b>saxophone</b> is": "The saxophone is"}
    for text, shown in drafts.items():
        await caller.result("sendMessageDraft", chat_id=ALEX, draft_id=3, text=text, parse_mode="HTML")
        await expect(page.locator(".draft .words")).to_have_text(shown)
    await expect(page.locator(".draft strong")).to_have_text("saxophone")
    await expect(page.locator("#chat-status")).to_contain_text("typing")
    await caller.result("sendMessage", chat_id=ALEX, text="The saxophone is mine.")
    await expect(page.locator(".draft")).to_have_count(0)
    await expect(page.locator(".theirs .text")).to_have_text("The saxophone is mine.")


async def test_commands_are_offered_filtered_and_sent(page: Page, caller: Caller) -> None:
    menu = page.get_by_role("button", name="Commands")
    await expect(menu).to_be_hidden()
    await caller.result("setMyCommands", commands=COMMANDS)
    await menu.click()
    options = page.get_by_role("option")
    await expect(options).to_have_count(3)
    await page.keyboard.type("/r")
    await expect(options).to_have_text("/resetForget our talk")
    await page.keyboard.press("Tab")
    await expect(page.get_by_label("Message", exact=True)).to_have_value("/reset ")
    await expect(options).to_have_count(0)
    await page.get_by_label("Message", exact=True).fill("/")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    assert (await heard(caller))["message"]["text"] == "/ask"
    await menu.click()
    await page.keyboard.press("Escape")
    await expect(options).to_have_count(0)
    await menu.click()
    await options.first.click()
    assert (await heard(caller))["message"]["text"] == "/start"


async def test_a_pressed_button_gets_its_notice_or_alert(page: Page, caller: Caller) -> None:
    await caller.say("Hi", user_id=ALEX)
    markup = {
        "inline_keyboard": [
            [{"text": "Like", "callback_data": "+"}, {"text": "Dislike", "callback_data": "-"}],
            [{"text": "More", "url": "https://example.org/"}],
        ]
    }
    sent = await caller.result("sendMessage", chat_id=ALEX, text="Good?", reply_markup=markup)
    await page.get_by_role("button", name="Like", exact=True).click()
    query = (await heard(caller))["callback_query"]
    assert query["data"] == "+"
    await expect(page.locator(".keyboard .waiting")).to_have_count(1)
    await caller.result("answerCallbackQuery", callback_query_id=query["id"], text="Thank you")
    await expect(page.locator("#toast")).to_have_text("Thank you")
    await expect(page.locator(".keyboard .waiting")).to_have_count(0)
    await page.get_by_role("button", name="Dislike").click()
    query = (await heard(caller))["callback_query"]
    await caller.result("answerCallbackQuery", callback_query_id=query["id"], text="Oh no", show_alert=True)
    await expect(page.get_by_role("dialog")).to_contain_text("Oh no")
    await page.get_by_role("button", name="OK").click()
    await expect(page.get_by_role("link", name="More")).to_have_attribute("href", "https://example.org/")
    await caller.result("editMessageText", chat_id=ALEX, message_id=sent["message_id"], text="Noted.")
    await expect(page.locator(".theirs .bubble")).to_contain_text("edited")
    await expect(page.locator(".keyboard")).to_have_count(0)
    await caller.result("deleteMessage", chat_id=ALEX, message_id=sent["message_id"])
    await expect(page.locator(".theirs")).to_have_count(0)


async def test_photos_and_files_are_shown(page: Page, caller: Caller, picture: bytes) -> None:
    await caller.say("Hi", user_id=ALEX)
    for method, name, filename, data in (
        ("sendPhoto", "photo", "a.png", picture),
        ("sendDocument", "document", "essay.txt", b"words"),
    ):
        form = aiohttp.FormData({"chat_id": str(ALEX), "caption": f"My {name}"})
        form.add_field(name, data, filename=filename)
        async with caller.session.post(f"{caller.server.base_url}1:offline/{method}", data=form) as answer:
            assert answer.status == 200
    image = page.locator(".photo img")
    await expect(image).to_have_attribute("alt", "My photo")
    await expect(image).to_have_js_property("naturalWidth", 160)
    await image.click()
    await expect(page.get_by_role("dialog").locator("img")).to_be_visible()
    await page.keyboard.press("Escape")
    async with page.expect_download() as download:
        await page.locator(".file").click()
    assert (await download.value).suggested_filename == "essay.txt"


async def test_a_reply_quotes_what_it_answers(page: Page, caller: Caller) -> None:
    await caller.say("Hi", user_id=ALEX)
    asked = await caller.result("sendMessage", chat_id=ALEX, text="Do you like jazz?")
    await page.locator(".theirs").hover()
    await page.locator(".theirs").get_by_role("button", name="Reply").click()
    await expect(page.locator("#replying")).to_contain_text("Do you like jazz?")
    await write(page, "Yes")
    await expect(page.locator(".mine .quote").last).to_contain_text("Lisa Simpson")
    assert (await heard(caller))["message"]["reply_to_message"]["message_id"] == asked["message_id"]
    await expect(page.locator("#replying")).to_be_hidden()


async def test_two_people_talk_in_a_group(opened: Opener, caller: Caller) -> None:
    await caller.result("getUpdates")
    alex, masha = await opened(f"#{ALEX}/{GROUP}"), await opened(f"#{MASHA}/{GROUP}")
    await write(alex, "Hello, band!")
    await expect(masha.locator(".theirs .sender")).to_have_text("Alex")
    await write(masha, "Привет!")
    await expect(alex.locator(".theirs .text")).to_have_text("Привет!")
    await expect(alex.locator(".mine .text")).to_have_text("Hello, band!")
    await caller.result("sendChatAction", chat_id=GROUP, action="typing")
    await expect(alex.locator("#chat-status")).to_contain_text("Lisa Simpson is typing")
    await caller.result("sendMessage", chat_id=GROUP, text="I brought my saxophone.")
    await expect(alex.locator(".theirs .sender").last).to_have_text("Lisa Simpson")
    await expect(alex.locator("#chat-status")).to_have_text("4 members")


async def test_what_another_person_has_not_seen_is_counted(page: Page, caller: Caller) -> None:
    await caller.say("Hi", user_id=MASHA)
    await caller.result("sendMessage", chat_id=MASHA, text="Привет!")
    other = page.get_by_role("link", name="Write as Маша, 1 unread")
    await other.click()
    await expect(page.locator(".theirs .text")).to_have_text("Привет!")
    await expect(page.get_by_role("link", name="Write as Маша", exact=True)).to_be_visible()


async def test_people_and_groups_are_added_on_the_page(page: Page, caller: Caller) -> None:
    await page.get_by_role("button", name="Add a person").click()
    await page.get_by_label("First name").fill("Ned")
    await page.get_by_role("button", name="Add", exact=True).click()
    await expect(page.get_by_role("link", name="Write as Ned")).to_have_attribute("aria-current", "true")
    await write(page, "Hi-diddly-ho")
    assert (await heard(caller))["message"]["from"]["first_name"] == "Ned"
    await page.get_by_role("button", name="New group").click()
    await page.get_by_label("Name", exact=True).fill("Neighbours")
    await page.get_by_role("checkbox", name="Sam").uncheck()
    await page.get_by_role("button", name="Create").click()
    await expect(page.locator("#chat-title")).to_have_text("Neighbours")
    await expect(page.locator("#chat-status")).to_have_text("4 members")
    await page.get_by_role("button", name="Add a person").click()
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_the_page_follows_new_messages_but_not_against_the_reader(page: Page, caller: Caller) -> None:
    await caller.say("Hi", user_id=ALEX)
    for number in range(40):
        await caller.result("sendMessage", chat_id=ALEX, text=f"Line {number}")
    last = page.locator(".theirs").last
    await expect(last).to_contain_text("Line 39")
    await expect(last).to_be_in_viewport()
    await page.locator("#scroller").hover()
    await page.mouse.wheel(0, -1500)
    to_end = page.get_by_role("button", name="Go to the last message")
    await expect(to_end).to_be_visible()
    await caller.result("sendMessage", chat_id=ALEX, text="News")
    await expect(to_end.locator(".badge")).to_have_text("1")
    await expect(page.locator(".theirs").last).not_to_be_in_viewport()
    await to_end.click()
    await expect(page.locator(".theirs").last).to_be_in_viewport()
    await expect(to_end).to_be_hidden()


async def test_the_page_comes_back_by_itself_after_an_outage(
    opened: Opener, server: OfflineTelegram, caller: Caller
) -> None:
    page = await opened(complaints_matter=False)
    await server.stop()
    await expect(page.locator("#connection")).to_have_text("Connecting…")
    await page.get_by_label("Message", exact=True).fill("Is anybody there?")
    await page.keyboard.press("Enter")
    await expect(page.locator("#toast")).to_be_visible()
    await expect(page.get_by_label("Message", exact=True)).to_have_value("Is anybody there?")
    await server.start()
    await caller.say("Said meanwhile", user_id=ALEX)
    await expect(page.locator("#connection")).to_have_text("Chats")
    await expect(page.locator(".mine .text")).to_have_text("Said meanwhile")
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator(".mine .text").last).to_have_text("Is anybody there?")


async def test_a_phone_shows_the_list_or_one_chat(opened: Opener, caller: Caller) -> None:
    await caller.say("Hi", user_id=ALEX)
    await caller.result("sendMessage", chat_id=ALEX, text="A long word: " + "saxophone" * 30)
    page = await opened(width=390, height=844, has_touch=True, is_mobile=True)
    await expect(page.get_by_label("Message", exact=True)).to_be_hidden()
    await page.get_by_role("link", name="Lisa Simpson").tap()
    await expect(page.locator("#chats")).to_be_hidden()
    await write(page, "From my phone")
    await expect(page.locator(".mine .text").last).to_have_text("From my phone")
    assert await page.evaluate("document.documentElement.scrollWidth") == 390
    await page.get_by_role("button", name="Back to the chats").tap()
    await expect(page.locator("#chats")).to_be_visible()
    await page.go_back()
    await expect(page.locator("#chat-title")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_follows_the_systems_colours(opened: Opener, scheme: str) -> None:
    page = await opened(color_scheme=scheme)
    background = await page.evaluate("getComputedStyle(document.querySelector('.bar')).backgroundColor")
    assert (background == "rgb(255, 255, 255)") == (scheme == "light")


async def test_everything_can_be_reached_by_keyboard_and_has_a_name(page: Page, caller: Caller) -> None:
    await caller.result("setMyCommands", commands=COMMANDS)
    await expect(page.get_by_role("button", name="Commands")).to_be_visible()
    await expect(page.get_by_label("Message", exact=True)).to_be_focused()
    nameless = await page.evaluate(
        "[...document.querySelectorAll('button, a, input, textarea, select')].filter(node => node.checkVisibility()"
        " && !(node.ariaLabel || node.textContent.trim() || node.labels?.length)).map(node => node.outerHTML)"
    )
    assert nameless == []
    reached = set()
    for _ in range(14):
        await page.keyboard.press("Tab")
        reached.add(await page.evaluate("document.activeElement.ariaLabel ?? document.activeElement.textContent"))
    assert {"Send", "Write as Маша", "Add a person", "New group", "Commands", "Messages"} <= reached


async def test_own_words_can_be_edited_and_nobody_elses(page: Page, caller: Caller) -> None:
    await write(page, "Hi Lsa!")
    await caller.result("sendMessage", chat_id=ALEX, text="Hello!")
    await expect(page.locator(".theirs").get_by_role("button", name="Edit")).to_have_count(0)
    await page.locator(".mine").get_by_role("button", name="Edit").click()
    await expect(page.locator("#replying")).to_contain_text("Editing")
    await expect(page.get_by_label("Message", exact=True)).to_have_value("Hi Lsa!")
    await write(page, "Hi Lisa!")
    assert (await heard(caller))["edited_message"]["text"] == "Hi Lisa!"
    await expect(page.locator(".mine .text")).to_have_text(["Hi Lisa!"])
    await expect(page.locator(".mine .meta")).to_contain_text("edited")
    await expect(page.locator("#replying")).to_be_hidden()


async def test_whoever_does_not_want_to_edit_any_more_writes_something_new(page: Page, caller: Caller) -> None:
    await write(page, "Hi!")
    await page.locator(".mine").get_by_role("button", name="Edit").click()
    await page.keyboard.press("Escape")
    await expect(page.get_by_label("Message", exact=True)).to_have_value("")
    await write(page, "How are you?")
    assert (await heard(caller))["message"]["text"] == "How are you?"
    await expect(page.locator(".mine .text")).to_have_text(["Hi!", "How are you?"])


OFFER = {
    "type": "article",
    "id": "1",
    "title": "Lisa",
    "description": "The saxophone!",
    "input_message_content": {"message_text": "Lisa: The saxophone!"},
}


async def test_who_types_the_bots_name_and_a_question_is_offered_an_answer_and_a_click_sends_it(
    opened: Opener, caller: Caller
) -> None:
    page = await opened(f"#{ALEX}/{GROUP}")
    line, offers = page.get_by_label("Message", exact=True), page.get_by_label("Answers to send")
    await line.fill("@understudy_bot What do you play?")
    query = (await heard(caller))["inline_query"]
    assert (query["query"], query["from"]["id"]) == ("What do you play?", ALEX)
    await caller.result("answerInlineQuery", inline_query_id=query["id"], results=[OFFER])
    await offers.get_by_role("button", name="The saxophone!").click()
    message = page.locator(".message.mine")
    await expect(message).to_contain_text("via @understudy_bot")
    await expect(message).to_contain_text("Lisa: The saxophone!")
    await expect(line).to_have_value("")
    await expect(offers).to_be_hidden()


async def test_of_what_is_typed_on_only_the_newest_question_is_offered_an_answer(
    opened: Opener, caller: Caller
) -> None:
    page = await opened(f"#{ALEX}/{GROUP}")
    line, offers = page.get_by_label("Message", exact=True), page.get_by_label("Answers to send")
    await line.fill("@understudy_bot Who")
    first = (await heard(caller))["inline_query"]
    await line.fill("@understudy_bot Who are you?")
    await caller.result("answerInlineQuery", inline_query_id=first["id"], results=[OFFER])
    second = (await heard(caller))["inline_query"]["id"]
    hint = {"text": "Ask me", "start_parameter": "inline"}
    await caller.result("answerInlineQuery", inline_query_id=second, results=[], button=hint)
    await expect(offers.get_by_role("button")).to_have_text(["Ask me"])
    await line.fill("Never mind")
    await expect(offers).to_be_hidden()


async def test_a_group_that_becomes_a_supergroup_goes_on_before_ones_eyes(opened: Opener, caller: Caller) -> None:
    page = await opened(f"#{ALEX}/{GROUP}")
    await expect(page.locator("#chat-title")).to_have_text("Band practice")
    moved = (await caller.people("POST", "migrate", chat_id=GROUP))["chat_id"]
    await expect(page).to_have_url(re.compile(f"#{ALEX}/{moved}$"))
    await expect(page.locator(".message")).to_contain_text("This group is a supergroup now.")
    await expect(page.locator("#chats li")).to_have_count(2)
    await caller.result("sendMessage", chat_id=moved, text="Still here")
    await expect(page.locator(".message").last).to_contain_text("Still here")
