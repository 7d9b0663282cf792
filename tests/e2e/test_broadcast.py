"""/broadcast: previewed, confirmed, paced, resumed, stopped, reported."""

import json
from collections import Counter

import pytest

from tests.bot.actors import ScriptedActor
from tests.e2e.stage import Json, Stage

ADMIN, OTHER_ADMIN, GROUP = 99, 98, -500
ADMINS = "99,98"
TEXT = "Tomorrow I am away.\nSee you!"
OVER, BUSY = "That is over already.", "Another one is on its way. Please try again when it is done."
CHATS = "SELECT count(*) FROM chats"
LEFT = "SELECT (SELECT count(*) FROM broadcasts), (SELECT count(*) FROM recipients)"
DONE = "Done, everybody has it whom I can reach."


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.upkeep.broadcaster.SECONDS_APART", 0.0)
    monkeypatch.setattr("bot.upkeep.broadcaster.RETRY_SECONDS", 0.05)
    monkeypatch.setattr("bot.upkeep.broadcaster.PAUSES", (0.05,))


async def audience(stage: Stage, *people: int) -> None:
    """People who have talked with the bot, so that it knows them."""
    for person in people:
        await stage.say("Hello", user=person)
    for person in people:
        await stage.answers(1, person)
    await stage.rows_become(CHATS, [(len(people),)])
    await stage.rows_become("SELECT count(*) FROM inbox WHERE state != 'done'", [(0,)])


async def draft(stage: Stage, text: str = f"/broadcast {TEXT}", admin: int = ADMIN, **more: int) -> Json:
    """An admin sends the command; returns the bot's message."""
    before = len(await stage.messages(0, admin))
    await stage.say(text, user=admin, **more)
    return (await stage.messages(before + 1, admin))[-1]


def now_shown(stage: Stage, message: Json) -> Json:
    """A message as it is now."""
    found: Json = stage.server.world.chats[message["chat"]["id"]].messages[message["message_id"]]
    return found


async def page(stage: Stage, message: Json, words: str) -> str:
    """The text of a message as soon as these words are in it."""
    await stage.eventually(lambda: words in now_shown(stage, message)["text"])
    return str(now_shown(stage, message)["text"])


async def report(stage: Stage, message: Json) -> list[str]:
    """The lines of the report, when all is over."""
    text = await page(stage, message, "Reached: ")
    await stage.rows_become(LEFT, [(0, 0)])
    return text.split("\n")


def heard(stage: Stage, *people: int, text: str = TEXT) -> list[int]:
    """How often each has got the broadcast."""
    chats = stage.server.world.chats
    return [sum(message.get("text") == text for message in chats[person].messages.values()) for person in people]


async def test_it_is_shown_with_the_number_of_chats_sent_on_a_press_and_reported(stage: Stage) -> None:
    async with stage.bot(ScriptedActor(), admin_ids=ADMINS):
        await audience(stage, 1, 2, 3)
        message = await draft(stage)
        assert message["text"] == f"Shall I send this? Chats that get it: 3\n\n{TEXT}"
        assert heard(stage, 1, 2, 3) == [0, 0, 0]
        assert await stage.press(message, "Send", user=ADMIN) == ""
        lines = await report(stage, message)
        assert lines == [DONE, "Reached: 3", "Do not let me write: 0", "Failed: 0"]
        assert "reply_markup" not in now_shown(stage, message)
    assert heard(stage, 1, 2, 3, ADMIN) == [1, 1, 1, 0]


async def test_the_words_can_be_those_of_another_message_and_without_any_it_is_explained(stage: Stage) -> None:
    async with stage.bot(ScriptedActor("Hi", "Oh"), admin_ids=ADMINS):
        await audience(stage, 1)
        assert (await draft(stage, "/broadcast"))["text"].startswith("Put your words after the command, like this:")
        words = await stage.say(TEXT, user=ADMIN)
        await stage.messages(2, ADMIN)
        message = await draft(stage, "/broadcast", reply_to=words["message_id"])
        assert message["text"].endswith(TEXT)
        await stage.press(message, "Send", user=ADMIN)
        assert (await report(stage, message))[1] == "Reached: 2"
    assert heard(stage, 1) == [1]


async def test_a_long_one_is_cut_in_the_preview_and_sent_whole(stage: Stage) -> None:
    text = "word " * 816 + "end"
    async with stage.bot(ScriptedActor(), admin_ids=ADMINS):
        await audience(stage, 1)
        message = await draft(stage, f"/broadcast {text}")
        assert message["text"].endswith("word …")
        await stage.press(message, "Send", user=ADMIN)
        await report(stage, message)
    assert heard(stage, 1, text=text) == [1]


async def test_what_is_cancelled_goes_to_nobody_and_old_buttons_do_nothing(stage: Stage) -> None:
    async with stage.bot(ScriptedActor(), admin_ids=ADMINS):
        await audience(stage, 1)
        first = await draft(stage)
        second = await draft(stage)
        assert await stage.press(first, "Send", user=ADMIN) == OVER
        await stage.press(second, "Cancel", user=ADMIN)
        await page(stage, second, "All right, I send nothing.")
        assert await stage.press(first, "Cancel", user=ADMIN) == OVER
        assert stage.rows(LEFT) == [(0, 0)]
    assert heard(stage, 1) == [0]


