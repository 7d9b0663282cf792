"""The bot with an actor that needs no model, as a program of its own, for tests that kill it.

PACE is how many seconds an answer takes, BEGINNING what is said before that, and UNTIL_SHOWN how many seconds it may
take before it is shown. TRAINER is a script in the place of `python -m model retrain`. A message that says "die" ends
the process on the spot; one that says "fail" makes the actor fail with the token in the error.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Sequence
from urllib.parse import quote

from bot.app import build
from bot.chat_service import Line
from bot.logs import set_up_logging
from bot.settings import load_settings
from bot.training.trainer import Trainer
from bot.transport.previews import Pace

TOKEN = os.environ["TELEGRAM_BOT_TOKEN"]


class Parrot:
    """Repeats what it hears, and how many lines of context it saw."""

    name = "Lisa Simpson"
    version = "parrot-1"
    greeting = "Hi, I'm Lisa!"

    async def reply(self, history: Sequence[Line]) -> AsyncGenerator[str, None]:
        """Stream the answer in one piece, or two."""
        if history[-1].text == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if history[-1].text == "fail":
            raise RuntimeError(f"no answer from https://api.telegram.org/bot{TOKEN}/ for bot{quote(TOKEN)}")
        if beginning := os.environ.get("BEGINNING"):
            yield f"{beginning} "
        await asyncio.sleep(float(os.environ.get("PACE", "0")))
        yield f"You said: {history[-1].text}"


if __name__ == "__main__":
    settings = load_settings()
    set_up_logging(settings.log_level, settings.secrets(), settings.log_format)
    pace = Pace(until_shown=float(os.environ.get("UNTIL_SHOWN", "1.5")))
    command = sys.executable, os.environ.get("TRAINER", ""), "retrain"
    trainer = Trainer(settings.model_store, settings.script, command, needed=(), priority=0) if command[1] else None
    asyncio.run(build(settings, actor=Parrot(), load=lambda _: Parrot(), pace=pace, trainer=trainer).run())
