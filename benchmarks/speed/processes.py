"""The other end of `benchmarks.speed.child`: a competitor in a process of its own, asked over a pipe."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.speed.competitors import Answer, Entry
from benchmarks.speed.workloads import NEW_TOKENS, Prompts
from model.errors import ModelError

ROOT = Path(__file__).parents[2]


class Process:
    """A competitor at work. Closing it, or leaving its block, ends the process."""

    def __init__(self, entry: Entry, folder: Path) -> None:
        self.entry = entry
        self.started = time.perf_counter()
        self.peak_memory = 0
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - closed with us
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.speed.child", entry.key, str(folder)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            encoding="utf-8",
        )

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def answer(self, prompts: Prompts, new_tokens: int = NEW_TOKENS) -> list[Answer]:
        """Have it answer; ModelError if it fails, or if an answer is not of the length asked for."""
        assert self._process.stdin
        assert self._process.stdout
        try:
            self._process.stdin.write(json.dumps({"prompts": prompts, "new_tokens": new_tokens}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended; its last words say why
        line = self._process.stdout.readline()
        reply: dict[str, Any] = json.loads(line) if line else {"error": f"ended by itself: {self._last_words()}"}
        if "error" in reply:
            raise ModelError(f"{self.entry.title}: {reply['error']}")
        self.peak_memory = reply["peak_memory"]
        answers = [Answer(**answer) for answer in reply["answers"]]
        self._check(answers, len(prompts), new_tokens)
        return answers

    def close(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.communicate()
        self._log.close()

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check(self, answers: list[Answer], chats: int, new_tokens: int) -> None:
        wanted = 0 if self.entry.retrieves else new_tokens
        lengths = {answer.tokens for answer in answers}
        if len(answers) != chats or lengths != {wanted}:
            raise ModelError(
                f"{self.entry.title}: {len(answers)} answers of {sorted(lengths)} tokens, "
                f"but {chats} of {wanted} were asked for"
            )

    def _last_words(self) -> str:
        self._log.seek(0)
        lines = [line.strip() for line in self._log if line.strip()]
        return lines[-1] if lines else f"status {self._process.wait()}"
