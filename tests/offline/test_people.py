"""The people's side: what the page and tests do as persons, and who is let in."""

import asyncio
import json
from typing import Any

import pytest

from bot.offline import OfflineTelegram
from tests.offline.caller import Caller


async def test_a_person_is_made_by_writing(caller: Caller) -> None:
    sent = await caller.say("Привет", user_id=77, first_name="Аня", username="anya", language_code="ru")
    update = (await caller.result("getUpdates"))[0]
    assert update["update_id"] == sent["update_id"]
    message = update["message"]
    assert message["message_id"] == sent["message_id"]
    assert message["from"] == {
        "id": 77,
        "is_bot": False,
        "first_name": "Аня",
        "language_code": "ru",
        "username": "anya",
    }
    assert message["chat"] == {"id": 77, "type": "private", "first_name": "Аня", "username": "anya"}


async def test_a_negative_chat_is_a_group_that_its_writers_join(caller: Caller) -> None:
    await caller.say("Hi", user_id=5, chat_id=-7)
    await caller.say("Hello", user_id=6, chat_id=-7, first_name="Bo")
    messages = await caller.messages(chat_id=-7)
    assert [(message["user_id"], message["text"]) for message in messages] == [(5, "Hi"), (6, "Hello")]
    groups = [chat for chat in (await caller.people("GET", "state"))["chats"] if chat["id"] == -7]
    assert groups[0]["members"] == [5, 6]


async def test_a_large_group_number_is_a_supergroup(caller: Caller) -> None:
    await caller.say("Hi", chat_id=-1_000_000_000_007)
    assert (await caller.result("getUpdates"))[0]["message"]["chat"]["type"] == "supergroup"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"user_id": 0, "text": "Hi"}, "user_id is missing"),
        ({"user_id": 5, "text": "  "}, "text is empty"),
        ({"user_id": 5, "chat_id": 6, "text": "Hi"}, "own id"),
        ({"user_id": 5, "text": "a" * 4097}, "longer than 4096"),
        ({"user_id": "five", "text": "Hi"}, "an integer is expected"),
    ],
)
async def test_what_people_cannot_do_is_refused(caller: Caller, arguments: dict[str, Any], problem: str) -> None:
    assert problem in (await caller.people("POST", "send", **arguments))["error"]


async def test_a_person_replies_to_a_message(caller: Caller) -> None:
    await caller.say("Hi")
    answer = await caller.result("sendMessage", chat_id=1, text="Hello")
    await caller.say("Why?", reply_to=answer["message_id"])
    heard = (await caller.result("getUpdates", offset=-1))[0]["message"]
    assert heard["reply_to_message"]["text"] == "Hello"
    assert heard["reply_to_message"]["from"]["is_bot"]


async def test_waiting_ends_with_the_next_message(caller: Caller) -> None:
    sent = await caller.say("Hi")
    waiting = asyncio.create_task(caller.messages(after=sent["message_id"], wait=30))
    await asyncio.sleep(0)
    await caller.result("sendMessage", chat_id=1, text="Hello")
    assert [message["text"] for message in await asyncio.wait_for(waiting, 10)] == ["Hello"]


async def test_waiting_in_vain_ends_with_nothing(caller: Caller) -> None:
    sent = await caller.say("Hi")
    assert await caller.messages(after=sent["message_id"], wait=0.05) == []
    assert await caller.messages(chat_id=99, wait=0.05) == []


async def test_waiting_since_a_version_notices_edits_too(caller: Caller) -> None:
    await caller.say("Hi")
    answer = await caller.result("sendMessage", chat_id=1, text="Hello")
    version = (await caller.people("GET", "messages", chat_id=1))["version"]
    waiting = asyncio.create_task(caller.people("GET", "messages", chat_id=1, since=version, wait=30))
    await asyncio.sleep(0)
    await caller.result("editMessageText", chat_id=1, message_id=answer["message_id"], text="Hello you")
    shown = await asyncio.wait_for(waiting, 10)
    assert shown["version"] > version
    assert shown["messages"][-1]["text"] == "Hello you"


