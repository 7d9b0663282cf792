"""What does the bot itself cost? python -m benchmarks.overhead [--quick] [--no-character] [--out DIR]

The real process against the offline Telegram, which is a process of its own, over HTTP. With an instant actor in the
model's place: what the bot adds to a message, and how many messages a second it carries with none lost or doubled.
With the character that ships: from the start of the process to its first answer, and the memory it takes. Writes
overhead.json and overhead.md into DIR; the exit status is 1 where a message was lost or doubled.
"""

import argparse
import asyncio
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import psutil

from benchmarks.markdown import table
from benchmarks.speed.footprint import family
from bot.transport.connection import HTTP_SECONDS
from bot.transport.http import DirectRequest
from tests.e2e.stage import REPOSITORY, TOKEN, BotProcess

PARROT = REPOSITORY / "tests" / "e2e" / "bot_process.py"
READY = "Taking messages"
ROUND_TRIPS = 300
MS, MIB = 1000.0, 2**20


@dataclass(frozen=True, slots=True)
class Single:
    """One message at a time: seconds from the update's being ready to the answer's being there.

    `round_trip` is that of a bare call by the bot's HTTP client; two of them are not the bot's own.
    """

    messages: int
    p50: float
    p95: float
    round_trip: float
    cpu: float

    @property
    def net(self) -> float:
        """What the bot adds, p50."""
        return self.p50 - 2 * self.round_trip


@dataclass(frozen=True, slots=True)
class Load:
    """Many people at a rate (0: all at once): answers a second, how long they took, CPU seconds a message."""

    rate: float
    people: int
    messages: int
    lost: int
    doubled: int
    carried: float
    p50: float
    p95: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Character:
    """The character that ships: seconds to the first answer, median; bytes of memory then, and at most."""

    starts: list[float]
    chats: int
    at_rest: int
    peak: int


class Telegram:
    """The process with the server and the people."""

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self.url = url
        self._process = process

    async def trial(self, name: str, **options: Any) -> dict[str, Any]:
        """What comes of a trial; see `benchmarks.telegram_process`."""
        assert self._process.stdin is not None, "a pipe"
        assert self._process.stdout is not None, "a pipe"
        self._process.stdin.write(json.dumps([name, options]).encode() + b"\n")
        found: dict[str, Any] = json.loads(await self._process.stdout.readline())
        return found


def main() -> int:
    """Make the trials; print what comes of them."""
    options = parse_options()
    found = asyncio.run(measure(options))
    write(found, options.out)
    print(page(found))
    return 1 if any(load.lost or load.doubled for load in found["loads"]) else 0


def parse_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """How much, and where to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a fifth of the messages, and fewer starts")
    parser.add_argument("--people", type=int, default=200, metavar="N", help="who write at once (default 200)")
    parser.add_argument("--no-character", action="store_true", help="leave out what needs the model")
    parser.add_argument("--out", type=Path, default=Path("docs/results"), metavar="DIR", help="default docs/results")
    return parser.parse_args(arguments)


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    """All trials, one after the other."""
    share = 5 if options.quick else 1
    single, loads = await with_parrot(options.people, 300 // share, 3000 // share)
    character = None if options.no_character else await with_character(2 if options.quick else 5)
    return {"single": single, "loads": loads, "character": character}


async def with_parrot(people: int, singles: int, many: int) -> tuple[Single, list[Load]]:
    """An instant actor: one message at a time, then many people."""
    with tempfile.TemporaryDirectory() as folder:
        async with telegram() as server, bot(server, Path(folder), str(PARROT)) as process:
            await server.trial("one_by_one", people=10, messages=30)  # For the caches.
            single = await one_by_one(server, process, singles)
            loads = [await under_load(server, process, people, many, rate) for rate in (100.0, 200.0, 0.0)]
    return single, loads


async def one_by_one(server: Telegram, process: BotProcess, messages: int) -> Single:
    """The bare round trips are made just before, by another process than the bot's or the server's: this one."""
    bare = await round_trip(server.url)
    used = cpu_seconds(process)
    found = await server.trial("one_by_one", people=10, messages=messages)
    cpu = (cpu_seconds(process) - used) / messages
    return Single(messages, median(found["waits"]), percentile95(found["waits"]), bare, cpu)


async def under_load(server: Telegram, process: BotProcess, people: int, messages: int, rate: float) -> Load:
    """So many messages at a rate."""
    used = cpu_seconds(process)
    found = await server.trial("at_rate", people=people, messages=messages, rate=rate)
    cpu = (cpu_seconds(process) - used) / messages
    waits, seconds = found["waits"], found["last"] - found["start"]
    lost, doubled, carried = found["lost"], found["doubled"], len(waits) / seconds
    return Load(rate, people, messages, lost, doubled, carried, median(waits), percentile95(waits), cpu)


async def round_trip(url: str) -> float:
    """What a call costs that does nothing, in seconds: the bot's HTTP client and the server, median."""
    client = DirectRequest(1, HTTP_SECONDS)
    await client.initialize()
    times = []
    for _ in range(ROUND_TRIPS):
        begun = time.monotonic()
        await client.do_request(f"{url}/bot{TOKEN}/getMe", "POST")
        times.append(time.monotonic() - begun)
    await client.shutdown()
    return median(times)


