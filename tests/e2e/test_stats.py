"""/stats: one photo with figures, for admins alone."""

from io import BytesIO

import pytest
from PIL import Image

from tests.bot.actors import ScriptedActor
from tests.e2e.stage import Json, Stage

ADMIN, GROUP = 99, -500
QUIET = "It has been quiet: nobody has written to me in these days."


def photo(stage: Stage, message: Json) -> Image.Image:
    """The picture in a message."""
    (size,) = message["photo"]
    return Image.open(BytesIO(stage.server.world.files.get(size["file_id"]).upload.data))


async def test_an_admin_gets_a_picture_with_the_figures_and_nobodys_words_or_names(stage: Stage) -> None:
    async with stage.bot(ScriptedActor(), admin_ids=str(ADMIN)):
        await stage.say("I keep a walrus", first_name="Ottilie")
        (answer,) = await stage.shows("You said: I keep a walrus")
        await stage.press(answer, "👍")
        await stage.say("Hello", user=2)
        await stage.answers(1, chat=2)
        await stage.rows_become("SELECT count(*) FROM inbox WHERE state != 'done'", [(0,)])
        await stage.say("/stats", user=ADMIN)
        (message,) = await stage.messages(1, ADMIN)
    days, messages, chats, waits, opinions = message["text"].split("\n")
    assert len(days.split(" – ")) == 2
    assert (messages, chats, opinions) == ("Messages: 2", "Active chats: 2", "👍 1   👎 0")
    assert waits.startswith("Waiting for an answer: half of them up to ")
    image = photo(stage, message)
    assert (image.format, image.size) == ("PNG", (1080, 4 * 310))
    assert "walrus" not in str(message)
    assert "Ottilie" not in str(message)


async def test_the_number_of_days_can_be_chosen_and_a_wrong_one_is_explained(stage: Stage) -> None:
    async with stage.bot(ScriptedActor(), admin_ids=str(ADMIN)):
        await stage.say("Hello")
        await stage.answers(1)
        await stage.rows_become("SELECT state FROM inbox", [("done",)])
        stage.change("UPDATE messages SET created_at = '2020-01-02 03:04:05.000000'")
        wrong = ("0", "367", "-1", "seven", "7 8", "1.5", "٧", "9" * 40)
        for words in wrong:
            await stage.say(f"/stats {words}", user=ADMIN)
        await stage.say("/stats 366", user=ADMIN)
        answers = await stage.answers(len(wrong) + 1, ADMIN)
        await stage.say("Hello again")
        await stage.answers(2)
        await stage.say("/stats 1", user=ADMIN)
        message = (await stage.messages(len(wrong) + 2, ADMIN))[-1]
    assert set(answers[:-1]) == {"How many days do you mean? Write a number from 1 to 366, like this:\n/stats 7"}
    assert answers[-1] == QUIET
    assert "Messages: 1" in message["text"]


async def test_before_anybody_has_written_there_is_a_kind_line(stage: Stage) -> None:
    async with stage.bot(ScriptedActor(), admin_ids=str(ADMIN)):
        await stage.say("/stats", user=ADMIN)
        assert await stage.answers(1, ADMIN) == [QUIET]


@pytest.mark.parametrize("command", ["/stats", "/health", "/broadcast Hello", "/stats@understudy_bot 7"])
async def test_what_is_for_admins_is_silent_to_others_and_stays_out_of_groups(stage: Stage, command: str) -> None:
    async with stage.bot(ScriptedActor(), admin_ids=str(ADMIN), user_messages_per_day=1):
        for chat in (2, GROUP):
            await stage.say(command, user=2, chat_id=chat)
        await stage.say(command, user=ADMIN, chat_id=GROUP)
        name = command[1:].split()[0].partition("@")[0]
        assert await stage.answers(1, GROUP) == [f"Please send me /{name} in our private chat."]
        await stage.say("Hello", user=2)
        assert await stage.answers(1, chat=2) == ["You said: Hello"]
        await stage.rows_become("SELECT count(*) FROM inbox WHERE state != 'done'", [(0,)])
    assert len(await stage.answers(0, GROUP)) == 1


async def test_a_photo_that_could_not_be_sent_at_once_is_sent_later(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.transport.delivery.PAUSES", (0.05,))
    await stage.fault("500", method="sendPhoto")
    async with stage.bot(ScriptedActor(), admin_ids=str(ADMIN)):
        await stage.say("Hello", user=ADMIN)
        await stage.answers(1, ADMIN)
        await stage.say("/stats", user=ADMIN)
        messages = await stage.messages(2, ADMIN)
        await stage.rows_become("SELECT count(*) FROM inbox WHERE state != 'done'", [(0,)])
    assert "photo" in messages[1]
