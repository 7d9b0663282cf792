"""Photos, stickers and the like over real HTTP: a kind word, in character where there is one; captions are answered."""

from itertools import pairwise
from pathlib import Path
from typing import Any

from bot.locales import Locales
from bot.unreadable import CAPTION, neutral_words
from model.persona import read_persona
from tests.bot.actors import ScriptedActor
from tests.e2e.stage import Stage

LISA = read_persona(Path(__file__).parents[2] / "model" / "personas" / "lisa" / "persona.toml").unreadable
PICTURE = {"file_id": "p", "file_unique_id": "p", "width": 1, "height": 1}
STICKER = PICTURE | {"type": "regular", "is_animated": False, "is_video": False}
GROUP = -500


def show(stage: Stage, chat: int = 1, **content: Any) -> None:
    """Somebody who has written before sends something else than words."""
    world = stage.server.world
    world.updates.push("message", world.add_message(world.chats[chat], world.users[1].as_json(), content))


async def test_a_photo_gets_a_kind_word_in_character_and_never_the_same_twice_in_a_row(stage: Stage) -> None:
    actor = ScriptedActor()
    async with stage.bot(actor):
        await stage.say("/start")
        await stage.answers(1)
        for _ in range(4):
            show(stage, photo=[PICTURE])
        said = (await stage.answers(5))[1:]
        await stage.rows_become("SELECT DISTINCT state FROM inbox", [("done",)])
    assert set(said) <= set(LISA["photo"])
    assert all(before != after for before, after in pairwise(said))
    assert actor.histories == []


async def test_a_character_without_words_of_its_own_uses_neutral_ones_in_the_users_language(stage: Stage) -> None:
    async with stage.bot(ScriptedActor(), persona="nobody"):
        await stage.say("/start", language_code="ru")
        await stage.answers(1)
        show(stage, sticker=STICKER)
        said = (await stage.answers(2))[1]
    assert said in neutral_words(Locales().speak("ru"), "sticker")


async def test_what_is_written_under_a_photo_is_answered_after_a_word_about_the_photo(stage: Stage) -> None:
    actor = ScriptedActor("What a good dog!")
    async with stage.bot(actor):
        await stage.say("/start")
        await stage.answers(1)
        show(stage, photo=[PICTURE], caption="this is my dog")
        about, answer = (await stage.answers(3))[1:]
        await stage.rows_become("SELECT DISTINCT state FROM inbox", [("done",)])
    assert about in LISA[CAPTION]
    assert answer == "What a good dog!"
    assert actor.heard() == [["this is my dog"]]


async def test_the_word_about_a_photo_may_be_lost_and_the_answer_is_not(stage: Stage) -> None:
    async with stage.bot(ScriptedActor("What a good dog!")):
        await stage.say("/start")
        await stage.answers(1)
        await stage.fault("400", count=1)
        show(stage, photo=[PICTURE], caption="this is my dog")
        assert (await stage.answers(2))[1] == "What a good dog!"
        await stage.faults_are_over()
        await stage.rows_become("SELECT DISTINCT state FROM inbox", [("done",)])


async def test_an_album_gets_one_word(stage: Stage) -> None:
    async with stage.bot(ScriptedActor("Fine.")):
        await stage.say("/start")
        await stage.answers(1)
        for _ in range(3):
            show(stage, photo=[PICTURE], media_group_id="7")
        await stage.say("How are you?")
        first, last = (await stage.answers(3))[1:]
        await stage.rows_become("SELECT DISTINCT state FROM inbox", [("done",)])
    assert first in LISA["photo"]
    assert last == "Fine."


async def test_in_a_group_only_what_is_meant_for_it_gets_a_word(stage: Stage) -> None:
    async with stage.bot(ScriptedActor("Hi!", "A fine dog.")):
        await stage.say("@understudy_bot hello", chat_id=GROUP)
        (hello,) = await stage.messages(1, GROUP)
        show(stage, GROUP, photo=[PICTURE])
        mention = [{"type": "mention", "offset": 0, "length": 15}]
        show(stage, GROUP, photo=[PICTURE], caption="@understudy_bot my dog", caption_entities=mention)
        show(stage, GROUP, sticker=STICKER, reply_to_message=hello)
        said = (await stage.answers(4, GROUP))[1:]
        await stage.rows_become("SELECT DISTINCT state FROM inbox", [("done",)])
    assert said[0] in LISA[CAPTION]
    assert said[1] == "A fine dog."
    assert said[2] in LISA["sticker"]