async def test_only_the_admin_who_wrote_it_can_send_or_stop_it(stage: Stage) -> None:
    async with stage.bot(ScriptedActor(), admin_ids=ADMINS):
        await audience(stage, 1, 2)
        message = await draft(stage)
        world = stage.server.world
        for person, answer in ((2, ""), (OTHER_ADMIN, OVER)):
            data = message["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
            world.person(person)
            for crafted in (data, data.replace("send", "stop"), data.replace("send", "cancel")):
                query, _ = world.press(world.users[person], world.chats[ADMIN], message, crafted)
                assert await stage.toast(query, ADMIN) == answer
        assert stage.rows(LEFT) == [(1, 0)]
        await stage.press(message, "Send", user=ADMIN)
        await report(stage, message)
    assert heard(stage, 1, 2) == [1, 1]


async def test_without_anybody_to_write_to_it_says_so(stage: Stage) -> None:
    async with stage.bot(ScriptedActor(), admin_ids=ADMINS):
        assert (await draft(stage))["text"] == "There is nobody yet to whom I could send it."
        assert stage.rows(LEFT) == [(0, 0)]


async def test_who_blocks_the_bot_is_left_alone_until_they_write_again(stage: Stage) -> None:
    async with stage.bot(ScriptedActor(), admin_ids=ADMINS):
        await audience(stage, 1, 2, 3)
        await stage.fault("403", chat_id=1)
        await stage.fault("400", chat_id=2)
        message = await draft(stage)
        await stage.press(message, "Send", user=ADMIN)
        assert (await report(stage, message))[1:] == ["Reached: 1", "Do not let me write: 1", "Failed: 1"]
        second = await draft(stage)
        assert "Chats that get it: 2" in second["text"]
        await stage.say("/start", user=1)
        await stage.answers(2, chat=1)
        third = await draft(stage)
        assert "Chats that get it: 3" in third["text"]
        await stage.press(third, "Send", user=ADMIN)
        assert (await report(stage, third))[1] == "Reached: 3"
    assert heard(stage, 1, 2, 3) == [1, 1, 2]


async def test_the_banned_and_the_forgotten_get_none(stage: Stage) -> None:
    async with stage.bot(ScriptedActor(), admin_ids=ADMINS):
        await audience(stage, 1, 2, 3)
        await stage.say("/ban 1", user=ADMIN)
        await stage.messages(1, ADMIN)
        await stage.say("/forget", user=2)
        question = (await stage.messages(2, chat=2))[-1]
        await stage.press(question, "Yes", user=2)
        await page(stage, question, "Done. I have deleted it all.")
        message = await draft(stage)
        assert "Chats that get it: 1" in message["text"]
        await stage.press(message, "Send", user=ADMIN)
        await report(stage, message)
    assert heard(stage, 1, 2, 3) == [0, 0, 1]


@pytest.mark.parametrize("kind", ["429", "500"])
async def test_what_telegram_does_not_take_at_once_is_sent_a_little_later(stage: Stage, kind: str) -> None:
    async with stage.bot(ScriptedActor(), admin_ids=ADMINS):
        await audience(stage, 1, 2)
        await stage.fault(kind, chat_id=1, retry_after=1)
        message = await draft(stage)
        await stage.press(message, "Send", user=ADMIN)
        assert (await report(stage, message))[1:] == ["Reached: 2", "Do not let me write: 0", "Failed: 0"]
    assert heard(stage, 1, 2) == [1, 1]


async def test_what_goes_on_failing_in_one_chat_is_given_up_there(stage: Stage) -> None:
    async with stage.bot(ScriptedActor(), admin_ids=ADMINS):
        await audience(stage, 1, 2)
        await stage.fault("500", chat_id=1, count=2)
        message = await draft(stage)
        await stage.press(message, "Send", user=ADMIN)
        assert (await report(stage, message))[1:] == ["Reached: 1", "Do not let me write: 0", "Failed: 1"]
    assert heard(stage, 1, 2) == [0, 1]


async def test_what_was_perhaps_sent_is_not_sent_again(stage: Stage) -> None:
    async with stage.bot(ScriptedActor(), admin_ids=ADMINS):
        await audience(stage, 1, 2)
        await stage.fault("drop_after", chat_id=1)
        message = await draft(stage)
        await stage.press(message, "Send", user=ADMIN)
        lines = await report(stage, message)
    assert lines[1:] == [
        "Reached: 1",
        "Do not let me write: 0",
        "Failed: 0",
        "Perhaps reached, the connection broke: 1",
    ]
    assert heard(stage, 1, 2) == [1, 1]


async def test_it_can_be_stopped_even_while_telegram_asks_for_patience_and_answers_go_on_meanwhile(
    stage: Stage,
) -> None:
    async with stage.bot(ScriptedActor(), admin_ids=ADMINS):
        await audience(stage, 1, 2, 3)
        await stage.fault("429", chat_id=2, retry_after=3600)
        message = await draft(stage)
        await stage.press(message, "Send", user=ADMIN)
        await stage.eventually(lambda: heard(stage, 1) == [1])
        await stage.faults_are_over()
        await stage.say("Are you there?", user=3)
        assert await stage.answers(2, chat=3) == ["You said: Hello", "You said: Are you there?"]
        second = await draft(stage, admin=OTHER_ADMIN)
        assert await stage.press(second, "Send", user=OTHER_ADMIN) == BUSY
        await stage.press(now_shown(stage, message), "Stop", user=ADMIN)
        text = await page(stage, message, "Reached: ")
        assert text == "Stopped.\nReached: 1\nDo not let me write: 0\nFailed: 0\nLeft out: 2"
        await stage.rows_become(LEFT, [(1, 0)])
        await stage.press(second, "Send", user=OTHER_ADMIN)
        assert "Reached: 3" in await report(stage, second)
    assert heard(stage, 1, 2, 3) == [2, 1, 1]


async def test_how_far_it_has_come_is_shown_meanwhile(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.upkeep.broadcaster.PROGRESS_SECONDS", 0.0)
    async with stage.bot(ScriptedActor(), admin_ids=ADMINS):
        await audience(stage, 1, 2, 3)
        await stage.fault("429", chat_id=3, retry_after=3600)
        message = await draft(stage)
        await stage.press(message, "Send", user=ADMIN)
        await page(stage, message, "I am sending it: 2 of 3 chats so far.")
        await stage.faults_are_over()
        await stage.press(now_shown(stage, message), "Stop", user=ADMIN)
        await report(stage, message)


async def test_after_a_stop_in_good_order_it_goes_on_where_it_was(stage: Stage) -> None:
    async with stage.bot(ScriptedActor(), admin_ids=ADMINS):
        await audience(stage, 1, 2, 3)
        await stage.fault("429", chat_id=2, retry_after=3600)
        message = await draft(stage)
        await stage.press(message, "Send", user=ADMIN)
        await stage.rows_become("SELECT chat_id FROM recipients WHERE state = 'reached'", [(1,)])
        await stage.faults_are_over()
    assert stage.rows(LEFT) == [(1, 3)]
    async with stage.bot(ScriptedActor(), admin_ids=ADMINS):
        assert "Reached: 3" in await report(stage, message)
    assert heard(stage, 1, 2, 3) == [1, 1, 1]


async def test_a_process_that_is_killed_sends_nobody_twice_but_at_most_the_one_in_flight(stage: Stage) -> None:
    people = range(1, 26)
    async with stage.process(ADMIN_IDS=ADMINS) as bot:
        await audience(stage, *people)
        message = await draft(stage)
        await stage.press(message, "Send", user=ADMIN)
        await stage.eventually(lambda: sum(heard(stage, *people)) >= 4)
        await bot.kill()
    before = sum(heard(stage, *people))
    assert before < len(people)
    async with stage.process(ADMIN_IDS=ADMINS):
        assert f"Reached: {len(people)}" in await report(stage, message)
    counts = Counter(heard(stage, *people))
    assert set(counts) <= {1, 2}
    assert counts[2] <= 1


async def test_the_report_comes_as_a_new_message_where_the_old_one_was_deleted(stage: Stage) -> None:
    async with stage.bot(ScriptedActor(), admin_ids=ADMINS):
        await audience(stage, 1, 2)
        await stage.fault("429", chat_id=2, retry_after=3600)
        message = await draft(stage)
        await stage.press(message, "Send", user=ADMIN)
        await stage.eventually(lambda: heard(stage, 1) == [1])
        await stage.faults_are_over()
        shown, world = now_shown(stage, message), stage.server.world
        del world.chats[ADMIN].messages[message["message_id"]]
        stop = shown["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
        world.press(world.users[ADMIN], world.chats[ADMIN], shown, stop)
        await stage.rows_become(LEFT, [(0, 0)])
        last = (await stage.messages(1, ADMIN))[-1]
    assert last["text"].startswith("Stopped.\nReached: 1\n")


async def test_an_admin_who_forgets_everything_ends_it(stage: Stage) -> None:
    async with stage.bot(ScriptedActor(), admin_ids=ADMINS):
        await audience(stage, 1, 2)
        await stage.fault("429", chat_id=1, retry_after=3600)
        message = await draft(stage)
        await stage.press(message, "Send", user=ADMIN)
        await stage.faults_are_over()
        await stage.say("/export", user=ADMIN)
        document = (await stage.messages(2, ADMIN))[-1]["document"]
        found = json.loads(stage.server.world.files.get(document["file_id"]).upload.data)
        assert [each["text"] for each in found["broadcasts"]] == [TEXT]
        await stage.say("/forget", user=ADMIN)
        question = (await stage.messages(3, ADMIN))[-1]
        await stage.press(question, "Yes", user=ADMIN)
        await page(stage, question, "Done. I have deleted it all.")
        assert stage.rows(LEFT) == [(0, 0)]
        assert await stage.press(now_shown(stage, message), "Stop", user=ADMIN) == OVER
    assert heard(stage, 1, 2) == [0, 0]
