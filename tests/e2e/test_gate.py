"""Who may talk to the bot, and how much, over real HTTP."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.bot.actors import ScriptedActor
from tests.e2e.stage import Stage

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
ADMIN, GROUP = 99, -500
SENT_TO_GROUP = "@understudy_bot "
OPEN = "SELECT count(*) FROM inbox WHERE state NOT IN ('done') OR payload IS NOT NULL"


class Clock:
    """The gate's clock, which a test sets."""

    def __init__(self) -> None:
        self.time = NOON

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("bot.storage.tables.now", clock)
    return clock


async def handled(stage: Stage, count: int) -> None:
    """Wait until so many updates have been handled, answered or not."""
    await stage.rows_become("SELECT count(*) FROM inbox WHERE state = 'done'", [(count,)])


async def test_a_stranger_is_told_once_which_number_opens_the_door_and_costs_no_answer(stage: Stage) -> None:
    actor = ScriptedActor()
    async with stage.bot(actor, allowed_user_ids="1"):
        for text in ("Hello", "/start", "/ask Who?", "Hello?", "/dance"):
            await stage.say(text, user=2)
        await handled(stage, 5)
        await stage.say("Hello", user=1)
        assert await stage.answers(1, chat=1) == ["You said: Hello"]
        (notice,) = await stage.answers(1, chat=2)
    assert notice.endswith("give this number to whoever runs me: 2")
    assert actor.heard() == [["Hello"]]
    assert stage.rows(OPEN) == [(0,)]


async def test_in_a_strange_group_only_guests_are_answered_and_the_others_told_once(stage: Stage) -> None:
    actor = ScriptedActor()
    async with stage.bot(actor, allowed_user_ids="1", allowed_chat_ids="-700"):
        await stage.say("Nice weather", user=2, chat_id=GROUP)
        for user in (2, 3, 1):
            await stage.say(f"{SENT_TO_GROUP}it is {user}", user=user, chat_id=GROUP)
        await stage.say(f"{SENT_TO_GROUP}it is 2", user=2, chat_id=-700)
        assert await stage.answers(1, chat=-700) == ["You said: it is 2"]
        notice, answer = await stage.answers(2, chat=GROUP)
        await handled(stage, 5)
    assert notice.endswith("give this number to whoever runs me: -500")
    assert answer == "You said: it is 1"
    assert len(actor.histories) == 2


async def test_admins_are_let_in_without_being_on_a_list_and_are_not_counted(stage: Stage) -> None:
    actor = ScriptedActor()
    async with stage.bot(actor, admin_ids="99", allowed_user_ids="1", user_messages_per_day=1):
        for text in ("one", "two", "three"):
            await stage.say(text, user=ADMIN)
        assert len(await stage.answers(3, chat=ADMIN)) == 3
    assert len(actor.histories) == 3


async def test_a_flood_is_asked_for_patience_once_and_heard_again_when_it_was_said(stage: Stage, clock: Clock) -> None:
    actor = ScriptedActor()
    async with stage.bot(actor, user_messages_per_minute=2):
        for number in range(8):
            await stage.say(f"message {number}")
        await handled(stage, 8)
        assert (await stage.answers(3))[2].endswith("You can write to me again in 60 s.")
        clock.time += timedelta(seconds=60)
        for text in ("back", "again", "and again", "and again"):
            await stage.say(text)
        await handled(stage, 12)
        answers = await stage.answers(6)
    assert answers[3:5] == ["You said: back", "You said: again"]
    assert answers[5].startswith("So many messages!")
    assert len(answers) == 6
    assert [history[-1] for history in actor.heard()] == ["message 0", "message 1", "back", "again"]
    assert stage.rows(OPEN) == [(0,)]


async def test_a_flood_of_one_person_takes_nothing_from_the_others(stage: Stage, clock: Clock) -> None:
    async with stage.bot(ScriptedActor(), user_messages_per_minute=1):
        for number in range(5):
            await stage.say(f"message {number}", user=1)
        await stage.say("Hello", user=2)
        assert await stage.answers(1, chat=2) == ["You said: Hello"]


