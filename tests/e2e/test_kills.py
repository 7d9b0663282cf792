"""Killed at random, in a short form; `make soak` does it a hundred times under twenty people."""

import pytest

from tests.e2e.kills import Findings, Heard, compare, survive
from tests.e2e.stage import Stage

SEED = 5


@pytest.mark.timeout(900)  # It starts the process six times, which takes long on a loaded machine.
async def test_killed_at_random_moments_it_answers_every_message_in_order_and_doubles_no_answer_without_a_cause(
    stage: Stage,
) -> None:
    findings = await survive(stage, people=6, kills=5, seed=SEED)
    assert findings.problems == []
    assert findings.messages >= 6
    assert stage.rows("SELECT count(*) FROM inbox WHERE state != 'done'") == [(0,)]


@pytest.mark.parametrize(
    ("heard", "drops", "problem"),
    [
        ("a0 b0", 0, "no answer to 1 messages: ['c']"),
        ("a0 c0 b0", 0, "answers in another order than the messages, or others than those"),
        ("a0 b0 a1 b1 c1", 0, "answers in another order than the messages, or others than those"),
        ("a0 b0 Sorry0 c0", 0, "answers in another order than the messages, or others than those"),
        ("a0 b0 b0 c0", 0, "1 answers doubled, 0 connections dropped"),
    ],
)
def test_what_is_lost_or_swapped_or_doubled_without_a_cause_is_found(heard: str, drops: int, problem: str) -> None:
    findings = Findings(kills=1, people=1)
    compare(findings, "chat", ["a", "b", "c"], spoken(heard), drops)
    assert findings.problems == [f"chat: {problem}"]


def test_copies_that_a_kill_or_a_dropped_connection_explains_are_counted() -> None:
    findings = Findings(kills=2, people=1)
    compare(findings, "chat", ["a", "b", "c"], spoken("a0 a1 b1 b2 c2 c2"), 1)
    assert findings.problems == []
    assert findings.doubled_by_kills == {1: 1, 2: 1}
    assert findings.doubled_by_faults == 1


def spoken(heard: str) -> list[Heard]:
    """Answers, each with the number of kills before it."""
    return [Heard(word[:-1], int(word[-1])) for word in heard.split()]
