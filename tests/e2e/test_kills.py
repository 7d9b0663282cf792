"""Killed at random, in a short form; `make soak` does it a hundred times under twenty people."""

from tests.e2e.kills import survive
from tests.e2e.stage import Stage

SEED = 5


async def test_killed_at_random_moments_it_answers_every_message_in_order_and_doubles_no_answer_without_a_cause(
    stage: Stage,
) -> None:
    findings = await survive(stage, people=6, kills=5, seed=SEED)
    assert findings.problems == []
    assert findings.messages >= 6
    assert stage.rows("SELECT count(*) FROM inbox WHERE state != 'done'") == [(0,)]
