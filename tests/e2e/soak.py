"""A steady load on the real process, as people make it, and what the process takes of the machine meanwhile.

Nobody says anything before the last thing is settled, so that the load is what the bot can bear. What is looked at in
the end: was everything handled, and do memory and open files stay as they are? Memory is judged by what it grows for
each update, with the Theil-Sen estimator (the median of the slopes between all pairs of samples), which a few odd
samples do not move; the beginning, in which caches fill, does not count.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import combinations
from statistics import median

import psutil

from bot.offline.world import Json
from tests.e2e.audience import WORDS, Audience
from tests.e2e.stage import BotProcess, Stage

GROUP = -1_000_000_000_500
NAME = "@understudy_bot"
WARM_UP = 1 / 2  # The share of the updates that does not count.
MOST_BYTES = 500.0  # An update may leave behind in memory, as a trend. An update kept would be five times that.
MOST_HANDLES = (
    3  # More at the end than after the warm-up, and one for each person: a connection may be in use just then.
)
PATIENCE = 120.0
PACE = "0.02"
MIB = 2**20


@dataclass(frozen=True, slots=True)
class Sample:
    """The process at one moment: seconds and updates since the start, bytes in memory, open files and connections."""

    seconds: float
    updates: int
    memory: int
    handles: int


@dataclass(slots=True)
class Findings:
    """What has come of it; `problems` are promises that were not kept, one line each."""

    people: int
    samples: list[Sample] = field(default_factory=list)
    deeds: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    @property
    def settled(self) -> list[Sample]:
        """The samples after the warm-up."""
        start = WARM_UP * self.samples[-1].updates
        return [sample for sample in self.samples if sample.updates >= start]

    @property
    def growth(self) -> float:
        """Bytes that the memory grows with an update, after the warm-up."""
        return slope([(sample.updates, sample.memory) for sample in self.settled])


class Desk:
    """Tells when the bot has settled an update, and how."""

    def __init__(self, stage: Stage) -> None:
        self.settled: Counter[str] = Counter()
        self._stage = stage
        self._waiting: dict[int, asyncio.Future[str]] = {}

    async def settle(self, update_id: int) -> None:
        """Wait until an update is done, or has failed."""
        outcome = self._waiting[update_id] = asyncio.get_running_loop().create_future()
        self.settled[await outcome] += 1

    async def watch(self) -> None:
        """Look into the inbox until cancelled."""
        while True:
            await asyncio.sleep(0.1)
            if self._waiting:
                numbers = ", ".join(map(str, self._waiting))
                closed = f"update_id IN ({numbers}) AND state IN ('done', 'failed')"
                for update_id, state in self._stage.rows(f"SELECT update_id, state FROM inbox WHERE {closed}"):  # noqa: S608
                    self._waiting.pop(update_id).set_result(state)


class Person:
    """Somebody who does what people do, one thing after the other."""

    def __init__(self, stage: Stage, audience: Audience, desk: Desk, user: int) -> None:
        self.unheard: list[str] = []
        self.deeds: Counter[str] = Counter()
        self._stage = stage
        self._world = stage.server.world
        self._audience = audience
        self._desk = desk
        self._user = user
        self._random = random.Random(user)
        self._said = 0
        self._last: Json = {}

    async def live(self, over: asyncio.Event) -> None:
        """Go on until it is over."""
        deeds = {
            self._talk: 8,
            self._ask: 3,
            self._command: 3,
            self._edit: 1,
            self._retry: 2,
            self._like: 2,
            self._talk_in_group: 0.2,  # Telegram lets a bot say twenty things a minute in a group.
        }
        while not over.is_set():
            (deed,) = self._random.choices(list(deeds), list(deeds.values()))
            if update_id := await deed():
                self.deeds[deed.__name__.strip("_")] += 1
                await self._desk.settle(update_id)
                self._look(deed == self._talk or deed == self._ask)

    async def _talk(self) -> int:
        self._last = await self._stage.say(self._words(), user=self._user)
        return int(self._last["update_id"])

    async def _ask(self) -> int:
        return int((await self._stage.say(f"/ask {self._words()}", user=self._user))["update_id"])

    async def _talk_in_group(self) -> int:
        said = await self._stage.say(f"{NAME} {self._words()}", user=self._user, chat_id=GROUP)
        return int(said["update_id"])

    async def _command(self) -> int:
        command = self._random.choice(("/help", "/start", "/reset", "/settings", "/privacy", "/undo", "/stop", "/what"))
        return int((await self._stage.say(command, user=self._user))["update_id"])

    async def _edit(self) -> int:
        if not self._last:
            return 0
        edited = await self._stage.edit(self._last["message_id"], self._words(), user=self._user)
        return int(edited["update_id"])

    async def _retry(self) -> int:
        return self._press("🔄")

    async def _like(self) -> int:
        return self._press("👍")

    def _press(self, label: str) -> int:
        """Press a button under the last messages; 0 if there is none."""
        if (chat := self._world.chats.get(self._user)) is None:
            return 0
        person = self._world.person(self._user)
        for message in reversed(list(chat.messages.values())[-10:]):
            rows = message.get("reply_markup", {}).get("inline_keyboard", ())
            for button in (button for row in rows for button in row if label in button["text"]):
                return self._world.press(person, chat, message, button["callback_data"])[1]
        return 0

    def _words(self) -> str:
        self._said += 1
        return f"{self._said} of {self._user}"

    def _look(self, wants_answer: bool) -> None:
        answer = WORDS.format(f"{self._said} of {self._user}")
        if wants_answer and answer not in self._audience.heard[self._user]:
            self.unheard.append(answer)


async def soak(
    stage: Stage,
    people: int,
    seconds: float,
    updates: int = 0,
    every: float = 2.0,
    tell: Callable[[Sample], None] = lambda _sample: None,
) -> Findings:
    """Have so many people keep the process busy for so long, and at least until so many updates are settled.

    The process is looked at `every` so many seconds.
    """
    audience, desk, findings = Audience(), Desk(stage), Findings(people)
    everybody = [Person(stage, audience, desk, user) for user in range(1, people + 1)]
    async with audience.listening(stage.server.world), stage.process(PACE=PACE, STREAMING="false") as bot:
        await stage.eventually(lambda: "Taking messages" in bot.log)
        async with _at_work(desk, everybody, findings):
            async for sample in _samples(bot, desk, every):
                findings.samples.append(sample)
                tell(sample)
                if sample.seconds >= seconds and sample.updates >= updates:
                    break
        if (status := await bot.stop()) != 0:
            findings.problems.append(f"the process ended with status {status}")
    _judge(findings, desk, everybody, bot)
    return findings


@asynccontextmanager
async def _at_work(desk: Desk, everybody: Sequence[Person], findings: Findings) -> AsyncIterator[None]:
    over = asyncio.Event()
    watch = asyncio.create_task(desk.watch())
    lives = [asyncio.create_task(person.live(over)) for person in everybody]
    try:
        yield
        over.set()
        _done, pending = await asyncio.wait(lives, timeout=PATIENCE)
        if pending:
            findings.problems.append(f"{len(pending)} people still wait for something to be settled")
    finally:
        for task in (watch, *lives):
            task.cancel()
        ended = await asyncio.gather(*lives, return_exceptions=True)
    findings.problems += [repr(error) for error in ended if isinstance(error, Exception)]


async def _samples(bot: BotProcess, desk: Desk, every: float) -> AsyncIterator[Sample]:
    process, begun = psutil.Process(bot.number), time.monotonic()
    while bot.runs:
        memory, handles = process.memory_info().rss, process.num_fds()
        yield Sample(time.monotonic() - begun, desk.settled.total(), memory, handles)
        await asyncio.sleep(every)


def _judge(findings: Findings, desk: Desk, everybody: Sequence[Person], bot: BotProcess) -> None:
    for person in everybody:
        findings.deeds += person.deeds
        findings.problems += [f"not heard: {text}" for text in person.unheard]
    if failed := desk.settled["failed"]:
        findings.problems.append(f"{failed} updates failed")
    if "Traceback" in bot.log:
        findings.problems.append("there is a traceback in the log")
    findings.problems += leaks(findings)


def leaks(findings: Findings) -> list[str]:
    """What grows though it should not, one line each."""
    found, settled = [], findings.settled
    if findings.growth > MOST_BYTES:
        found.append(f"memory grows by {findings.growth:.0f} bytes with each update (more than {MOST_BYTES:.0f})")
    third = max(1, len(settled) // 3)
    before, after = (median(sample.handles for sample in part) for part in (settled[:third], settled[-third:]))
    if after > before + MOST_HANDLES + findings.people:
        found.append(f"open files and connections grow from {before:.0f} to {after:.0f}")
    return found


def slope(points: Sequence[tuple[float, float]]) -> float:
    """The Theil-Sen estimator of the slope of a line through points; 0 where there is none."""
    slopes = [(y - other_y) / (x - other_x) for (other_x, other_y), (x, y) in combinations(points, 2) if x != other_x]
    return median(slopes) if slopes else 0.0