async def with_character(starts: int) -> Character:
    """The character that ships: the first start fills the caches, and does not count."""
    chats = 32
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with telegram() as server:
            times = [await first_answer(server, folder) for _ in range(starts + 1)][1:]
            async with bot(server, folder, "-m", "bot") as process:
                peak = asyncio.create_task(peak_memory(process))
                await server.trial("at_rate", people=chats, messages=chats, rate=0)
                at_rest = memory(process.number)
                await process.stop()
    return Character(times, chats, at_rest, await peak)


async def first_answer(server: Telegram, folder: Path) -> float:
    """Seconds from the start of the process to the answer to a message that was there before."""
    asking = asyncio.create_task(server.trial("at_rate", people=1, messages=1, rate=0))
    await asyncio.sleep(0.1)
    begun = time.monotonic()
    async with bot(server, folder, "-m", "bot", wait=False) as process:
        found = await asking
        await process.stop()
    return float(found["last"]) - begun


async def peak_memory(process: BotProcess) -> int:
    """The most bytes in memory that the process is seen with until it ends."""
    most = 0
    while process.runs:
        try:
            most = max(most, memory(process.number))
        except psutil.NoSuchProcess:
            break
        await asyncio.sleep(0.05)
    return most


def memory(number: int) -> int:
    """Bytes that a process has in memory, with those that it has started."""
    return sum(process.memory_info().rss for process in family(number))


@asynccontextmanager
async def telegram() -> AsyncIterator[Telegram]:
    """The offline Telegram, empty."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "benchmarks.telegram_process"),
        cwd=REPOSITORY,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=2**26,  # All times come in one line.
    )
    assert process.stdin is not None, "a pipe"
    assert process.stdout is not None, "a pipe"
    try:
        yield Telegram(process, json.loads(await process.stdout.readline()))
    finally:
        process.stdin.close()
        await process.wait()


@asynccontextmanager
async def bot(server: Telegram, folder: Path, *script: str, wait: bool = True) -> AsyncIterator[BotProcess]:
    """The bot in a process of its own, as soon as it takes messages."""
    environment = {
        "TELEGRAM_BOT_TOKEN": TOKEN,
        "TELEGRAM_BASE_URL": server.url,
        "DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'bot.db'}",
        "MODEL_STORE": str(folder / "models"),
        "PYTHONPATH": str(REPOSITORY),
        "TELEGRAM_MESSAGES_PER_SECOND": "0",  # What the bot can do is looked for, and not what Telegram allows.
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *script,
        cwd=folder,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    running = BotProcess(process)
    try:
        while wait and READY not in running.log:
            assert running.runs, f"the bot has ended:\n{running.log}"
            await asyncio.sleep(0.02)
        yield running
    finally:
        await running.kill()


def cpu_seconds(process: BotProcess) -> float:
    """What the process has used of the processor so far."""
    times = psutil.Process(process.number).cpu_times()
    return float(times.user + times.system)


def percentile95(values: Sequence[float]) -> float:
    """The value that 95 of 100 do not exceed."""
    return quantiles(values, n=20)[-1]


def write(found: dict[str, Any], folder: Path) -> None:
    """The figures, and the page about them."""
    folder.mkdir(parents=True, exist_ok=True)
    plain = {
        "single": {**asdict(found["single"]), "net": found["single"].net},
        "loads": [asdict(load) for load in found["loads"]],
        "character": asdict(found["character"]) if found["character"] else None,
    }
    (folder / "overhead.json").write_text(json.dumps(plain, indent=2) + "\n", encoding="utf-8")
    (folder / "overhead.md").write_text(page(found) + "\n", encoding="utf-8")


HEAD = """# What the bot itself costs