async def test_greeting_and_help_are_free(stage: Stage, clock: Clock) -> None:
    async with stage.bot(ScriptedActor(), user_messages_per_day=1):
        for text in ("/start", "/help", "Hello", "Hello?", "/help", "/start"):
            await stage.say(text)
        answers = await stage.answers(6)
    assert answers[2] == "You said: Hello"
    assert answers[3].endswith("again in 12 h 0 min.")
    assert "/ask QUESTION" in answers[4]
    assert answers[5].startswith("Hi, I'm Lisa!")


async def test_what_was_counted_is_still_counted_after_a_restart(stage: Stage, clock: Clock) -> None:
    async with stage.bot(ScriptedActor(), user_messages_per_day=2):
        await stage.say("one")
        await stage.answers(1)
    actor = ScriptedActor()
    async with stage.bot(actor, user_messages_per_day=2):
        await stage.say("two")
        await stage.say("three")
        assert (await stage.answers(3))[2].startswith("So many messages!")
    assert len(actor.histories) == 1


async def test_a_group_has_a_quota_of_its_own_for_what_is_said_to_the_bot(stage: Stage, clock: Clock) -> None:
    actor = ScriptedActor()
    async with stage.bot(actor, group_messages_per_minute=2):
        for user in (1, 2, 3, 4):
            await stage.say("Nice weather", user=user, chat_id=GROUP)
            await stage.say("/ask@another_bot Who?", user=user, chat_id=GROUP)
        for user in (1, 2, 3, 4):
            await stage.say("/ask Who?", user=user, chat_id=GROUP)
        await handled(stage, 12)
        answers = await stage.answers(3, chat=GROUP)
        await stage.say("Hello", user=4)
        assert await stage.answers(1, chat=4) == ["You said: Hello"]
    assert answers == ["You said: Who?"] * 2 + [
        "So many messages here! I need a rest. This group can write to me again in 60 s."
    ]


async def test_the_banned_get_no_answer_at_all_until_the_ban_is_taken_back(stage: Stage) -> None:
    actor = ScriptedActor()
    async with stage.bot(actor, admin_ids="99", user_messages_per_minute=1):
        await stage.say("/ban 2", user=ADMIN)
        assert (await stage.answers(1, chat=ADMIN))[0].startswith("2 gets no answers from me any more.")
        for text in ("Hello", "/start", "/help", "/ask Who?", "/dance", "/ban 1"):
            await stage.say(text, user=2)
        await stage.say(f"{SENT_TO_GROUP}Hello", user=2, chat_id=GROUP)
        await handled(stage, 8)
        assert await stage.answers(0, chat=2) == await stage.answers(0, chat=GROUP) == []
        for _ in range(2):
            await stage.say("/unban 2", user=ADMIN)
        await stage.answers(3, chat=ADMIN)
        await stage.say("Hello again", user=2)
        assert await stage.answers(1, chat=2) == ["You said: Hello again"]
        answers = await stage.answers(3, chat=ADMIN)
    assert answers[1:] == ["2 gets answers from me again.", "2 is not banned."]
    assert actor.heard() == [["Hello again"]]
    assert stage.rows(OPEN) == [(0,)]


async def test_in_a_group_a_reply_is_enough_to_ban_its_author(stage: Stage) -> None:
    actor = ScriptedActor()
    async with stage.bot(actor, admin_ids="99"):
        rude = await stage.say("Boo!", user=2, chat_id=GROUP)
        await stage.say("/ban", user=ADMIN, chat_id=GROUP, reply_to=rude["message_id"])
        assert (await stage.answers(1, chat=GROUP))[0].startswith("2 gets no answers")
        await stage.say("Hello", user=2)
        await handled(stage, 3)
        own = await stage.messages(1, chat=GROUP)
        await stage.say("/ban", user=ADMIN, chat_id=GROUP, reply_to=own[0]["message_id"])
        await stage.say("/ban everybody", user=ADMIN, chat_id=GROUP)
        answers = await stage.answers(3, chat=GROUP)
    assert await stage.answers(0, chat=2) == []
    assert answers[1] == answers[2]
    assert answers[1].startswith("Whom do you mean? Write /ban with a number")
    assert stage.rows("SELECT id, banned_by FROM bans") == [(2, ADMIN)]


