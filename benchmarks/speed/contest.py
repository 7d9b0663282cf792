"""All engines on one model, in turns: round after round each has the machine to itself while the others wait."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.speed.competitors import OURS, Answer, Entry
from benchmarks.speed.footprint import installed_size, processor_time
from benchmarks.speed.processes import Process
from benchmarks.speed.results import Contest, Figures
from benchmarks.speed.workloads import LONG_PROMPT, Prompts, Workload

PAUSE = 0.25  # seconds: some thread pools go on spinning for a while after their work
DECODED = 65  # tokens of the answer that the rate of decoding is taken from
IDLE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How often each thing is measured: rounds for each number of chats at once, and for the rest."""

    rounds: Mapping[int, int]
    alone: int
    cold_starts: int
    dialogues: int

    def turns(self, entries: Sequence[Entry]) -> int:
        """How many turns a contest has, for whoever shows how far it is."""
        writing = sum(not entry.retrieves for entry in entries)
        loads = sum(rounds + 1 for rounds in self.rounds.values())
        ours = self.dialogues if any(entry.key == OURS for entry in entries) else 0
        return len(entries) * (loads + self.cold_starts) + 3 * writing * (self.alone + 1) + ours


FULL = Plan({1: 5, 8: 3, 32: 3}, alone=3, cold_starts=2, dialogues=5)
QUICK = Plan({1: 3, 8: 2}, alone=2, cold_starts=1, dialogues=2)


class Match:
    """One contest while it goes on. `step` hears of each turn when it is over."""

    def __init__(self, contest: Contest, workload: Workload, step: Callable[[], object]) -> None:
        self._contest = contest
        self._workload = workload
        self._step = step
        self._processes: list[Process] = []

    def play(self, entries: Sequence[Entry], folders: Mapping[str, Path], plan: Plan) -> None:
        """Measure everything; the processes end with it, however it ends."""
        self._contest.figures = {
            entry.key: Figures(entry.title, entry.retrieves, installed=installed_size(entry.needs)) for entry in entries
        }
        with ExitStack() as stack:
            for number in range(plan.cold_starts):
                self._start_all(entries, folders, stack if number == plan.cold_starts - 1 else None)
            self._play_loads(plan)
            self._play_alone(plan.alone)
            self._play_dialogues(plan.dialogues)
            self._look_at_idle()
            for process in self._processes:
                self._figures(process).peak_memory = process.peak_memory

    def _start_all(self, entries: Sequence[Entry], folders: Mapping[str, Path], stack: ExitStack | None) -> None:
        """Start each, and time its first answer; keep them on the stack, or end each before the next begins."""
        for entry in entries:
            process = Process(entry, folders[entry.key])
            try:
                if stack:
                    self._processes.append(stack.enter_context(process))
                process.answer(self._workload.chats(1))
                self._figures(process).cold_starts.append(time.perf_counter() - process.started)
            finally:
                if not stack:
                    process.close()
            self._end_turn()

    def _play_loads(self, plan: Plan) -> None:
        for chats, rounds in plan.rounds.items():
            for number in range(rounds + 1):
                prompts = self._workload.chats(chats)
                for process in self._in_turns(number):
                    answers = self._turn(process, prompts)
                    if number > 0:  # The first round is for warming up.
                        self._note(self._figures(process), chats, answers)

    def _note(self, figures: Figures, chats: int, answers: list[Answer]) -> None:
        figures.waits.setdefault(chats, []).append([answer.last for answer in answers])
        if chats == 1:
            figures.first_context.append(answers[0].first)

    def _play_alone(self, rounds: int) -> None:
        """One chat: a question without context, a long answer, a long prompt."""
        for number in range(rounds + 1):
            question, chat, long = self._workload.question(), self._workload.chats(1), self._workload.long_prompt()
            for process in self._in_turns(number):
                if process.entry.retrieves:
                    continue
                [asked] = self._turn(process, question)
                [written] = self._turn(process, chat, DECODED)
                [read] = self._turn(process, long, 1)
                if number > 0:
                    figures = self._figures(process)
                    figures.first_empty.append(asked.first)
                    figures.decoding.append((DECODED - 1) / (written.last - written.first))
                    figures.reading.append(LONG_PROMPT / read.first)

    def _play_dialogues(self, number: int) -> None:
        """Ours alone: its turns with and without what was computed before."""
        for process in (process for process in self._processes if process.entry.key == OURS):
            for _ in range(number):
                for known, place in ((True, self._contest.dialogue.known), (False, self._contest.dialogue.strange)):
                    turns = self._workload.dialogue(known)
                    place.append([process.answer(prompts)[0].first for prompts in turns])
                self._end_turn()

    def _look_at_idle(self) -> None:
        before = [processor_time(process.pid) for process in self._processes]
        time.sleep(IDLE_SECONDS)
        for process, used in zip(self._processes, before, strict=True):
            self._figures(process).idle = (processor_time(process.pid) - used) / IDLE_SECONDS

    def _in_turns(self, number: int) -> list[Process]:
        """Everyone, in an order that begins with another one in each round: nobody always follows the same."""
        first = number % len(self._processes)
        return self._processes[first:] + self._processes[:first]

    def _turn(self, process: Process, prompts: Prompts, *new_tokens: int) -> list[Answer]:
        answers = process.answer(prompts, *new_tokens)
        self._end_turn()
        return answers

    def _end_turn(self) -> None:
        time.sleep(PAUSE)
        self._step()

    def _figures(self, process: Process) -> Figures:
        return self._contest.figures[process.entry.key]