`make bench-bot` has written this page. The real process against the offline Telegram, a process of its own, over HTTP;
both share {cores} CPU cores ({machine}, Python {python})."""

SINGLE = """## One message at a time

An instant actor is in the model's place. The clock runs from the moment when Telegram has the message ready for the bot
until it has the answer. That takes two calls over HTTP (the message comes as the answer to a call, the answer goes as
another one), and two bare round trips of the same HTTP client to the same server, which do nothing else, are
subtracted."""

LOADS = """## Many people

{people} people write, each in a chat of their own, at a rate or all at once. Nobody waits for an answer before the next
message is written."""

CHARACTER = """## With the character that ships

From the start of `python -m bot` to its first answer, every cache warm; then {chats} people who write at once."""


def page(found: dict[str, Any]) -> str:
    """All figures as Markdown."""
    head = HEAD.format(
        cores=os.cpu_count(), machine=f"{platform.system()} {platform.machine()}", python=platform.python_version()
    )
    parts = [head, SINGLE, _single(found["single"]), LOADS.format(people=found["loads"][0].people)]
    parts.append(_loads(found["loads"]))
    if character := found["character"]:
        parts += [CHARACTER.format(chats=character.chats), _character(character)]
    return "\n\n".join(parts)


def _single(single: Single) -> str:
    rows = [
        ("from the message to the answer, p50", f"{MS * single.p50:.1f} ms"),
        ("p95", f"{MS * single.p95:.1f} ms"),
        ("a bare round trip", f"{MS * single.round_trip:.1f} ms"),
        ("**what the bot adds, p50**", f"**{MS * single.net:.1f} ms**"),
        ("CPU time of the bot", f"{MS * single.cpu:.1f} ms a message"),
        ("messages", f"{single.messages}"),
    ]
    return table(("", ""), rows)


def _loads(loads: Sequence[Load]) -> str:
    head = ("messages a second", "carried a second", "lost", "doubled", "p50", "p95", "CPU time of the bot a message")
    rows = [
        (
            f"{load.rate:.0f}" if load.rate else f"{load.messages} at once",
            f"{load.carried:.0f}",
            f"{load.lost}",
            f"{load.doubled}",
            f"{MS * load.p50:.0f} ms",
            f"{MS * load.p95:.0f} ms",
            f"{MS * load.cpu:.1f} ms",
        )
        for load in loads
    ]
    return table(head, rows)


def _character(character: Character) -> str:
    starts = ", ".join(f"{seconds:.2f}" for seconds in character.starts)
    rows = [
        ("**process start to first answer, median**", f"**{median(character.starts):.2f} s** ({starts})"),
        (f"memory after {character.chats} chats at once", f"{character.at_rest / MIB:.0f} MiB"),
        ("the most that was seen", f"{character.peak / MIB:.0f} MiB"),
    ]
    return table(("", ""), rows)


if __name__ == "__main__":
    sys.exit(main())
