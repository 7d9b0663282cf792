"""The trainer: a process of its own, at low priority, that makes a new version of a character while the bot answers.

It is not a part of the bot's terminal: Ctrl-C reaches the bot, which then ends the trainer in good order.
"""

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from bot.errors import RetrainingError
from bot.settings import Settings
from bot.training.events import Event, read_event

COMMAND = (sys.executable, "-m", "model", "retrain")
NEEDED = ("torch", "transformers", "peft", "accelerate", "pandas", "pyarrow", "matplotlib")
ROOT = Path(__file__).parents[2]
LOWEST_PRIORITY = 19
LONGEST_LINE = 2**20
LAST_PIECES = 16  # Of what is written to standard error: its last line is what matters.
PIECE = 4096
LOOK_AGAIN_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Assignment:
    """What is to be learned: a persona's part in the script by `character`, and what people have taught it.

    With `resume`, the last training of this persona that did not come to its end goes on, as it was begun.
    """

    persona: str
    character: str
    taught: Path
    resume: bool = False


@dataclass(frozen=True, slots=True)
class Ending:
    """The exit status of a trainer, and the last line on its standard error."""

    status: int
    last_line: str


class Trainer:
    """Starts trainings of the model store `store`; without a `script` the one that the live version knows.

    `command` is what retrains, `needed` are the packages that it cannot do without, and `priority` is the number by
    which the system lets others go first: 0 for a process like any other, 19 for the last of all.
    """

    def __init__(
        self,
        store: Path,
        script: Path | None = None,
        command: Sequence[str] = COMMAND,
        needed: Sequence[str] = NEEDED,
        priority: int = LOWEST_PRIORITY,
    ) -> None:
        self.script = script
        self._store = store
        self._command = command
        self._needed = needed
        self._priority = priority

    def missing_package(self) -> str | None:
        """The first package that is not installed and would be needed."""
        return next((name for name in self._needed if find_spec(name) is None), None)

    def missing_script(self) -> Path | None:
        """The script, if it is not there."""
        return self.script if self.script and not self.script.is_file() else None

    def lessons_of(self, persona: str) -> Path:
        """Where the lessons for a persona are written."""
        return self._store / persona / ".lessons.jsonl"

    async def start(self, assignment: Assignment) -> "TrainingProcess":
        """Start a process. Raises RetrainingError if that cannot be."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                *self._options(assignment),
                env=_environment(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=LONGEST_LINE,
                start_new_session=True,
            )
        except OSError as error:
            raise RetrainingError(f"the training cannot be started: {error.strerror or error}") from error
        _give_way(process.pid, self._priority)
        return TrainingProcess(process)

    def _options(self, assignment: Assignment) -> list[str]:
        options = ["--persona", assignment.persona, "--store", str(self._store.absolute()), "--json"]
        if assignment.resume:
            return [*options, "--resume"]
        if self.script:
            options += ["--script", str(self.script.absolute()), "--character", assignment.character]
        return [*options, "--lessons", str(assignment.taught.absolute())]


class TrainingProcess:
    """A trainer that runs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._errors: deque[bytes] = deque(maxlen=LAST_PIECES)
        self._listening = asyncio.create_task(self._hear_errors())

    @property
    def pid(self) -> int:
        return self._process.pid

    async def events(self) -> AsyncIterator[Event]:
        """What it tells, until it ends."""
        assert self._process.stdout is not None, "it is a pipe"
        while True:
            try:
                line = await self._process.stdout.readline()
            except ValueError:  # Longer than anything that it has to tell.
                continue
            if not line:
                return
            if event := read_event(line):
                yield event

    async def ended(self) -> Ending:
        """Wait for its end."""
        status = await self._process.wait()
        await self._listening
        lines = b"".join(self._errors).decode("utf-8", "replace").split("\n")
        written = [line.strip() for line in lines if line.strip()]
        return Ending(status, written[-1].removeprefix("error: ") if written else "")

    async def end(self, grace: float) -> None:
        """Tell it to end; after `grace` seconds end it, and whatever it has started."""
        with suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), max(0.0, grace))
        except TimeoutError:
            _kill(self.pid)
            await self._process.wait()

    async def _hear_errors(self) -> None:
        assert self._process.stderr is not None, "it is a pipe"
        while piece := await self._process.stderr.read(PIECE):
            self._errors.append(piece)


async def end_left_over(pid: int, persona: str, grace: float) -> None:
    """End a trainer that has outlived the bot that had started it, as `TrainingProcess.end` does."""
    if not _is_trainer(pid, persona):
        return
    os.kill(pid, signal.SIGTERM)
    deadline = asyncio.get_running_loop().time() + grace
    while _is_trainer(pid, persona):
        if asyncio.get_running_loop().time() > deadline:
            _kill(pid)
        await asyncio.sleep(LOOK_AGAIN_SECONDS)


def _is_trainer(pid: int, persona: str) -> bool:
    """Whether this process is one of ours: the number may be another's by now.

    Where a system does not tell, nothing is done to it: a trainer ends when it finds that nobody listens any more.
    """
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return {b"retrain", b"--json", persona.encode()} <= set(words)


def _environment() -> dict[str, str]:
    """The bot's own, without its settings: a trainer has no use for the token and the password."""
    kept = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}
    path = [str(ROOT), kept["PYTHONPATH"]] if kept.get("PYTHONPATH") else [str(ROOT)]
    return kept | {"PYTHONPATH": os.pathsep.join(path)}


def _give_way(pid: int, priority: int) -> None:
    """Let everything else on the machine go first."""
    if sys.platform != "win32":
        with suppress(OSError):  # It may have ended already.
            os.setpriority(os.PRIO_PROCESS, pid, priority)
    # Where Linux weighs sessions against each other, the priority counts only within one, and this is a session.
    with suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(priority), encoding="ascii")


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        if sys.platform == "win32":
            os.kill(pid, signal.SIGTERM)
        else:
            os.killpg(pid, signal.SIGKILL)
