"""/persona over real HTTP: who is offered, who then talks, and what each of them knows."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from model.persona import Persona, write_persona
from tests.bot.actors import ScriptedActor
from tests.e2e.stage import Json, Stage

GROUP = -500  # Who writes there first has opened it, and so is its admin; 1 is the bot's own id on this stage.
BART = Persona("bart", "Bart Simpson", about="Ten years old, on a skateboard.", greeting="Hey, man!")
HOMER = Persona("homer", "Homer Simpson")
ARRIVED = (
    "Bart Simpson\nTen years old, on a skateboard.\n\n“Hey, man!”\n\n"
    "From now on Bart Simpson answers here, and has not heard what you told others. "
    "They remember it: choose them again, and you go on where you were."
)
ONLY_ADMINS = "Only the admins of this group can choose that."
FINISHED = "SELECT count(*) FROM inbox WHERE state NOT IN ('done', 'failed')"


def install(store: Path, persona: Persona) -> Path:
    """A version of a persona in the store that is as whole as its card; returns its folder."""
    folder = store / persona.id / "v1"
    (folder / "engine").mkdir(parents=True)
    write_persona(persona, folder / "persona.toml")
    (folder / "manifest.json").write_text(json.dumps({"created": "", "base": "", "files": {}}))
    (store / persona.id / "current").write_text("v1\n")
    return folder


class Company:
    """A bot with Lisa on stage, and Bart and Homer in the store; whom it loads is scripted, too."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.store = stage.folder / "store"
        self.lisa = ScriptedActor()
        self.actors: dict[str, ScriptedActor] = {"bart": ScriptedActor(), "homer": ScriptedActor()}
        self.actors["bart"].name, self.actors["bart"].version = "Bart Simpson", "bart-1"
        self.loaded: list[str] = []
        self.broken = False
        for persona in (BART, HOMER):
            install(self.store, persona)

    @property
    def bart(self) -> ScriptedActor:
        return self.actors["bart"]

    def load(self, persona: str) -> ScriptedActor:
        self.loaded.append(persona)
        if self.broken:
            raise RuntimeError("the file is damaged")
        return self.lisa if persona == "lisa" else self.actors[persona]

    @asynccontextmanager
    async def playing(self, personas: str = "bart,homer", **settings: Any) -> AsyncIterator[None]:
        async with self.stage.bot(self.lisa, self.load, model_store=self.store, personas=personas, **settings):
            yield

    async def menu(self, user: int = 1, chat: int = 1) -> Json:
        """Send /persona; returns the bot's answer."""
        before = len(await self.stage.messages(0, chat))
        await self.stage.say("/persona", user=user, chat_id=chat)
        return (await self.stage.messages(before + 1, chat))[-1]

    async def choose(self, name: str, user: int = 1, chat: int = 1) -> Json:
        """Choose by the menu; returns the menu's message as it is when all is done."""
        menu = await self.menu(user, chat)
        await self.stage.press(menu, name, user)
        await self.stage.rows_become(FINISHED, [(0,)])
        messages = await self.stage.messages(0, chat)
        return next(message for message in messages if message["message_id"] == menu["message_id"])

    async def talk(self, *texts: str, chat: int = 1) -> str:
        """Say something; returns the last answer."""
        for text in texts:
            before = len(await self.stage.messages(0, chat))
            await self.stage.say(text, chat_id=chat)
            answers = await self.stage.answers(before + 1, chat)
        return answers[-1]


@pytest.fixture
def company(stage: Stage) -> Company:
    return Company(stage)


def labels(message: Json) -> list[str]:
    return [button["text"] for row in message["reply_markup"]["inline_keyboard"] for button in row]


async def test_the_menu_shows_who_is_on_stage_and_who_may_be_chosen(company: Company) -> None:
    async with company.playing():
        menu = await company.menu()
    assert menu["text"].startswith("Lisa Simpson is talking here.\nEight years old, second grade")
    assert labels(menu) == ["Bart Simpson", "Homer Simpson", "✓ Lisa Simpson"]
    assert company.loaded == []


