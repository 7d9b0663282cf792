"""A stage with a school: Lisa in a model store, admins, and a trainer that can be held up."""

import json
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot.training.trainer import Trainer
from model.persona import Persona
from tests.bot.actors import ScriptedActor
from tests.e2e.fake_trainer import make_version
from tests.e2e.stage import Json, Stage

FAKE = Path(__file__).with_name("fake_trainer.py")
ADMIN, OTHER_ADMIN = 99, 98
QUESTION = "Shall Lisa Simpson learn anew?"
ROW = "SELECT phase, pid, is_told FROM training_runs"
UNFINISHED = "SELECT count(*) FROM inbox WHERE state NOT IN ('done', 'failed')"


class School:
    """Whom the bot loads is scripted, by version; while `gate` is closed, loading takes time."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.store = stage.folder / "store"
        self.gate = threading.Event()
        self.gate.set()
        self.is_broken = False
        self.loading = threading.Event()
        self.actors: dict[str, ScriptedActor] = {}
        make_version(self.store / "lisa" / "v1", Persona("lisa", "Lisa Simpson"))
        self.live = "v1"
        self.plan()

    @property
    def live(self) -> str:
        """The name of the live version."""
        return (self.store / "lisa" / "current").read_text().split()[0]

    @live.setter
    def live(self, version: str) -> None:
        (self.store / "lisa" / "current").write_text(f"{version}\n")

    def plan(self, **plan: Any) -> None:
        """What the trainer shall do; see `fake_trainer`."""
        (self.store / "plan.json").write_text(json.dumps(plan))
        if "hold_at" in plan:
            (self.store / "hold").touch()

    def release(self) -> None:
        """Let the trainer that is held up go on."""
        (self.store / "hold").unlink()

    def calls(self) -> list[dict[str, Any]]:
        """What trainers were asked to do."""
        file = self.store / "calls.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def actor(self, version: str) -> ScriptedActor:
        """Who plays a version."""
        if version not in self.actors:
            self.actors[version] = ScriptedActor()
            self.actors[version].version = version
        return self.actors[version]

    def load(self, _persona: str) -> ScriptedActor:
        """Give whoever plays the live version."""
        version = self.live
        self.loading.set()
        assert self.gate.wait(30)
        if self.is_broken:
            raise RuntimeError("the file is damaged")
        return self.actor(version)

    @asynccontextmanager
    async def open(
        self, needed: tuple[str, ...] = (), script: Path | None = None, priority: int = 0, **settings: Any
    ) -> AsyncIterator[None]:
        """Run the bot with Lisa's live version."""
        trainer = Trainer(self.store, script, (sys.executable, str(FAKE), "retrain"), needed, priority)
        given = {"model_store": self.store, "admin_ids": "99,98", **settings}
        async with self.stage.bot(self.actor(self.live), self.load, trainer=trainer, **given):
            yield

    async def ask(self, command: str = "/retrain", admin: int = ADMIN) -> Json:
        """An admin sends a command; returns the bot's message."""
        before = len(await self.stage.messages(0, admin))
        await self.stage.say(command, user=admin)
        return (await self.stage.messages(before + 1, admin))[-1]

    async def begin(self, **plan: Any) -> Json:
        """Have a training begun; returns the message that shows how far it is."""
        self.plan(**plan)
        message = await self.ask()
        await self.stage.press(message, "Start", user=ADMIN)
        return message

    async def shown(self, message: Json, *words: str) -> Json:
        """A message as soon as all these words are in it."""
        messages = self.stage.server.world.chats[message["chat"]["id"]].messages

        def there() -> bool:
            now = messages[message["message_id"]]
            return all(word in (now.get("text") or now.get("caption", "")) for word in words)

        await self.stage.eventually(there)
        return messages[message["message_id"]]

    async def verdict(self, admin: int = ADMIN) -> Json:
        """The picture with the verdict."""
        found: list[Json] = []

        def sent() -> bool:
            chat = self.stage.server.world.chats[admin].messages.values()
            found[:] = [message for message in chat if "photo" in message]
            return bool(found)

        await self.stage.eventually(sent)
        return found[-1]

    async def ended(self, phase: str) -> None:
        """Wait until a training has ended so, and somebody was told."""
        await self.stage.rows_become(ROW, [(phase, None, 1)])


def labels(message: Json) -> list[str]:
    """The labels of the buttons under a message."""
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return [button["text"] for row in rows for button in row]
