"""What is kept about people: they are told, they get it, and it is gone when they say so."""

import json
import sqlite3

import pytest

from bot.transport.delivery import PAUSES
from tests.bot.actors import ScriptedActor
from tests.e2e.stage import Json, Stage

GROUP = -5
YES, NO = "Yes, forget it", "No, keep it"
DONE = "Done. I have deleted it all."
COUNT = "SELECT count(*) FROM messages"


async def say_in_group(stage: Stage, text: str, user: int) -> None:
    await stage.say(f"@{stage.server.world.bot.username} {text}", user=user, chat_id=GROUP)


async def question(stage: Stage, user: int = 1, chat: int | None = None) -> Json:
    """Send /forget; returns the bot's question."""
    where = chat or user
    before = len(await stage.messages(0, where))
    await stage.say("/forget", user=user, chat_id=where)
    return (await stage.messages(before + 1, where))[-1]


def traces(data: bytes) -> list[bytes]:
    """What is left of a walrus, of its keeper, and of the wish to forget them."""
    return [word for word in (b"walrus", b"Ottilie", b"/forget") if word in data]


async def becomes(stage: Stage, message: Json, text: str) -> None:
    """Wait until a message of the bot's was edited to a text."""
    chat = stage.server.world.chats[message["chat"]["id"]]
    await stage.eventually(lambda: chat.messages[message["message_id"]]["text"] == text)


def content(stage: Stage, message: Json) -> Json:
    """The JSON document in a message."""
    assert message["document"]["file_name"] == "my-data.json"
    found: Json = json.loads(stage.server.world.files.get(message["document"]["file_id"]).upload.data)
    return found


@pytest.mark.parametrize(
    ("days", "words"), [(0, "until you tell me to forget it"), (30, "How many days I keep it: 30.")]
)
async def test_privacy_tells_what_is_kept_for_how_long_and_how_to_get_or_delete_it(
    stage: Stage, days: int, words: str
) -> None:
    async with stage.bot(ScriptedActor(), retention_days=days):
        await stage.say("/privacy")
        (text,) = await stage.answers(1)
    assert "goes nowhere else" in text
    assert words in text
    assert "/export" in text
    assert "/forget" in text


async def test_the_menu_names_the_way_there(stage: Stage) -> None:
    async with stage.bot(ScriptedActor()):
        await stage.say("Hello")
        await stage.answers(1)
    (chat,) = [chat for chat in (await stage.state())["chats"] if chat["id"] == 1]
    assert {"privacy", "export", "forget"} <= {command["command"] for command in chat["commands"]["1"]}


async def test_an_export_in_private_holds_all_that_a_person_said_anywhere_and_nothing_of_others(stage: Stage) -> None:
    async with stage.bot(ScriptedActor()):
        await stage.say("Hello", first_name="Ned")
        await stage.answers(1)
        await stage.say("/ask Who are you?")
        await say_in_group(stage, "I collect stamps", user=1)
        await say_in_group(stage, "I collect coins", user=2)
        await stage.say("a secret", user=2)
        await stage.answers(2)
        await stage.answers(2, GROUP)
        await stage.answers(1, chat=2)
        await stage.say("/export")
        message = (await stage.messages(3))[-1]
    assert message["text"] == "This is everything that I keep about you."
    found = content(stage, message)
    assert found["person"] == 1
    lines = sorted((line["chat"], line["mode"], line["speaker"], line["text"]) for line in found["messages"])
    assert lines == [
        (GROUP, "dialogue", "Lisa Simpson", "You said: I collect stamps"),
        (GROUP, "dialogue", "Ned", "I collect stamps"),
        (1, "ask", "Lisa Simpson", "You said: Who are you?"),
        (1, "ask", "Ned", "Who are you?"),
        (1, "dialogue", "Lisa Simpson", "You said: Hello"),
        (1, "dialogue", "Ned", "Hello"),
    ]
    assert {line["version"] for line in found["messages"] if line["is_character"]} == {"test-1"}
    assert all(line["time"].endswith("+00:00") for line in found["messages"])
    assert [waiting["update"]["message"]["text"] for waiting in found["waiting"]] == ["/export"]


async def test_an_export_in_a_group_holds_only_what_the_person_said_there(stage: Stage) -> None:
    async with stage.bot(ScriptedActor()):
        await stage.say("a private secret")
        await say_in_group(stage, "I collect stamps", user=1)
        await say_in_group(stage, "I collect coins", user=2)
        await stage.answers(1)
        await stage.answers(2, GROUP)
        await stage.say("/export", chat_id=GROUP)
        message = (await stage.messages(3, GROUP))[-1]
    texts = [line["text"] for line in content(stage, message)["messages"]]
    assert texts == ["I collect stamps", "You said: I collect stamps"]