async def test_who_is_chosen_comes_with_a_card_and_answers_from_then_on(company: Company) -> None:
    async with company.playing():
        menu = await company.menu()
        assert await company.stage.press(menu, "Bart") == "Bart Simpson is coming…"
        (card,) = await company.stage.shows(ARRIVED)
        assert labels(card) == ["✓ Bart Simpson", "Homer Simpson", "Lisa Simpson"]
        assert await company.talk("/start") == "Hey, man!\n\nWrite me something, or see /help."
        assert (await company.talk("/help")).startswith("I am Bart Simpson.")
        await company.talk("Hello", "/ask Who are you?")
    assert company.bart.heard() == [["Hello"], ["Who are you?"]]
    assert company.lisa.histories == []
    assert company.loaded == ["bart"]
    assert company.bart.closed
    assert company.lisa.closed


async def test_each_character_has_a_conversation_of_its_own_and_finds_it_again(company: Company) -> None:
    async with company.playing():
        await company.talk("my secret")
        await company.choose("Bart")
        await company.talk("Hi Bart", "And now?")
        await company.choose("Lisa")
        await company.talk("Back again")
    assert company.bart.heard() == [["Hi Bart"], ["Hi Bart", "You said: Hi Bart", "And now?"]]
    assert company.lisa.heard()[1] == ["my secret", "You said: my secret", "Back again"]


async def test_retry_and_undo_are_about_the_conversation_with_the_present_character(company: Company) -> None:
    async with company.playing():
        await company.talk("my secret")
        (answer,) = await company.stage.messages(1)
        await company.choose("Bart")
        assert (await company.talk("/undo")).startswith("There is nothing to take back")
        assert await company.stage.press(answer, "🔄") == "I can only change my last answer."
        await company.talk("Hi Bart")
        await company.stage.say("/retry")
        await company.stage.eventually(lambda: len(company.bart.histories) == 2)
    assert company.bart.heard() == [["Hi Bart"], ["Hi Bart"]]
    assert len(company.lisa.histories) == 1


async def test_the_choice_is_that_chats_alone_and_outlives_a_restart(company: Company) -> None:
    async with company.playing():
        await company.choose("Bart")
    async with company.playing():
        await company.talk("Hello")
        await company.stage.say("Hello", user=2)
        await company.stage.answers(1, chat=2)
    assert company.bart.heard() == [["Hello"]]
    assert company.lisa.heard() == [["Hello"]]


async def test_topics_of_a_group_have_choices_of_their_own(company: Company) -> None:
    async with company.playing():
        await company.stage.say("/persona", user=2, chat_id=GROUP, message_thread_id=7)
        (menu,) = await company.stage.messages(1, GROUP)
        await company.stage.press(menu, "Bart", user=2)
        await company.stage.rows_become(FINISHED, [(0,)])
        for thread in (7, 8):
            await company.stage.say("/ask Who?", chat_id=GROUP, message_thread_id=thread)
        await company.stage.answers(3, GROUP)
    assert len(company.bart.histories) == len(company.lisa.histories) == 1
    assert company.stage.rows("SELECT chat_id, thread_id, persona FROM chat_settings") == [(GROUP, 7, "bart")]


async def test_in_a_group_only_its_admins_choose(company: Company) -> None:
    async with company.playing():
        menu = await company.menu(user=2, chat=GROUP)
        assert await company.stage.press(menu, "Bart", user=3) == ONLY_ADMINS
        refused = await company.menu(user=3, chat=GROUP)
        assert refused["text"].endswith(ONLY_ADMINS)
        assert "reply_markup" not in refused
        assert company.loaded == []
        await company.stage.press(menu, "Bart", user=2)
        await company.stage.rows_become(FINISHED, [(0,)])
    assert company.loaded == ["bart"]


async def test_who_cannot_be_asked_whether_he_is_an_admin_is_none(company: Company) -> None:
    async with company.playing():
        await company.stage.fault("500", method="getChatMember", count=1)
        assert (await company.menu(user=2, chat=GROUP))["text"].endswith(ONLY_ADMINS)


async def test_a_groups_anonymous_admin_may_choose(company: Company) -> None:
    world = company.stage.server.world
    group, ned = world.group(GROUP, "Friends", (2, 1)), world.person(1)
    entities = [{"type": "bot_command", "offset": 0, "length": 8}]
    spoken = {"text": "/persona", "entities": entities, "sender_chat": group.as_json()}
    async with company.playing():
        world.updates.push("message", world.add_message(group, ned.as_json(), spoken))
        (menu,) = await company.stage.messages(1, GROUP)
    assert len(labels(menu)) == 3


