"""Updates of random shape: what Telegram sends, with things missing, of another kind, out of all bounds, or hostile."""

import asyncio
import copy
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import aiohttp

from bot.transport.webhook import SECRET_HEADER
from tests.e2e.stage import Stage, free_port
from tests.hostile import EDGES, HOSTILE

Json = dict[str, Any]

PATIENCE = 600.0  # Telegram lets a bot say thirty things a second, so many answers take their time.

USER = {"id": 1, "is_bot": False, "first_name": "Ned", "language_code": "en"}
PRIVATE = {"id": 1, "type": "private", "first_name": "Ned"}
BOT = {"id": 1, "is_bot": True, "first_name": "Lisa", "username": "understudy_bot"}
COMMANDS = ("start", "help", "ask", "reset", "retry", "undo", "stop", "why", "settings", "persona", "privacy", "export")
PRESSES = ("again:1:1", "show:1:1", "judge:like:1:1", "judge:correct:1:1", "set:length:short", "forget:no:1", "who:0")
ODD: tuple[Any, ...] = (None, True, [], {}, [[]], {"id": {}}, "text", 1.5, *EDGES)


SECRET = "only-telegram-knows"
OPEN = "SELECT count(*) FROM inbox WHERE state IN ('received', 'answered')"


@dataclass(slots=True)
class Findings:
    """How many updates were taken, and how many refused; `problems` are promises that were not kept, one line each."""

    taken: int = 0
    refused: int = 0
    problems: list[str] = field(default_factory=list)


async def swallow(stage: Stage, count: int, seed: int) -> Findings:
    """Send the real process so many updates of random shape, then an ordinary message."""
    findings, port = Findings(), free_port()
    url = f"http://127.0.0.1:{port}/"
    await stage.say("Hello")  # Telegram lets the bot write to those who have written before.
    webhook = {"WEBHOOK_URL": url, "WEBHOOK_SECRET": SECRET, "WEBHOOK_PORT": str(port)}
    async with stage.process(**webhook) as bot:
        await stage.answers(1)
        await _feed(url, random_updates(count, seed), findings)
        try:
            await _until(lambda: stage.rows(OPEN) == [(0,)])
        except TimeoutError:
            findings.problems.append(f"{stage.rows(OPEN)[0][0]} updates are neither handled nor refused")
        await stage.say("Still there?", user=2)
        if await stage.answers(1, chat=2) != ["You said: Still there?"]:
            findings.problems.append("an ordinary message is not answered as it should be")
        if (status := await bot.stop()) != 0:
            findings.problems.append(f"the process ended with status {status}")
    if (told := bot.log.count("A call of the webhook was refused")) != findings.refused:
        findings.problems.append(f"{findings.refused} updates were refused, and {told} lines in the log say so")
    if stage.rows("PRAGMA integrity_check") != [("ok",)]:
        findings.problems.append("the database is damaged")
    return findings


async def _feed(url: str, updates: Iterable[Json], findings: Findings) -> None:
    async with aiohttp.ClientSession() as http:
        for update in updates:
            async with http.post(url, data=json.dumps(update), headers={SECRET_HEADER: SECRET}) as answer:
                findings.taken += answer.status == 200
                findings.refused += answer.status == 400
                if answer.status not in (200, 400):
                    findings.problems.append(f"status {answer.status} for {update}")


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            if condition():
                return
            await asyncio.sleep(0.1)


def random_updates(count: int, seed: int) -> Iterator[Json]:
    """So many of them, always the same for a seed; most are nearly as they should be."""
    random = Random(seed)
    for number in range(1, count + 1):
        shape = random.choice((_message, _message, _message, _edited, _pressed, _reacted, _typed))
        update = {"update_id": number} | shape(random)
        for _ in range(random.choice((0, 0, 1, 1, 2, 4))):
            _damage(update, random)
        yield update


def _message(random: Random) -> Json:
    return {"message": _said(random)}


def _edited(random: Random) -> Json:
    return {"edited_message": _said(random) | {"edit_date": 1_700_000_001}}


def _pressed(random: Random) -> Json:
    under = _said(random) | {"from": BOT}
    data = random.choice((*PRESSES, *HOSTILE))
    return {"callback_query": {"id": "1", "from": USER, "message": under, "chat_instance": "1", "data": data}}


def _reacted(random: Random) -> Json:
    of = {"chat": _chat(random), "message_id": random.randint(1, 9), "user": USER}
    emoji = {"type": "emoji", "emoji": random.choice(("👍", "👎", *HOSTILE))}
    return {"message_reaction": of | {"date": 1_700_000_000, "old_reaction": [], "new_reaction": [emoji]}}


def _typed(random: Random) -> Json:
    return {"inline_query": {"id": "1", "from": USER, "query": random.choice(HOSTILE), "offset": ""}}


def _said(random: Random) -> Json:
    message: Json = {"message_id": random.randint(1, 10**6), "date": 1_700_000_000, "from": dict(USER)}
    message["chat"] = _chat(random)
    words = random.choice(HOSTILE)
    if random.random() < 0.3:
        command = f"/{random.choice(COMMANDS)}"
        message["entities"] = [{"type": "bot_command", "offset": 0, "length": len(command)}]
        words = f"{command} {words}"
    message["text"] = words
    if random.random() < 0.2:
        message |= {"message_thread_id": random.choice(EDGES), "is_topic_message": True}
    if random.random() < 0.2:
        message["reply_to_message"] = {"message_id": 1, "date": 1, "chat": message["chat"], "from": BOT, "text": "Hi"}
    if random.random() < 0.1:
        message["sticker"] = random.choice(ODD)
    return message


def _chat(random: Random) -> Json:
    if random.random() < 0.9:
        return dict(PRIVATE)
    # Many groups: in each the bot says no more than twenty things a minute.
    return {"id": -1_000_000_000_000 - random.randint(1, 100), "type": "supergroup", "title": "Friends"}


def _damage(value: Any, random: Random) -> None:
    """Take something out, or put something else into its place, somewhere in the depth."""
    while isinstance(value, dict) and value:
        key = random.choice(sorted(value))
        if isinstance(value[key], dict) and random.random() < 0.7:
            value[key] = value = copy.copy(value[key])
        elif random.random() < 0.4:
            del value[key]
            return
        else:
            value[key] = random.choice((*ODD, *HOSTILE))
            return
