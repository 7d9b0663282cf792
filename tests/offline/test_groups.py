"""Groups of the offline Telegram: what privacy mode keeps from the bot, and how they become supergroups."""

import pytest

from tests.offline.caller import Caller

GROUP = -7


async def heard(caller: Caller) -> list[str]:
    """The texts that have reached the bot."""
    updates = await caller.result("getUpdates")
    return [next(part for part in update.values() if isinstance(part, dict))["text"] for update in updates]


async def test_in_privacy_mode_the_bot_hears_only_what_is_meant_for_it(caller: Caller) -> None:
    await caller.people("POST", "botfather", privacy=True)
    assert (await caller.result("getMe"))["can_read_all_group_messages"] is False
    mine = await caller.result(
        "sendMessage", chat_id=(await caller.people("POST", "add", title="G"))["chat_id"], text="?"
    )
    meant = ["/start", "/start@understudy_bot", "Hi @Understudy_bot!"]
    for text in (*meant, "Hi", "/start@other_bot", "@other_bot hi"):
        await caller.say(text, chat_id=mine["chat"]["id"])
    await caller.say("Why?", chat_id=mine["chat"]["id"], reply_to=mine["message_id"])
    await caller.say("In private")
    assert await heard(caller) == [*meant, "Why?", "In private"]


async def test_an_admin_hears_all_in_spite_of_privacy_mode(caller: Caller) -> None:
    await caller.people("POST", "botfather", privacy=True)
    await caller.people("POST", "add", chat_id=GROUP, title="G", bot_is_admin=True)
    await caller.say("Hi", chat_id=GROUP)
    assert await heard(caller) == ["Hi"]


async def test_what_the_bot_has_not_heard_it_does_not_hear_changed(caller: Caller) -> None:
    await caller.people("POST", "botfather", privacy=True)
    said = await caller.say("Hi", chat_id=GROUP)
    assert said["update_id"] is None
    edited = await caller.people(
        "POST", "edit", user_id=1, chat_id=GROUP, message_id=said["message_id"], text="Hi @understudy_bot"
    )
    assert edited["update_id"] is not None
    assert await heard(caller) == ["Hi @understudy_bot"]


async def test_a_group_that_becomes_a_supergroup_tells_so_in_both_and_takes_nothing_more(caller: Caller) -> None:
    await caller.say("Hi", user_id=5, chat_id=GROUP)
    moved = (await caller.people("POST", "migrate", chat_id=GROUP))["chat_id"]
    updates = [update["message"] for update in await caller.result("getUpdates")]
    assert (updates[1]["chat"]["id"], updates[1]["migrate_to_chat_id"]) == (GROUP, moved)
    assert (updates[2]["chat"]["id"], updates[2]["migrate_from_chat_id"]) == (moved, GROUP)
    assert updates[2]["chat"]["type"] == "supergroup"
    refused = await caller.bot("sendMessage", chat_id=GROUP, text="Hello")
    assert (refused["error_code"], refused["parameters"]) == (400, {"migrate_to_chat_id": moved})
    assert "upgraded to a supergroup" in refused["description"]
    await caller.result("sendMessage", chat_id=moved, text="Hello")
    assert f"goes on as {moved}" in (await caller.say("Hi", user_id=5, chat_id=GROUP))["error"]
    assert (await caller.result("getChatMember", chat_id=moved, user_id=5))["status"] == "creator"


@pytest.mark.parametrize("chat_id", [1, -9, -1_000_000_000_009])
async def test_only_a_group_becomes_a_supergroup(caller: Caller, chat_id: int) -> None:
    await caller.say("Hi")
    await caller.say("Hi", chat_id=-1_000_000_000_009)
    assert "only a group" in (await caller.people("POST", "migrate", chat_id=chat_id))["error"]


async def test_a_group_becomes_a_supergroup_once(caller: Caller) -> None:
    await caller.say("Hi", chat_id=GROUP)
    await caller.people("POST", "migrate", chat_id=GROUP)
    assert "only a group" in (await caller.people("POST", "migrate", chat_id=GROUP))["error"]
