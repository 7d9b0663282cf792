"""The bot as people start it: how long until Lisa's first answer, and how much memory the whole process takes."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.speed.footprint import peak_memory
from benchmarks.speed.processes import ROOT
from benchmarks.speed.results import Serving
from model.errors import ModelError

QUESTIONS = ("Who are you?", "What do you like best?", "And your brother, what does he like?")


def measure(times: int) -> Serving:
    """Start `python -m bot chat` so many times in an empty place, after a first run that installs her there."""
    with tempfile.TemporaryDirectory() as place:
        _talk(Path(place))
        talks = [_talk(Path(place)) for _ in range(times)]
    return Serving([seconds for seconds, _ in talks], max(memory for _, memory in talks))


def _talk(place: Path) -> tuple[float, int]:
    """Seconds from the start to the first answer, and the peak of memory after some more."""
    settings = {"PYTHONPATH": str(ROOT), "PERSONA": "lisa", "MODEL_STORE": str(place / "models")}
    start = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "bot", "chat"],
        cwd=place,
        env=os.environ | settings,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as bot:
        try:
            seconds = [_ask(bot, question) - start for question in QUESTIONS]
            return seconds[0], peak_memory(bot.pid)
        finally:
            bot.kill()


def _ask(bot: "subprocess.Popen[str]", question: str) -> float:
    """When the answer has come."""
    assert bot.stdin
    assert bot.stdout
    assert bot.stderr
    bot.stdin.write(f"{question}\n")
    bot.stdin.flush()
    if not bot.stdout.readline():
        said = bot.stderr.read().strip().splitlines()
        raise ModelError(f"`python -m bot chat` gave no answer: {said[-1] if said else 'and said nothing'}")
    return time.perf_counter()