async def test_who_cannot_be_loaded_leaves_the_old_one_on_stage(
    company: Company, caplog: pytest.LogCaptureFixture
) -> None:
    company.broken = True
    async with company.playing():
        await company.talk("my secret")
        menu = await company.menu()
        await company.stage.press(menu, "Bart")
        notice = (await company.stage.answers(3))[-1]
        assert notice == "Sorry, Bart Simpson cannot come right now, so Lisa Simpson stays."
        await company.talk("Still you?")
    assert len(company.lisa.heard()[1]) == 3
    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert errors == ["/persona: persona 'bart' cannot be played: RuntimeError: the file is damaged"]


async def test_a_choice_that_cannot_be_loaded_after_a_restart_gets_a_kind_word_and_a_way_out(company: Company) -> None:
    async with company.playing():
        await company.choose("Bart")
    company.broken = True
    async with company.playing():
        assert (await company.talk("Hello")).endswith("choose somebody else: /persona")
        await company.choose("Lisa")
        assert await company.talk("Hello") == "You said: Hello"


async def test_who_is_not_offered_any_more_is_played_by_nobody_and_the_old_button_is_harmless(company: Company) -> None:
    async with company.playing():
        menu = await company.choose("Bart")
    async with company.playing(personas=""):
        toast = await company.stage.press(menu, "Bart")
        assert toast == "I cannot find this one any more. /persona shows who is here."
        await company.talk("Hello")
        alone = await company.menu()
    assert company.lisa.heard() == [["Hello"]]
    assert alone["text"].endswith("Nobody else is here to choose from.")
    assert "reply_markup" not in alone


async def test_what_is_no_whole_character_is_not_offered_and_the_log_says_why(
    company: Company, caplog: pytest.LogCaptureFixture
) -> None:
    (company.store / "bart" / "v1" / "engine").rmdir()
    async with company.playing(personas="bart,homer,maggie"):
        assert labels(await company.menu()) == ["Homer Simpson", "✓ Lisa Simpson"]
    lines = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert sorted(line.split(":")[1] for line in lines) == [" bart is not offered", " maggie is not offered"]


async def test_no_more_characters_are_kept_in_memory_than_was_set(company: Company) -> None:
    async with company.playing(personas_in_memory=1):
        await company.choose("Bart")
        assert company.lisa.closed
        await company.choose("Homer")
        assert company.bart.closed
        await company.talk("Hello")
    assert company.loaded == ["bart", "homer"]
    assert company.actors["homer"].heard() == [["Hello"]]


async def test_why_looks_into_the_script_of_the_character_that_answered(company: Company) -> None:
    from model.sources import ScriptLine, write_sources

    line = ScriptLine("Bart Simpson", "Eat my shorts, man.", "3", "School", 1, True)
    folder = company.store / "bart" / company.bart.version
    folder.mkdir()
    (folder / "manifest.json").write_text(json.dumps({"created": "", "base": "", "files": {}}))
    write_sources([line], folder / "sources.jsonl.gz")
    async with company.playing():
        company.bart.replies = ["Eat my shorts."]
        await company.choose("Bart")
        await company.talk("Hello")
        assert "Eat my shorts, man." in await company.talk("/why")
        await company.choose("Lisa")
        assert "Eat my shorts, man." in await company.talk("/why")


async def test_the_choice_is_exported_and_forgotten_with_everything_else(company: Company) -> None:
    async with company.playing():
        await company.choose("Bart")
        await company.talk("Hello")
        await company.stage.say("/export")
        document = (await company.stage.messages(3))[-1]
        file = company.stage.server.world.files.get(document["document"]["file_id"])
        held = json.loads(file.upload.data)
        await company.stage.say("/forget")
        asked = (await company.stage.messages(4))[-1]
        await company.stage.press(asked, "Yes")
        await company.stage.rows_become("SELECT count(*) FROM chat_settings", [(0,)])
    expected = {"chat": 1, "topic": 0, "persona": "bart", "creativity": "trained", "length": "normal", "language": None}
    assert held["settings"] == [expected]
    assert {line["persona"] for line in held["messages"]} == {"bart"}
