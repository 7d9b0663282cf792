"""A stage for tests: an offline Telegram over real HTTP, people who write there, and the bot."""

import asyncio
import os
import signal
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from bot.app import build
from bot.chat_service import Actor
from bot.offline import OfflineTelegram
from bot.settings import load_settings
from bot.training.trainer import Trainer
from bot.transport.previews import Pace

TOKEN = "1:offline"
REPOSITORY = Path(__file__).parents[2]
PATIENCE = 30.0  # Seconds after which a test gives up; a loaded machine may take long.

Json = dict[str, Any]


class Stage:
    """The server, the people, and where the bot keeps its database."""

    def __init__(
        self, server: OfflineTelegram, http: aiohttp.ClientSession, folder: Path, url: str | None = None
    ) -> None:
        self.server = server
        self.url = url or server.url
        self.folder = folder
        self.database = folder / "bot.db"
        self._http = http

    async def say(self, text: str, user: int = 1, **more: Any) -> Json:
        """A person writes; in private unless `chat_id` says otherwise."""
        return await self._post("send", {"user_id": user, "chat_id": user, "text": text, **more})

    async def edit(self, message_id: int, text: str, user: int = 1, **more: Any) -> Json:
        """A person changes the words of a message."""
        return await self._post(
            "edit", {"user_id": user, "chat_id": user, "message_id": message_id, "text": text, **more}
        )

    async def press(self, message: Json, label: str, user: int = 1) -> str:
        """A person presses the button of a message whose label contains `label`; returns what the toast says."""
        return await self.toast(await self.push(message, label, user), message["chat"]["id"])

    async def push(self, message: Json, label: str, user: int = 1) -> str:
        """The same, without waiting for the toast; returns the number by which `toast` knows it."""
        buttons = [button for row in message["reply_markup"]["inline_keyboard"] for button in row]
        (data,) = [button["callback_data"] for button in buttons if label in button["text"]]
        where = {"user_id": user, "chat_id": message["chat"]["id"], "message_id": message["message_id"]}
        return str((await self._post("press", {**where, "data": data}))["callback_query_id"])

    async def react(self, message: Json, emoji: str, user: int = 1) -> None:
        """A person puts a reaction under a message, or takes the same one away."""
        where = {"user_id": user, "chat_id": message["chat"]["id"], "message_id": message["message_id"]}
        await self._post("react", {**where, "emoji": emoji})

    async def add_group(self, chat_id: int, **more: Any) -> None:
        """A group comes to be."""
        await self._post("add", {"chat_id": chat_id, "title": f"Group {-chat_id}", **more})

    async def botfather(self, **settings: bool) -> None:
        """The bot's owner turns `privacy` mode or `inline` mode on or off; a bot learns of it when it starts."""
        await self._post("botfather", settings)

    async def migrate(self, chat_id: int) -> int:
        """A group becomes a supergroup; returns its new number."""
        return int((await self._post("migrate", {"chat_id": chat_id}))["chat_id"])

    async def type(self, query: str, user: int = 1) -> str:
        """A person types this after the bot's name; returns the number by which `offered` knows it."""
        return str((await self._post("inline", {"user_id": user, "query": query}))["inline_query_id"])

    async def offered(self, query_id: str) -> Json:
        """What the bot offers for what was typed, as soon as it does."""
        answer = (await self._get("inline", inline_query_id=query_id, wait=PATIENCE))["answer"]
        assert answer is not None, "the bot offers nothing"
        found: Json = answer
        return found

    async def choose(self, query_id: str, result_id: str, chat_id: int) -> int:
        """The person sends what was offered to a chat; returns the number of the message."""
        choice = {"inline_query_id": query_id, "result_id": result_id, "chat_id": chat_id}
        return int((await self._post("choose", choice))["message_id"])

    async def toast(self, query_id: str, chat: int = 1) -> str:
        """What a button said to whoever pressed it, as soon as it says something, which may be nothing."""
        said: list[str] = []

        async def answered() -> bool:
            answers = (await self._get("messages", chat_id=chat))["answers"]
            said.extend(answer["text"] for answer in answers if answer["callback_query_id"] == query_id)
            return bool(said)

        await _until(answered)
        return said[0]

    async def shows(self, *texts: str, chat: int = 1) -> list[Json]:
        """Wait until the bot's messages in a chat are these, by their texts; returns them whole."""
        seen: list[Json] = []

        async def as_expected() -> bool:
            messages = (await self._get("messages", chat_id=chat))["messages"]
            seen[:] = [message for message in messages if message["from_bot"]]
            return [message["text"] for message in seen] == list(texts)

        try:
            await _until(as_expected)
        except TimeoutError:
            raise AssertionError(f"the bot's messages are {[message['text'] for message in seen]}") from None
        return seen

    async def toasts(self, count: int, chat: int = 1) -> list[str]:
        """What those who pressed buttons in a chat were shown, as soon as there are `count` answers."""
        found: list[str] = []

        async def enough() -> bool:
            found[:] = [answer["text"] for answer in (await self._get("messages", chat_id=chat))["answers"]]
            return len(found) >= count

        await _until(enough)
        return found

    def raw(self) -> bytes:
        """All bytes of the bot's database, its log and its index included."""
        files = [self.database.with_name(self.database.name + end) for end in ("", "-wal", "-shm")]
        return b"".join(file.read_bytes() for file in files if file.exists())

    async def fault(self, kind: str, method: str = "sendMessage", **more: Any) -> None:
        """The next call of a method goes wrong."""
        await self._post("faults", {"kind": kind, "method": method, **more})

    async def faults_are_over(self) -> None:
        """Wait until every fault has happened."""
        await self.eventually(lambda: not self.server.faults.as_json())

    async def answers(self, count: int, chat: int = 1) -> list[str]:
        """The bot's messages in a chat, as soon as there are `count` of them."""
        return [message["text"] for message in await self.messages(count, chat)]

    async def messages(self, count: int, chat: int = 1) -> list[Json]:
        """The same, whole."""
        async with asyncio.timeout(PATIENCE):
            version = 0
            while True:
                seen = await self._get("messages", chat_id=chat, since=version, wait=5 if count else 0)
                mine = [message for message in seen["messages"] if message["from_bot"]]
                if len(mine) >= count:
                    return mine
                version = seen["version"]

    async def typing_is_shown(self, chat: int = 1) -> None:
        """Wait until the bot is seen typing."""

        async def typing() -> bool:
            return bool((await self._get("messages", chat_id=chat))["actions"])

        await _until(typing)

    async def drafts(self, chat: int = 1) -> list[str]:
        """Every draft that a private chat has been shown."""
        return [draft.get("text", "") for draft in (await self._get("messages", chat_id=chat))["drafts"]]

    async def draft_shows(self, text: str, chat: int = 1) -> None:
        """Wait until this is what is being written in a private chat."""

        async def shown() -> bool:
            return (await self.drafts(chat))[-1:] == [text]

        await _until(shown)

    async def state(self) -> Json:
        """Everybody and everything."""
        return await self._get("state")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The bot's database, as another program sees it."""
        with sqlite3.connect(self.database) as connection:
            found = connection.execute(query).fetchall()
        connection.close()
        return found

    def change(self, statement: str) -> None:
        """Another program changes the bot's database."""
        with sqlite3.connect(self.database) as connection:
            connection.execute(statement)
        connection.close()

    async def rows_become(self, query: str, expected: list[tuple[Any, ...]]) -> None:
        """Wait until a query gives what is expected; the bot marks a message after it has sent it."""

        async def as_expected() -> bool:
            try:
                return self.rows(query) == expected
            except sqlite3.OperationalError:  # The bot has not made its tables yet.
                return False

        await _until(as_expected)

    async def eventually(self, condition: Callable[[], bool]) -> None:
        """Wait until something holds."""

        async def holds() -> bool:
            return condition()

        await _until(holds)

    def at(self, url: str) -> "Stage":
        """The people of another server."""
        return Stage(self.server, self._http, self.folder, url)

    def environment(self, **more: str) -> dict[str, str]:
        """The settings of a bot that runs in a process of its own."""
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(REPOSITORY),
            "PYTHONUNBUFFERED": "1",
            "TELEGRAM_BOT_TOKEN": TOKEN,
            "TELEGRAM_BASE_URL": self.server.url,
            "DATABASE_URL": f"sqlite+aiosqlite:///{self.database}",
            **more,
        }

    def witnessed(self) -> dict[str, str]:
        """Settings by which a bot, and all that it starts, writes down whom it speaks to (`tests/e2e/witness`)."""
        path = os.pathsep.join([str(Path(__file__).with_name("witness")), str(REPOSITORY)])
        return {"PYTHONPATH": path, "WITNESS": str(self._witness)}

    def seen_addresses(self) -> set[tuple[str, ...]]:
        """Host and port of everyone that was looked up or spoken to."""
        return {tuple(line.split()[1:]) for line in self.seen_events()}

    def seen_events(self) -> list[str]:
        """Each look-up and each call: its name, the host, the port."""
        return [line for line in self._witness.read_text().splitlines() if not line.startswith("start ")]

    def seen_programs(self) -> list[str]:
        """The commands of the processes that were watched."""
        lines = self._witness.read_text().splitlines()
        return [line.removeprefix("start ") for line in lines if line.startswith("start ")]

    @property
    def _witness(self) -> Path:
        return self.folder / "witness"

    @asynccontextmanager
    async def bot(
        self,
        actor: Actor,
        load: Callable[[str], Actor] | None = None,
        pace: Pace | None = None,
        trainer: Trainer | None = None,
        **settings: Any,
    ) -> AsyncIterator[None]:
        """Run the bot in this process until the block ends, then stop it in good order.

        `load` gives other actors; `pace` says when what is shown of an answer; `trainer` makes new versions.
        """
        given = {
            "telegram_bot_token": TOKEN,
            "telegram_base_url": self.server.url,
            "database_url": f"sqlite+aiosqlite:///{self.database}",
            **settings,
        }
        stop = asyncio.Event()
        app = build(load_settings(**given), actor=actor, load=load, pace=pace, trainer=trainer)
        running = asyncio.create_task(app.run(stop))
        try:
            yield
        finally:
            stop.set()
            await asyncio.wait_for(running, PATIENCE)

    @asynccontextmanager
    async def process(self, *arguments: str, **environment: str) -> AsyncIterator["BotProcess"]:
        """Run the bot in a process of its own; it is killed at the end of the block if it still runs."""
        script = arguments or (str(Path(__file__).with_name("bot_process.py")),)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *script,
            cwd=self.folder,
            env=self.environment(**environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        running = BotProcess(process)
        try:
            yield running
        finally:
            await running.kill()

    async def _post(self, what: str, body: Json) -> Json:
        async with self._http.post(f"{self.url}/people/{what}", json=body) as answer:
            answer.raise_for_status()
            found: Json = await answer.json()
            return found

    async def _get(self, what: str, **query: Any) -> Json:
        async with self._http.get(f"{self.url}/people/{what}", params=query) as answer:
            found: Json = await answer.json()
            return found


class BotProcess:
    """A bot in a process of its own. `output` and `log` are what it has printed on its two streams so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.output = ""
        self.log = ""
        self._readers = asyncio.gather(self._read("output", process.stdout), self._read("log", process.stderr))

    @property
    def number(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.returncode is None

    async def kill(self) -> None:
        """End it as a power cut would, if it still runs."""
        if self._process.returncode is None:
            self._process.kill()
        await self.ended()

    async def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to stop; returns its exit status."""
        self._process.send_signal(number)
        return await self.ended()

    async def ended(self) -> int:
        """Wait for its end; returns its exit status."""
        async with asyncio.timeout(PATIENCE):
            await asyncio.shield(self._readers)
            return await self._process.wait()

    async def _read(self, name: str, stream: asyncio.StreamReader | None) -> None:
        assert stream is not None, "both streams are pipes"
        async for line in stream:
            setattr(self, name, getattr(self, name) + line.decode())


async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            if await condition():
                return
            await asyncio.sleep(0.02)


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@asynccontextmanager
async def open_stage(folder: Path) -> AsyncIterator[Stage]:
    """A running server in an empty world."""
    server = OfflineTelegram(token=TOKEN, port=0)
    await server.start()
    try:
        async with aiohttp.ClientSession() as http:
            yield Stage(server, http, folder)
    finally:
        await server.stop()