async def test_a_message_counts_as_read_once_the_bot_has_confirmed_it(caller: Caller) -> None:
    sent = await caller.say("Hi")
    await caller.result("getUpdates")
    assert (await caller.people("GET", "messages", chat_id=1))["read_up_to"] == 0
    await caller.result("getUpdates", offset=sent["update_id"] + 1)
    assert (await caller.people("GET", "messages", chat_id=1))["read_up_to"] == sent["message_id"]


async def test_everything_that_happens_is_told_to_the_page(caller: Caller) -> None:
    async with caller.session.get(f"{caller.server.url}/people/events") as stream:
        assert stream.content_type == "text/event-stream"
        await stream.content.readuntil(b"\n\n")
        await caller.say("Hi", user_id=1001)
        event = json.loads((await stream.content.readuntil(b"\n\n")).removeprefix(b"data: "))
    assert (event["type"], event["chat_id"], event["message"]["text"]) == ("message", 1001, "Hi")
    assert event["message"]["from_bot"] is False


async def test_people_and_groups_are_added(caller: Caller) -> None:
    person = await caller.people("POST", "add", first_name="Ned", language_code="de")
    group = await caller.people("POST", "add", title="Neighbours", members=[1001, person["user_id"]])
    state = await caller.people("GET", "state")
    assert {"id": person["user_id"], "is_bot": False, "first_name": "Ned", "language_code": "de"} in state["users"]
    added = [chat for chat in state["chats"] if chat["id"] == group["chat_id"]]
    assert (added[0]["title"], added[0]["members"]) == ("Neighbours", [1001, person["user_id"]])
    assert "first_name" in (await caller.people("POST", "add", first_name=" "))["error"]


@pytest.mark.parametrize("member", [9999, "1001", None, [1001], True])
async def test_a_group_of_people_who_are_not_there_is_refused(caller: Caller, member: Any) -> None:
    answer = await caller.people("POST", "add", title="x", members=[1001, member])
    assert answer == {"error": f"Bad Request: {member!r} is not the user_id of anybody here"}
    assert "x" not in [chat.get("title") for chat in (await caller.people("GET", "state"))["chats"]]


@pytest.mark.parametrize(
    ("verb", "what", "arguments"),
    [
        ("GET", "messages", {"chat_id": 1, "wait": "abc"}),
        ("GET", "messages", {"chat_id": 1, "wait": "nan"}),
        ("GET", "messages", {"chat_id": "one"}),
        ("POST", "faults", {"kind": "slow", "seconds": "long"}),
        ("POST", "faults", {"kind": "429", "count": float("inf")}),
    ],
)
async def test_what_cannot_be_read_is_refused_in_one_line(
    caller: Caller, verb: str, what: str, arguments: dict[str, Any]
) -> None:
    where: dict[str, Any] = {"params": arguments} if verb == "GET" else {"json": arguments}
    async with caller.session.request(verb, f"{caller.server.url}/people/{what}", **where) as answer:
        assert answer.status == 400
        assert "\n" not in (await answer.json())["error"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://[broken"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
    ],
)
@pytest.mark.parametrize("path", ["/", "/people/state", "/bot1:offline/getMe"])
async def test_foreign_pages_are_kept_out(caller: Caller, headers: dict[str, str], path: str) -> None:
    async with caller.session.get(f"{caller.server.url}{path}", headers=headers) as answer:
        assert answer.status == 403


LINK = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@pytest.mark.parametrize(("path", "status"), [("/", 200), ("/people/state", 403), ("/bot1:offline/getMe", 403)])
async def test_a_foreign_link_leads_to_the_page_and_nowhere_else(caller: Caller, path: str, status: int) -> None:
    async with caller.session.get(f"{caller.server.url}{path}", headers=LINK) as answer:
        assert answer.status == status


@pytest.mark.parametrize("site", ["same-origin", "none"])
async def test_a_browser_is_let_in_for_the_page_and_for_what_a_person_types(caller: Caller, site: str) -> None:
    async with caller.session.get(f"{caller.server.url}/people/state", headers={"Sec-Fetch-Site": site}) as answer:
        assert answer.status == 200