async def test_an_admin_cannot_be_banned(stage: Stage) -> None:
    async with stage.bot(ScriptedActor(), admin_ids="99,98"):
        await stage.say("/ban 98", user=ADMIN)
        await stage.say("/ban 99", user=ADMIN)
        assert await stage.answers(2, chat=ADMIN) == [
            f"{number} is one of my admins and cannot be banned." for number in (98, 99)
        ]
        await stage.say("Hello", user=98)
        assert await stage.answers(1, chat=98) == ["You said: Hello"]


async def test_the_admins_commands_are_silent_to_everybody_else(stage: Stage) -> None:
    async with stage.bot(ScriptedActor(), admin_ids="99", user_messages_per_minute=1):
        for text in ("/ban 1", "/unban", "/ban@understudy_bot 99"):
            await stage.say(text, user=2)
            await stage.say(text, user=2, chat_id=GROUP)
        await handled(stage, 6)
        await stage.say("Hello", user=2)
        assert await stage.answers(1, chat=2) == ["You said: Hello"]
    assert await stage.answers(0, chat=GROUP) == []
    assert stage.rows("SELECT * FROM bans") == []


async def test_the_admins_commands_are_in_the_admins_menus_only(stage: Stage) -> None:
    async with stage.bot(ScriptedActor(), admin_ids="99"):
        await stage.say("Hello")
        await stage.answers(1)
        commands = (await stage.state())["commands"]
    menus = {(each["scope"], each["language_code"]): [one["command"] for one in each["commands"]] for each in commands}
    assert set(menus) == {("default", ""), ("default", "ru"), ("chat:99", ""), ("chat:99", "ru")}
    assert "ban" not in menus["default", ""]
    for_admins = ["ban", "unban", "review", "stats", "broadcast", "health", "retrain", "rollback", "versions"]
    assert menus["chat:99", ""] == menus["chat:99", "ru"] == [*menus["default", ""], *for_admins]


async def test_an_admin_whom_telegram_does_not_know_yet_is_no_reason_to_stop(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await stage.fault("500", method="setMyCommands", count=3)
    async with stage.bot(ScriptedActor(), admin_ids="99,98"):
        await stage.say("Hello")
        assert await stage.answers(1) == ["You said: Hello"]
        commands = (await stage.state())["commands"]
    assert {each["scope"] for each in commands} != {"default"}
    assert "The command menu of admin" in caplog.text


async def test_an_answer_left_behind_is_not_sent_to_who_was_banned_meanwhile(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.transport.delivery.PAUSES", ())
    await stage.fault("500", count=1, chat_id=2)
    async with stage.bot(ScriptedActor(), admin_ids="99", shutdown_grace=0.2):
        await stage.say("Hello", user=2)
        await stage.rows_become("SELECT state FROM inbox", [("answered",)])
        await stage.faults_are_over()
        await stage.say("/ban 2", user=ADMIN)
        await stage.answers(1, chat=ADMIN)
    async with stage.bot(ScriptedActor(), admin_ids="99"):
        await handled(stage, 2)
    assert await stage.answers(0, chat=2) == []
    assert stage.rows(OPEN) == [(0,)]


async def test_who_is_refused_when_telegram_is_away_is_told_later(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.transport.delivery.PAUSES", ())
    monkeypatch.setattr("bot.inbox.POSTPONE_SECONDS", 0.2)
    await stage.fault("500", count=1)
    async with stage.bot(ScriptedActor(), allowed_user_ids="1"):
        await stage.say("Hello", user=2)
        assert len(await stage.answers(1, chat=2)) == 1
        await handled(stage, 1)