async def test_lines_from_before_people_were_written_down_are_in_the_export_of_their_private_chat(stage: Stage) -> None:
    async with stage.bot(ScriptedActor()):
        await stage.say("Hello")
        await stage.rows_become("SELECT state FROM inbox", [("done",)])
        with sqlite3.connect(stage.database) as other:
            other.execute("UPDATE messages SET user_id = NULL")
        other.close()
        await stage.say("/export")
        message = (await stage.messages(2))[-1]
    assert [line["text"] for line in content(stage, message)["messages"]] == ["Hello", "You said: Hello"]


@pytest.mark.parametrize("kind", ["500", "drop", "429"])
async def test_an_export_that_could_not_be_sent_at_once_is_sent_later(stage: Stage, kind: str) -> None:
    await stage.fault(kind, method="sendDocument", retry_after=1)
    async with stage.bot(ScriptedActor()):
        await stage.say("/export")
        (message,) = await stage.messages(1)
        await stage.rows_become("SELECT state FROM inbox", [("done",)])
    assert content(stage, message)["messages"] == []


async def test_an_export_that_finally_fails_is_sent_at_the_next_start(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.transport.delivery.PAUSES", tuple(0.0 for _ in PAUSES))
    await stage.fault("500", method="sendDocument", count=len(PAUSES) + 1)
    async with stage.bot(ScriptedActor(), shutdown_grace=0.2):
        await stage.say("/export")
        await stage.faults_are_over()
    assert await stage.messages(0) == []
    async with stage.bot(ScriptedActor()):
        (message,) = await stage.messages(1)
    assert content(stage, message)["person"] == 1


async def test_what_is_forgotten_is_in_no_byte_of_the_database_while_the_bot_runs_on(stage: Stage) -> None:
    async with stage.bot(ScriptedActor()):
        await stage.say("I keep a walrus", first_name="Ottilie")
        await say_in_group(stage, "The walrus sings", user=1)
        await stage.say("I keep a heron", user=2)
        await stage.answers(1)
        await stage.answers(1, GROUP)
        await stage.answers(1, chat=2)
        asked = await question(stage)
        assert len(traces(stage.raw())) == 3
        await stage.press(asked, YES)
        await becomes(stage, asked, DONE)
        await stage.eventually(lambda: not traces(stage.raw()))
        assert stage.rows("SELECT chat_id FROM chats ORDER BY chat_id") == [(GROUP,), (2,)]
        assert stage.rows("PRAGMA freelist_count") == [(0,)]
        assert await stage.toasts(1) == [""]
    assert b"heron" in stage.raw()
    assert stage.rows("SELECT DISTINCT state, payload, reply FROM inbox") == [("done", None, None)]


async def test_after_forgetting_the_conversation_begins_anew(stage: Stage) -> None:
    actor = ScriptedActor()
    async with stage.bot(actor):
        await stage.say("one")
        await stage.answers(1)
        asked = await question(stage)
        await stage.press(asked, YES)
        await stage.say("two")  # Said after the press, and so not meant by it.
        assert (await stage.answers(3))[1:] == [DONE, "You said: two"]
    assert actor.heard() == [["one"], ["two"]]
    assert stage.rows("SELECT text FROM messages") == [("two",), ("You said: two",)]


async def test_in_a_group_only_the_lines_of_the_one_who_asks_are_forgotten(stage: Stage) -> None:
    async with stage.bot(ScriptedActor("You said: private words", "One.", "Two of us.")):
        await stage.say("private words")
        await stage.answers(1)
        await say_in_group(stage, "stamps", user=1)
        await say_in_group(stage, "coins", user=2)
        await stage.answers(2, GROUP)
        asked = await question(stage, chat=GROUP)
        await stage.press(asked, YES)
        await becomes(stage, asked, DONE)
    texts = {text for (text,) in stage.rows("SELECT text FROM messages")}
    assert texts == {"private words", "You said: private words", "coins", "Two of us."}


async def test_nobody_else_can_press_the_button(stage: Stage) -> None:
    async with stage.bot(ScriptedActor()):
        for user in (1, 2):
            await say_in_group(stage, f"words of {user}", user=user)
        await stage.answers(2, GROUP)
        asked = await question(stage, chat=GROUP)
        await stage.press(asked, YES, user=2)
        assert await stage.toasts(1, GROUP) == ["Only the one who asked can press this."]
        await stage.rows_become("SELECT DISTINCT state FROM inbox", [("done",)])
        assert (await stage.answers(3, GROUP))[-1] == asked["text"]
    assert stage.rows(COUNT) == [(4,)]


async def test_who_says_no_keeps_everything(stage: Stage) -> None:
    async with stage.bot(ScriptedActor()):
        await stage.say("Hello")
        await stage.answers(1)
        asked = await question(stage)
        await stage.press(asked, NO)
        await becomes(stage, asked, "All right, I keep everything.")
    assert stage.rows(COUNT) == [(2,)]
    assert "reply_markup" not in (await stage.messages(2))[-1]


async def test_pressing_twice_does_no_harm(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    async with stage.bot(ScriptedActor()):
        await stage.say("Hello")
        await stage.answers(1)
        asked = await question(stage)
    for _ in range(2):  # Both before the bot has seen one.
        await stage.push(asked, YES)
    async with stage.bot(ScriptedActor()):
        assert await stage.toasts(2) == ["", ""]
        await stage.rows_become("SELECT DISTINCT state FROM inbox", [("done",)])
        assert (await stage.answers(2))[1:] == [DONE]
    assert "Traceback" not in caplog.text


async def test_a_message_that_waits_elsewhere_is_forgotten_too(stage: Stage) -> None:
    actor = ScriptedActor()
    async with stage.bot(actor):
        actor.gate.clear()
        await say_in_group(stage, "my walrus", user=1)
        await say_in_group(stage, "my heron", user=2)
        await actor.until_busy(1)
        asked = await question(stage)
        await stage.press(asked, YES)
        await becomes(stage, asked, DONE)
        actor.gate.set()
        await stage.shows("You said: my heron", chat=GROUP)
        await stage.rows_become("SELECT DISTINCT state FROM inbox", [("done",)])
    assert b"walrus" not in stage.raw()


@pytest.mark.parametrize("command", ["/export", "/forget"])
async def test_who_writes_in_the_name_of_a_group_is_told_that_nobody_knows_who_it_is(
    stage: Stage, command: str
) -> None:
    world = stage.server.world
    group, ned = world.group(GROUP, "Friends", (1,)), world.person(1)
    entities = [{"type": "bot_command", "offset": 0, "length": len(command)}]
    spoken = {"text": command, "entities": entities, "sender_chat": group.as_json()}
    async with stage.bot(ScriptedActor()):
        world.updates.push("message", world.add_message(group, ned.as_json(), spoken))
        (answer,) = await stage.messages(1, GROUP)
    assert answer["text"].startswith("You do not write under your own name here")
    assert "reply_markup" not in answer


@pytest.mark.filterwarnings("ignore:`update.callback_query` is not `None`")  # The library says so at each of them.
async def test_a_button_works_after_days_when_telegram_shows_the_bot_no_more_than_where_it_is(stage: Stage) -> None:
    async with stage.bot(ScriptedActor()):
        await stage.say("Hello")
        await stage.answers(1)
        asked = await question(stage)
        world = stage.server.world
        old = {"chat": asked["chat"], "message_id": asked["message_id"], "date": 0}
        world.press(world.users[1], world.chats[1], old, "forget:yes:1")
        await becomes(stage, asked, DONE)
    assert stage.rows(COUNT) == [(0,)]


async def test_who_could_not_be_told_that_all_is_forgotten_is_told_at_the_next_start(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.transport.delivery.PAUSES", ())
    async with stage.bot(ScriptedActor(), shutdown_grace=0.2):
        await stage.say("Hello")
        await stage.answers(1)
        asked = await question(stage)
        await stage.fault("500", method="editMessageText", count=1)
        await stage.press(asked, YES)
        await stage.faults_are_over()
    assert stage.rows(COUNT) == [(0,)]
    async with stage.bot(ScriptedActor()):
        await becomes(stage, asked, DONE)


async def test_a_bot_with_a_retention_deletes_old_messages_at_its_start(stage: Stage) -> None:
    async with stage.bot(ScriptedActor()):
        await stage.say("long ago")
        await stage.answers(1)
    with sqlite3.connect(stage.database) as other:
        other.execute("UPDATE messages SET created_at = '2020-01-02 03:04:05.000000'")
    other.close()
    async with stage.bot(ScriptedActor()):
        await stage.say("today")
        await stage.answers(2)
    assert stage.rows(COUNT) == [(4,)]
    async with stage.bot(ScriptedActor(), retention_days=365):
        await stage.rows_become("SELECT text FROM messages", [("today",), ("You said: today",)])
