"""Killed at random: people chat with the real process while Telegram misbehaves; it is killed and started again.

What people have heard in the end is compared with what they have said. Every copy of an answer has to be explained: by
a kill between the two (the process died after the sending and before it was on record), or by a connection that was
dropped after Telegram had taken the message. As the bot looks for what was perhaps sent, no kill may double more than
one answer, in all chats together.

No message is in hand at three kills in a row: the bot would take it for what kills it, and set it aside. So after a
kill in the first moments of a life the next life may finish what was left behind.
"""

import asyncio
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from random import Random

from bot.offline.faults import Fault
from tests.e2e.audience import Audience, Chatter
from tests.e2e.stage import BotProcess, Stage

PATIENCE = 120.0  # Seconds after which it is given up that an answer comes; a loaded machine may take long.
KINDS = ("429", "500", "drop", "drop_after", "slow")
METHODS = ("sendMessage", "sendMessage", "sendMessage", "getUpdates")  # What is called all the time: no fault may wait.
PEOPLE_A_FAULT = 5  # At most one fault at once for so many people, or some answers would wait for minutes.
MOST_ANSWERS = 2  # In one life, for each of the people.
EARLY = 0.3  # The share of kills in the first moments of a life, while it starts and reads what was left behind.
OPEN = "SELECT update_id FROM inbox WHERE state IN ('received', 'answered')"
SETTINGS = {"PACE": "0.05", "MAX_CONCURRENT_REPLIES": "8"}


Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer, and how often the process had been killed before it came."""

    text: str
    kills: int


@dataclass(slots=True)
class Findings:
    """What has come of it; `problems` are promises that were not kept, one line each."""

    kills: int
    people: int
    messages: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    doubled_by_kills: Counter[int] = field(default_factory=Counter)
    doubled_by_faults: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)


class Troublemaker:
    """Has Telegram misbehave, a little all the time."""

    def __init__(self, stage: Stage, users: Sequence[int], random: Random) -> None:
        self.given: Counter[str] = Counter()
        self.dropped_after: Counter[int] = Counter()
        self._faults = stage.server.faults
        self._users = users
        self._random = random

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            await asyncio.sleep(self._random.uniform(0.1, 0.5))
            if len(self._faults.as_json()) < max(1, len(self._users) // PEOPLE_A_FAULT):
                self._add(self._random.choice(KINDS), self._random.choice(METHODS), self._random.choice(self._users))

    def _add(self, kind: str, method: str, user: int) -> None:
        self.given[kind] += 1
        if kind == "drop_after":
            self.dropped_after[user] += 1
        chat = None if method == "getUpdates" else user
        self._faults.add(Fault(method, kind, retry_after=1, seconds=0.3, chat_id=chat))


async def survive(stage: Stage, people: int, kills: int, seed: int, tell: Tell = lambda _line: None) -> Findings:
    """Kill the process so many times under so many people, and look at what they have heard; `tell` is told of each."""
    random, begun = Random(seed), time.monotonic()
    audience, findings = Audience(), Findings(kills, people)
    chatters = [Chatter(stage, audience, user, Random(random.random())) for user in range(1, people + 1)]
    trouble = Troublemaker(stage, range(1, people + 1), Random(random.random()))
    lives = Lives(stage, audience, MOST_ANSWERS * people, random, tell)
    async with audience.listening(stage.server.world):
        over = asyncio.Event()
        chats = [asyncio.create_task(chatter.chat(over)) for chatter in chatters]
        async with _running(trouble):
            await lives.spend(kills)
        over.set()
        async with stage.process(**SETTINGS) as bot:
            await asyncio.wait(chats, timeout=PATIENCE)
            findings.problems += await _ending(stage, bot)
        for chat in chats:
            chat.cancel()
    findings.faults = trouble.given
    for chatter in chatters:
        heard, drops = lives.told_apart(chatter.user), trouble.dropped_after[chatter.user]
        compare(findings, f"chat {chatter.user}", chatter.expected, heard, drops)
    for kill, copies in findings.doubled_by_kills.items():
        if copies > 1:
            findings.problems.append(f"kill {kill}: {copies} answers doubled")
    findings.seconds = time.monotonic() - begun
    return findings


class Lives:
    """One life of the process after the other."""

    def __init__(self, stage: Stage, audience: Audience, most_answers: int, random: Random, tell: Tell) -> None:
        self._stage = stage
        self._audience = audience
        self._most_answers = most_answers
        self._random = random
        self._tell = tell
        self._marks: list[dict[int, int]] = []

    async def spend(self, kills: int) -> None:
        """Start the process and kill it, so many times."""
        seconds_to_start, early = 0.0, True
        for number in range(1, kills + 1):
            early = not early and self._random.random() < EARLY
            left_behind = _open(self._stage) or frozenset()
            async with self._stage.process(**SETTINGS) as bot:
                begun = time.monotonic()
                if early:
                    await asyncio.sleep(self._random.uniform(0, 1.2 * seconds_to_start))
                else:
                    await self._is_at_work(bot, left_behind)
                    seconds_to_start = seconds_to_start or time.monotonic() - begun
                    await self._has_said(bot, self._random.randint(0, self._most_answers))
                    await asyncio.sleep(self._random.uniform(0, 1))  # Or it would always be just after an answer.
                await bot.kill()
            # What the dead process has written is still to be read by the server.
            await asyncio.sleep(0.2)
            self._marks.append({chat: len(texts) for chat, texts in self._audience.heard.items()})
            self._tell(f"killed {number} of {kills}, {self._audience.count} answers")

    def told_apart(self, chat: int) -> list[Heard]:
        """What was heard in a chat, with the life in which it came."""
        texts = self._audience.heard[chat]
        return [
            Heard(text, sum(mark.get(chat, 0) <= place for mark in self._marks)) for place, text in enumerate(texts)
        ]

    async def _is_at_work(self, bot: BotProcess, left_behind: frozenset[int]) -> None:
        """Wait until the process takes messages, and has finished what was left behind."""

        def at_work() -> bool:
            assert bot.runs, f"the process has ended by itself:\n{bot.log}"
            still_open = _open(self._stage)
            return "Taking messages" in bot.log and still_open is not None and not still_open & left_behind

        await _until(at_work)

    async def _has_said(self, bot: BotProcess, answers: int) -> None:
        """Wait until the process has given so many answers: how much that is in seconds depends on the machine."""
        enough = self._audience.count + answers

        def said() -> bool:
            assert bot.runs, f"the process has ended by itself:\n{bot.log}"
            return self._audience.count >= enough

        await _until(said)


@asynccontextmanager
async def _running(trouble: Troublemaker) -> AsyncIterator[None]:
    task = asyncio.create_task(trouble.run())
    try:
        yield
    finally:
        task.cancel()


async def _ending(stage: Stage, bot: BotProcess) -> list[str]:
    """Let the last life come to rest; what is wrong with what it leaves."""
    problems = []
    try:
        await _until(lambda: _open(stage) == frozenset())
    except TimeoutError:
        problems.append(f"rows of the inbox that are still open: {_open(stage)}")
    if (status := await bot.stop()) != 0:
        problems.append(f"the last process ended with status {status}")
    if (found := stage.rows("PRAGMA integrity_check")) != [("ok",)]:
        problems.append(f"the database is damaged: {found[0][0]}")
    return problems


def compare(findings: Findings, chat: str, expected: Sequence[str], heard: Sequence[Heard], drops: int) -> None:
    """Look at one chat: is everything there, in order, and can every copy be explained?

    `drops` is how often Telegram was asked to drop the connection after it had taken a message.
    """
    findings.messages += len(expected)
    in_order = [text for text, _copies in groupby(answer.text for answer in heard)]
    if missing := set(expected) - set(in_order):
        findings.problems.append(f"{chat}: no answer to {len(missing)} messages: {sorted(missing)[:3]}")
    elif in_order != list(expected):
        findings.problems.append(f"{chat}: answers in another order than the messages, or others than those")
    copies = [(one.kills, other.kills) for one, other in pairwise(heard) if one.text == other.text]
    by_kills = Counter(later for earlier, later in copies if earlier != later)
    by_faults = sum(earlier == later for earlier, later in copies)
    if by_faults > drops:
        findings.problems.append(f"{chat}: {by_faults} answers doubled, {drops} connections dropped")
    findings.doubled_by_kills += by_kills
    findings.doubled_by_faults += by_faults


def _open(stage: Stage) -> frozenset[int] | None:
    """The updates that are still to be answered; None while the database cannot say."""
    try:
        return frozenset(update_id for (update_id,) in stage.rows(OPEN))
    except sqlite3.OperationalError:
        return None


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            if condition():
                return
            await asyncio.sleep(0.05)
