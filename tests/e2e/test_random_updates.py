"""Updates of random shape: each is handled or refused, whichever way they come, and the bot goes on."""

import pytest

from tests.bot.actors import ScriptedActor
from tests.e2e.random_updates import OPEN, swallow
from tests.e2e.stage import Stage

COUNT, SEED = 300, 1


@pytest.mark.timeout(900)  # As long as the answers may take on a loaded machine.
async def test_updates_of_random_shape_are_handled_or_refused_with_a_line_and_the_next_message_is_answered(
    stage: Stage,
) -> None:
    findings = await swallow(stage, COUNT, SEED)
    assert findings.problems == []
    assert findings.taken + findings.refused == COUNT
    assert min(findings.taken, findings.refused) > COUNT / 10
    assert not list(stage.folder.rglob("pwned"))


async def test_an_update_that_cannot_be_read_does_not_stand_before_the_others(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    updates = stage.server.world.updates
    async with stage.bot(ScriptedActor()):
        await stage.say("one")
        await stage.answers(1)
        number = updates.push("callback_query", {"id": "1", "from": "private words"})
        await stage.say("two")
        assert await stage.answers(2) == ["You said: one", "You said: two"]
        await stage.eventually(lambda: not len(updates))
        await stage.rows_become(OPEN, [(0,)])
    assert caplog.text.count(f"Update {number} is left out") == 1
    assert "private words" not in caplog.text
