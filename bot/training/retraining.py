"""Retraining: a character learns anew while it goes on answering. Knows neither Telegram nor SQL.

There is one training at a time. How far it is and how it ended are on record, so that nothing of it depends on the life
of this process: what the bot's own end has interrupted is taken up again, and an end that nobody was told of is told.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from bot.errors import BotError, RetrainingError, StorageError
from bot.personas import Roster
from bot.training.events import Progress, Started, Verdict
from bot.training.records import Book, Offer, Order, Phase, Reports, Taught, Training
from bot.training.succession import Succession
from bot.training.trainer import Assignment, Ending, Trainer, TrainingProcess, end_left_over

log = logging.getLogger(__name__)

END_SECONDS = 30.0  # How long a training that is called off may take to put away what it has learned.
SPARE_SECONDS = 1.0  # Of the time in which the bot has to stop: for putting on record that it was stopped.
CRASHES = 2  # How often the bot may be killed in a training that it takes up again by itself: it may be the culprit.
STORE_RETRY_SECONDS = 2.0

T = TypeVar("T")


@dataclass(slots=True)
class Work:
    """The training at work; `run` is its name with the trainer, as soon as it has told it."""

    training: Training
    process: TrainingProcess | None = None
    run: str | None = None
    progress: Progress | None = None
    is_cancelled: bool = False


class Retraining:
    """Trains one character at a time, and lets the new version take over."""

    def __init__(
        self,
        book: Book,
        taught: Taught,
        trainer: Trainer,
        reports: Reports,
        succession: Succession,
        roster: Roster,
    ) -> None:
        self._book = book
        self._taught = taught
        self._trainer = trainer
        self._reports = reports
        self._succession = succession
        self._roster = roster
        self._door = asyncio.Lock()
        self._work: Work | None = None
        self._is_stopping = False
        self._working: set[asyncio.Task[None]] = set()
        self._telling: set[asyncio.Task[None]] = set()

    @property
    def progress(self) -> Progress | None:
        """How far the training under way is."""
        return self._work.progress if self._work else None

    @property
    def is_at_work(self) -> bool:
        """Whether a training is under way in this process."""
        return self._work is not None

    @property
    def learner(self) -> str:
        """The persona that is learning; the default one if none is."""
        return self._work.training.order.persona if self._work else self._roster.default

    def missing_package(self) -> str | None:
        """A package that would have to be installed first."""
        return self._trainer.missing_package()

    def missing_script(self) -> Path | None:
        """The script, if it is not where it should be."""
        return self._trainer.missing_script()

    async def offer(self, persona: str) -> Offer:
        """What a training of a persona would be."""
        count = await self._taught.count(self._name(persona))
        return Offer(persona, self._trainer.script, count, await self._book.usual_seconds(persona))

    async def begin(self, order: Order) -> Training:
        """Begin a training; or the one that is in its way (see `Book.open`)."""
        async with self._door:
            training, is_new = await self._book.open(order)
            if is_new:
                self._set_to_work(training, resume=False)
        return training

    async def go_on(self, number: int, message: int) -> bool:
        """Let a training go on that was cancelled or interrupted; False if it cannot any more."""
        async with self._door:
            training = await self._book.reopen(number, message)
            if training:
                self._set_to_work(training, resume=training.run is not None)
        return training is not None

    def cancel(self, number: int) -> bool:
        """Call a training off; False if it is not under way any more."""
        if self._work is None or self._work.training.number != number:
            return False
        self._work.is_cancelled = True
        self._call_off(self._work)
        return True

    def start(self) -> None:
        """See to what was left behind: tell what nobody was told of, and go on with what was under way."""
        self._spawn(self._take_up(), self._working)

    async def stop(self, deadline: float) -> None:
        """End what is under way, so that the next start can go on with it; `deadline` is of the event loop's clock."""
        self._is_stopping = True
        for task in self._telling:  # What was not told stays on record.
            task.cancel()
        if self._work and self._work.process:
            await self._work.process.end(deadline - SPARE_SECONDS - asyncio.get_running_loop().time())
        with suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                while self._working:
                    await asyncio.wait(self._working)
        for task in self._working:
            task.cancel()
        await asyncio.gather(*self._working, *self._telling, return_exceptions=True)

    async def _take_up(self) -> None:
        for training in await _insist(self._book.untold):
            self._spawn(self._tell(training), self._telling)
        left_over = await _insist(self._book.under_way)
        if left_over is None:
            return
        training = await self._after_the_end_of_the_bot(left_over)
        await self._save(training)
        if training.phase is Phase.UNDER_WAY:
            log.info("The training of %s goes on", training.order.persona)
            self._set_to_work(training, resume=training.run is not None)
        else:
            self._spawn(self._tell(training), self._telling)

    async def _after_the_end_of_the_bot(self, training: Training) -> Training:
        if training.pid is None:
            return training
        # The bot did not stop in good order: it was killed, perhaps because of this training.
        await end_left_over(training.pid, training.order.persona, END_SECONDS)
        training = replace(training, pid=None, crashes=training.crashes + 1)
        if training.verdict:
            return replace(training, phase=Phase.DONE)
        return replace(training, phase=Phase.INTERRUPTED) if training.crashes > CRASHES else training

    def _set_to_work(self, training: Training, resume: bool) -> None:
        self._work = Work(training)
        self._spawn(self._carry_out(self._work, resume), self._working)

    async def _carry_out(self, work: Work, resume: bool) -> None:
        clock = asyncio.get_running_loop()
        began = clock.time()
        try:
            await self._train(work, resume)
        except Exception as error:
            if not isinstance(error, (BotError, OSError)):
                log.error("A training failed", exc_info=error)
            note = " ".join(str(error).split()) or type(error).__name__
            work.training = replace(work.training, phase=Phase.FAILED, note=note)
        await asyncio.to_thread(self._trainer.lessons_of(work.training.order.persona).unlink, missing_ok=True)
        seconds = work.training.seconds + clock.time() - began
        training = replace(work.training, pid=None, seconds=seconds)
        await self._save(training)
        self._work = None
        if training.phase is Phase.UNDER_WAY:
            await self._reports.paused(training)
        else:
            log.info("The training of %s is %s %s", training.order.persona, training.phase, training.note)
            await self._conclude(training)

    async def _train(self, work: Work, resume: bool) -> None:
        ending = await self._run(work, resume)
        if resume and ending.status == 1 and work.run is None and not self._is_called_off(work):
            log.warning("A training cannot go on, so it begins anew: %s", ending.last_line)
            work.training = replace(work.training, run=None)
            ending = await self._run(work, resume=False)
        work.training = self._judged(work, ending)

    async def _run(self, work: Work, resume: bool) -> Ending:
        persona = work.training.order.persona
        assignment = Assignment(persona, self._name(persona), self._trainer.lessons_of(persona), resume)
        if not resume:
            await self._taught.write(assignment.character, assignment.taught)
        process = work.process = await self._trainer.start(assignment)
        try:
            if self._is_called_off(work):
                self._call_off(work)
            await self._put_down(work, pid=process.pid)
            async with self._reports.following(work.training) as show:
                await self._follow(work, process, show)
            return await process.ended()
        finally:
            await process.end(0)

    async def _follow(self, work: Work, process: TrainingProcess, show: Callable[[Progress], None]) -> None:
        async for event in process.events():
            if isinstance(event, Progress):
                work.progress = event
                show(event)
                if event.stage != "prepare" and work.training.run is None:  # Before, there is nothing to take up.
                    await self._put_down(work, run=work.run)
            elif isinstance(event, Started):
                work.run = event.run
            elif isinstance(event, Verdict):
                await self._put_down(work, verdict=event)

    def _judged(self, work: Work, ending: Ending) -> Training:
        """The training after its process has ended. Who has a verdict is done, whatever else was wished."""
        training = work.training
        if training.verdict:
            return replace(training, phase=Phase.DONE)
        if work.is_cancelled:
            return replace(training, phase=Phase.CANCELLED)
        if self._is_stopping:
            return training
        if ending.status == 1 and ending.last_line:
            return replace(training, phase=Phase.FAILED, note=ending.last_line)
        log.warning("The training of %s ended with status %d", training.order.persona, ending.status)
        return replace(training, phase=Phase.INTERRUPTED)

    async def _conclude(self, training: Training) -> None:
        if training.verdict and training.verdict.live:
            training = await self._let_take_over(training)
        if not self._is_stopping:
            self._spawn(self._tell(training), self._telling)

    async def _let_take_over(self, training: Training) -> Training:
        try:
            await self._succession.take_over(training.order.persona)
        except RetrainingError as error:
            log.error("The new version does not play: %s", error)
            training = replace(training, note=str(error))
            await self._save(training)
        return training

    async def _tell(self, training: Training) -> None:
        await self._reports.tell(training)
        await _insist(lambda: self._book.told(training.number))

    def _name(self, persona: str) -> str:
        return self._roster.card(persona).name

    def _is_called_off(self, work: Work) -> bool:
        return work.is_cancelled or self._is_stopping

    def _call_off(self, work: Work) -> None:
        if work.process:
            self._spawn(work.process.end(END_SECONDS), self._working)

    async def _put_down(self, work: Work, **news: Any) -> None:
        work.training = replace(work.training, **news)
        await self._save(work.training)

    async def _save(self, training: Training) -> None:
        await _insist(lambda: self._book.save(training))

    def _spawn(self, work: Coroutine[Any, Any, None], among: set[asyncio.Task[None]]) -> None:
        task = asyncio.create_task(work)
        among.add(task)
        task.add_done_callback(lambda _: self._close(task, among))

    def _close(self, task: asyncio.Task[None], among: set[asyncio.Task[None]]) -> None:
        among.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("A training could not be seen to", exc_info=error)


async def _insist(work: Callable[[], Awaitable[T]]) -> T:
    """Do the work as soon as the database lets us."""
    while True:
        try:
            return await work()
        except StorageError as error:
            log.error("The training is not on record yet: %s", error)
            await asyncio.sleep(STORE_RETRY_SECONDS)
