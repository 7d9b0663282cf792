"""The language barrier over real HTTP: one honest line, in the user's language, and never a guess."""

from tests.bot.actors import ScriptedActor
from tests.e2e.stage import Stage

GERMAN = "ich habe heute keine Lust auf Schule"
FOREIGN = "Sorry, Lisa Simpson does not speak this language and would only be guessing. Please write in English."
AGAIN = "In English, please 🙂"


async def test_a_foreign_message_gets_one_honest_line_and_then_shorter_ones(stage: Stage) -> None:
    actor = ScriptedActor("Hello, Ned!")
    async with stage.bot(actor):
        for text in (GERMAN, "kannst du mir bei den Hausaufgaben helfen?", "hallo", GERMAN):
            await stage.say(text, first_name="Ned")
        assert await stage.answers(4) == [FOREIGN, AGAIN, "Hello, Ned!", AGAIN]
        await stage.say("what did you do at school today?")
        await stage.say(GERMAN)
        assert (await stage.answers(6))[5] == FOREIGN
        await stage.rows_become("SELECT DISTINCT state FROM inbox", [("done",)])
    assert actor.heard() == [["hallo"], ["hallo", "Hello, Ned!", "what did you do at school today?"]]


async def test_a_single_question_and_an_edited_one_are_not_guessed_at_either(stage: Stage) -> None:
    actor = ScriptedActor("Hi!")
    async with stage.bot(actor):
        question = await stage.say("Hello")
        await stage.answers(1)
        await stage.say(f"/ask {GERMAN}")
        await stage.answers(2)
        await stage.edit(question["message_id"], "wie heißt denn dein Bruder?")
        assert await stage.answers(3) == ["Hi!", FOREIGN, AGAIN]
        await stage.rows_become("SELECT DISTINCT state FROM inbox", [("done",)])
    assert actor.heard() == [["Hello"]]


async def test_people_in_a_group_are_told_one_by_one(stage: Stage) -> None:
    async with stage.bot(ScriptedActor()):
        for user in (1, 2, 1):
            await stage.say(f"@understudy_bot {GERMAN}", user=user, chat_id=-500)
        assert sorted(await stage.answers(3, -500)) == [AGAIN, FOREIGN, FOREIGN]


async def test_of_a_character_whose_languages_nobody_knows_everything_is_answered(stage: Stage) -> None:
    async with stage.bot(ScriptedActor(), persona="nobody"):
        await stage.say(GERMAN)
        assert await stage.answers(1) == [f"You said: {GERMAN}"]
