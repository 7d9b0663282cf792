"""What a retraining says while it goes: JSON for a program, or bars and a table for people."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn, Protocol

from model.retraining.verdict import Verdict

if TYPE_CHECKING:
    from tqdm import tqdm

Stage = Literal["prepare", "train", "evaluate"]

SECONDS_BETWEEN = 1.0


class Announcer(Protocol):
    """Hears how a retraining goes."""

    def started(self, run: str, persona: str, live: str) -> None: ...

    def progress(
        self, stage: Stage, done: int, total: int, seconds_left: float | None = None, loss: float | None = None
    ) -> None:
        """So much of a stage is done; may be called as often as it pleases."""
        ...

    def decided(self, verdict: Verdict, picture: Path) -> None: ...


class JsonLines:
    """An object a line on standard output; progress at most once a second."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next = -float("inf")

    def started(self, run: str, persona: str, live: str) -> None:
        """The first event."""
        self._say({"event": "started", "run": run, "persona": persona, "live": live})

    def progress(
        self, stage: Stage, done: int, total: int, seconds_left: float | None = None, loss: float | None = None
    ) -> None:
        """Left out if the last one was not a second ago."""
        if self._clock() < self._next:
            return
        self._next = self._clock() + SECONDS_BETWEEN
        figures = {"done": done, "total": total, "seconds_left": seconds_left, "loss": loss}
        self._say({"event": "progress", "stage": stage, **figures})

    def decided(self, verdict: Verdict, picture: Path) -> None:
        """The last event."""
        self._say({"event": "verdict", **verdict.as_json(picture)})

    def _say(self, event: dict[str, Any]) -> None:
        try:
            print(json.dumps(event), flush=True)
        except BrokenPipeError:
            # Whoever started this is gone, and will want to go on later: as if stopped, with a checkpoint.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            signal.raise_signal(signal.SIGINT)


class Bars:
    """A bar for each stage on standard error, where that is a terminal; the verdict's table on standard output."""

    def __init__(self) -> None:
        self._stage: Stage | None = None
        self._bar: tqdm[NoReturn] | None = None

    def started(self, run: str, persona: str, live: str) -> None:
        """Who is trained, and against whom."""
        print(f"{persona}: retraining {run}; {live} is live meanwhile", flush=True)

    def progress(
        self, stage: Stage, done: int, total: int, seconds_left: float | None = None, loss: float | None = None
    ) -> None:
        """Move the stage's bar."""
        if stage != self._stage:
            self._open(stage, total)
        assert self._bar is not None, "just opened"
        if loss is not None:
            self._bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
        self._bar.update(done - self._bar.n)

    def decided(self, verdict: Verdict, picture: Path) -> None:
        """The table, and where the picture is."""
        self._close()
        print(f"{verdict.as_table()}\n{picture}", flush=True)

    def _open(self, stage: Stage, total: int) -> None:
        from tqdm import tqdm

        self._close()
        self._stage, self._bar = stage, tqdm(total=total, desc=stage, leave=False, disable=None, file=sys.stderr)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()


class Counter:
    """Counts the steps of a stage, and tells how long the rest will take at this pace."""

    def __init__(self, announcer: Announcer, stage: Stage, total: int, done: int = 0) -> None:
        self._announcer = announcer
        self._stage: Stage = stage
        self._total = total
        self._before = done  # of an earlier process: no part of this one's pace
        self._done = done
        self._started = time.monotonic()

    def __call__(self) -> None:
        """One step more."""
        self.reached(self._done + 1)

    def reached(self, done: int, loss: float | None = None) -> None:
        """So many steps are done."""
        self._done = done
        here = done - self._before
        left = (time.monotonic() - self._started) / here * (self._total - done) if here > 0 else None
        rounded = None if left is None else round(left, 1)
        self._announcer.progress(self._stage, done, self._total, rounded, loss)
