"""An engine's own process (`model.engines.batching`), as the one that has started it sees it."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from model.engine import GenerationSettings
from model.errors import ModelError

ROOT = Path(__file__).parents[2]
PROGRAM = "model.engines.batching"

Json = dict[str, Any]


class EngineProcess:
    """A process with a model in it, ready for requests. Orders may be given from any thread and never block.

    Blocks for the seconds that loading takes. Raises ModelError if the folder cannot be loaded.
    """

    def __init__(self, folder: Path, end_of_turn: int, opening: Sequence[int]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", PROGRAM],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            start_new_session=True,  # Ctrl-C goes to all of the terminal's processes.
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # the same on Windows
        )
        # A pipe can be full for as long as the other end is busy with a step. Nobody waits for that but this thread.
        self._writer = ThreadPoolExecutor(1, "engine-orders")
        self._give({"folder": str(folder.absolute()), "end_of_turn": end_of_turn, "opening": list(opening)})
        reply = next(self.replies(), {})
        if "ready" not in reply:
            self.close()
            raise ModelError(reply.get("error") or f"{folder} cannot be loaded by the engine: {self.ending()}")

    @property
    def number(self) -> int:
        """Of the process."""
        return self._process.pid

    def start(self, number: int, prompt: Sequence[int], settings: GenerationSettings) -> None:
        """Have a prompt answered. The number stands in every reply to it."""
        self._give({"start": number, "prompt": list(prompt), "settings": asdict(settings)})

    def cancel(self, number: int) -> None:
        """Have it answered no further. Does nothing if the answer has ended."""
        self._give({"cancel": number})

    def replies(self) -> Iterator[Json]:
        """What it tells (see `model.engines.batching.Batch`), as it comes, until it ends."""
        assert self._process.stdout is not None, "it is a pipe"
        for line in self._process.stdout:
            if line.endswith("\n"):  # else it ended over this line
                yield json.loads(line)

    def ending(self) -> str:
        """How it ended; waits for that."""
        status = self._process.wait()
        return f"its process ended by signal {-status}" if status < 0 else f"its process ended with status {status}"

    def kill(self) -> None:
        """End it at once, whatever it does; so its replies end, too. Any thread may do that."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """The same, and close the pipes. For the thread that reads the replies."""
        self.kill()
        self._writer.shutdown()
        for stream in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # what stands in the buffer has nowhere to go
                if stream:
                    stream.close()

    def _give(self, order: Json) -> None:
        with suppress(RuntimeError):  # it is closed
            self._writer.submit(self._write, json.dumps(order) + "\n")

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None, "it is a pipe"
        with suppress(OSError):  # it has ended: who reads its replies finds out
            self._process.stdin.write(line)
            self._process.stdin.flush()
