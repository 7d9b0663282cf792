"""What was wanted, beside what was measured."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from benchmarks.speed import limits
from benchmarks.speed.bases import LISA
from benchmarks.speed.competitors import DEFAULTS, OURS, REFERENCE
from benchmarks.speed.results import Contest, Machine, Results

OVER_REFERENCE = {1: 8.0, 8: 10.0, 32: 10.0}  # answers/s in float32 `generate`, by number of chats
OVER_DEFAULTS = 1.3
DECODING_SHARE = 0.6
QUANTIZATION_COST = 0.01
DIALOGUE_GAIN = 3.0
MEMORY = 500e6
COLD_START = 3.0


@dataclass(frozen=True, slots=True)
class Target:
    """One line: what, how much of it was wanted and how much there is, and whether that is enough."""

    what: str
    wanted: str
    measured: str
    met: bool


def check(results: Results) -> list[Target]:
    """Every target that this run can tell about."""
    return [
        *(target for name, contest in results.contests.items() for target in _contest(name, contest, results.machine)),
        *_lisa(results),
    ]


def _contest(name: str, contest: Contest, machine: Machine) -> Iterator[Target]:
    ours = contest.figures.get(OURS)
    if ours is None:
        return
    for chats in contest.loads:
        if REFERENCE in contest.figures and chats in OVER_REFERENCE:
            yield _ratio(contest, REFERENCE, chats, OVER_REFERENCE[chats])
        if name == LISA and DEFAULTS in contest.figures:
            yield _ratio(contest, DEFAULTS, chats, OVER_DEFAULTS)
        yield from _nobody_ahead(contest, chats)
    share = median(ours.decoding) / limits.decoding_limit(machine, contest.work)
    what = f"{contest.title}: decoding of one chat, of what memory allows"
    yield Target(what, f"{DECODING_SHARE:.0%}", f"{share:.0%}", DECODING_SHARE <= share <= 1)


def _ratio(contest: Contest, rival: str, chats: int, wanted: float) -> Target:
    measured = ratio(contest, rival, chats)
    what = f"{contest.title}, {loaded_with(chats)}: answers/s against {contest.figures[rival].title}"
    return Target(what, f"{wanted:g} x", f"{measured:.2f} x", measured >= wanted)


def _nobody_ahead(contest: Contest, chats: int) -> Iterator[Target]:
    rivals = [key for key, figures in contest.figures.items() if key != OURS and not figures.retrieves]
    if rivals:
        closest = min(rivals, key=lambda key: ratio(contest, key, chats))
        measured = ratio(contest, closest, chats)
        what = f"{contest.title}, {loaded_with(chats)}: nobody who writes is ahead; the closest is"
        yield Target(f"{what} {contest.figures[closest].title}", "1 x", f"{measured:.2f} x", measured >= 1)


def _lisa(results: Results) -> Iterator[Target]:
    if found := results.quantization:
        wanted = f"below {QUANTIZATION_COST:.0%}"
        met = found.cost < QUANTIZATION_COST
        yield Target("what quantization costs in held-out perplexity", wanted, f"{found.cost:+.2%}", met)
    contest = results.contests.get(LISA)
    if contest and contest.dialogue.known:
        gain = contest.dialogue.gain(5)
        what = "a dialogue's fifth turn begins sooner than without reuse"
        yield Target(what, f"{DIALOGUE_GAIN:g} x", f"{gain:.1f} x", gain >= DIALOGUE_GAIN)
    if serving := results.serving:
        start, memory = median(serving.cold_starts), serving.peak_memory
        what = "`python -m bot chat` to the first answer, after the first run"
        yield Target(what, f"at most {COLD_START:g} s", f"{start:.1f} s", start <= COLD_START)
        what = "peak memory of that process"
        yield Target(what, f"below {MEMORY / 1e6:.0f} MB", f"{memory / 1e6:.0f} MB", memory < MEMORY)


def ratio(contest: Contest, rival: str, chats: int) -> float:
    """Our answers a second by a rival's."""
    ours, theirs = (contest.figures[key].answers_per_second(chats) for key in (OURS, rival))
    return ours / theirs


def loaded_with(number: int) -> str:
    """How many chats write at once, in words."""
    return "one chat" if number == 1 else f"{number} chats"
