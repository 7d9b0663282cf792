"""/versions and /rollback over real HTTP: what there is, and back to the version before."""

import pytest

from model.persona import Persona
from tests.e2e.fake_trainer import make_version
from tests.e2e.school import ADMIN, OTHER_ADMIN, UNFINISHED, School, labels
from tests.e2e.stage import Stage

QUESTION = "Lisa Simpson answers as version v2 now. Shall it be v1 again, as before?"
CHANGED = "The versions have changed meanwhile. See /versions."


@pytest.fixture
def school(stage: Stage) -> School:
    """Two versions, of which the second is live."""
    school = School(stage)
    make_version(school.store / "lisa" / "v2", Persona("lisa", "Lisa Simpson"))
    (school.store / "lisa" / "current").write_text("v2\nv1\n")
    return school


async def test_the_version_before_answers_again_once_that_is_confirmed(school: School) -> None:
    stage = school.stage
    async with school.open():
        message = await school.ask("/rollback")
        assert message["text"] == QUESTION
        assert labels(message) == ["Yes, go back", "No"]
        await stage.press(message, "Yes", user=ADMIN)
        message = await school.shown(message, "Lisa Simpson answers as version v1 again.")
        assert labels(message) == []
        await stage.say("Hello")
        await stage.answers(1)
        assert school.actor("v2").closed
    assert school.live == "v1"
    assert school.actor("v1").heard() == [["Hello"]]


async def test_a_second_press_does_not_go_back_further(school: School) -> None:
    world = school.stage.server.world
    make_version(school.store / "lisa" / "v3", Persona("lisa", "Lisa Simpson"))
    (school.store / "lisa" / "current").write_text("v3\nv2\nv1\n")
    async with school.open():
        message = await school.ask("/rollback")
        data = message["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
        for _ in range(2):
            world.press(world.users[ADMIN], world.chats[ADMIN], message, data)
        await school.shown(message, CHANGED)
        await school.stage.rows_become(UNFINISHED, [(0,)])
    assert school.live == "v2"


async def test_only_who_has_asked_can_confirm(school: School) -> None:
    stage = school.stage
    async with school.open():
        message = await school.ask("/rollback")
        data = message["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
        world = stage.server.world
        toasts = []
        for user in (OTHER_ADMIN, 1):
            query, _ = world.press(world.person(user), world.chats[ADMIN], message, data)
            toasts.append(await stage.toast(query, ADMIN))
        assert toasts == ["Only the one who asked can press this.", ""]
        await stage.press(message, "No", user=ADMIN)
        await school.shown(message, "All right, everything stays as it is.")
    assert school.live == "v2"


async def test_a_version_that_cannot_be_loaded_any_more_does_not_become_live(school: School) -> None:
    school.is_broken = True
    async with school.open():
        message = await school.ask("/rollback")
        await school.stage.press(message, "Yes", user=ADMIN)
        await school.shown(message, "That did not work, so everything stays as it is:", "the file is damaged")
        await school.stage.say("Hello")
        assert await school.stage.answers(1) == ["You said: Hello"]
    assert school.live == "v2"


async def test_while_a_training_compares_with_the_live_version_nobody_goes_back(school: School) -> None:
    async with school.open():
        question = await school.ask("/rollback")
        message = await school.shown(await school.begin(hold_at=2), "50 %")
        await school.stage.press(question, "Yes", user=ADMIN)
        await school.shown(question, "Not while I am learning")
        school.release()
        await school.shown(message, "finished")
        await school.ended("done")
    assert school.live == "v3"


async def test_without_a_version_before_there_is_nothing_to_confirm(school: School) -> None:
    school.live = "v1"
    async with school.open():
        message = await school.ask("/rollback")
        assert message["text"] == "There is no version of Lisa Simpson before this one."
        assert labels(message) == []


async def test_the_versions_are_listed_newest_first_with_the_live_one_marked(school: School) -> None:
    async with school.open():
        assert (await school.ask("/versions"))["text"] == "Versions of Lisa Simpson, newest first:\nv2 (live)\nv1"
        assert (await school.ask("/versions lisa simpson"))["text"].endswith("v2 (live)\nv1")
        assert (await school.ask("/versions krusty"))["text"] == "I know nobody called krusty. There are: lisa"


async def test_a_damaged_list_of_versions_is_told_in_one_line(school: School) -> None:
    async with school.open():
        (school.store / "lisa" / "current").write_text("")
        for command in ("/versions", "/rollback"):
            assert "current is damaged: promote one of v1, v2" in (await school.ask(command))["text"]