async def test_the_page_itself_is_let_in_by_either_local_name(caller: Caller) -> None:
    port = caller.server.url.rpartition(":")[2]
    for name in ("127.0.0.1", "localhost"):
        headers = {"Host": f"{name}:{port}", "Origin": f"http://{name}:{port}"}
        async with caller.session.get(f"{caller.server.url}/people/state", headers=headers) as answer:
            assert answer.status == 200


async def test_a_taken_port_is_an_error_and_leaves_nothing_open(server: OfflineTelegram) -> None:
    second = OfflineTelegram(port=int(server.url.rpartition(":")[2]))
    with pytest.raises(OSError, match="address already in use"):
        await second.start()
    await second.stop()


async def test_page_and_parts_are_served_with_strict_headers(caller: Caller) -> None:
    for path in ("/", "/page/app.js", "/page/style.css"):
        async with caller.session.get(f"{caller.server.url}{path}") as answer:
            assert answer.status == 200
            assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")


async def test_a_person_edits_what_was_written(caller: Caller) -> None:
    sent = await caller.say("/start please", user_id=5)
    edited = await caller.people("POST", "edit", user_id=5, message_id=sent["message_id"], text="Hello")
    update = (await caller.result("getUpdates", offset=-1))[0]
    assert update["update_id"] == edited["update_id"]
    assert update["edited_message"]["text"] == "Hello"
    assert update["edited_message"]["message_id"] == sent["message_id"]
    assert update["edited_message"]["edit_date"] >= update["edited_message"]["date"]
    assert "entities" not in update["edited_message"]
    assert [message["text"] for message in await caller.messages(5)] == ["Hello"]


async def test_nobody_edits_the_words_of_somebody_else(caller: Caller) -> None:
    theirs = await caller.say("Hi", user_id=6, chat_id=-7)
    await caller.say("Hi", user_id=5, chat_id=-7)
    answer = await caller.result("sendMessage", chat_id=-7, text="Hello")
    for number in (theirs["message_id"], answer["message_id"], 1):
        refused = await caller.people("POST", "edit", user_id=5, chat_id=-7, message_id=number, text="Bye")
        assert "one's own words" in refused["error"]


async def test_a_reaction_reaches_a_bot_that_asks_for_it_and_the_same_one_again_ends_it(caller: Caller) -> None:
    await caller.result("getUpdates", allowed_updates=["message", "message_reaction"])
    sent = await caller.say("Hi", user_id=5)
    for emoji in ("👍", "🔥", "🔥"):
        await caller.people("POST", "react", user_id=5, chat_id=5, message_id=sent["message_id"], emoji=emoji)
    changes = [update["message_reaction"] for update in (await caller.result("getUpdates"))[1:]]
    signs = [
        [[one["emoji"] for one in change[side]] for side in ("old_reaction", "new_reaction")] for change in changes
    ]
    assert signs == [[[], ["👍"]], [["👍"], ["🔥"]], [["🔥"], []]]
    assert {(change["user"]["id"], change["message_id"]) for change in changes} == {(5, sent["message_id"])}
    assert (await caller.messages(5))[0]["reactions"] == []
    refused = await caller.people("POST", "react", user_id=5, chat_id=5, message_id=1, emoji="👍")
    assert "no such message" in refused["error"]


async def test_of_reactions_in_a_group_only_an_admin_is_told(caller: Caller) -> None:
    await caller.result("getUpdates", allowed_updates=["message_reaction"])
    sent = await caller.say("Hi", user_id=5, chat_id=-7)
    reaction = {"user_id": 5, "chat_id": -7, "message_id": sent["message_id"], "emoji": "👍"}
    assert (await caller.people("POST", "react", **reaction))["update_id"] is None
    assert (await caller.messages(-7))[0]["reactions"] == ["👍"]
    await caller.people("POST", "add", chat_id=-7, title="The choir", bot_is_admin=True)
    await caller.people("POST", "react", **reaction)
    assert [update["message_reaction"]["chat"]["id"] for update in await caller.result("getUpdates")] == [-7]
    bot = await caller.result("getMe")
    assert (await caller.result("getChatMember", chat_id=-7, user_id=bot["id"]))["status"] == "administrator"
