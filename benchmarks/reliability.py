"""Does the bot stay up? python -m benchmarks.reliability [--minutes N] [--kills N] [--updates N] [--out DIR]

Three trials of the real process, with a quick actor in the model's place, against the offline Telegram: killed at
random under chatting people while Telegram misbehaves (`tests.e2e.kills`); fed with updates of random shape
(`tests.e2e.random_updates`); and under a steady load, with an eye on memory and open files (`tests.e2e.soak`). `make
test` runs the same in a short form. Writes reliability.md and reliability.png into DIR; the exit status is 1 where a
promise was not kept.
"""

import argparse
import asyncio
import os
import platform
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TypeVar

from benchmarks.markdown import table
from tests.e2e import kills, random_updates, soak
from tests.e2e.stage import Stage, open_stage

SAMPLE_SECONDS = 2.0
TOLD = 15  # Every so many samples one is printed.
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Report:
    """What the three trials have found."""

    killed: kills.Findings
    fed: random_updates.Findings
    soaked: soak.Findings

    @property
    def problems(self) -> list[str]:
        """Every promise that was not kept."""
        return [*self.killed.problems, *self.fed.problems, *self.soaked.problems]


def main() -> int:
    """Make the trials, one after the other; print what comes of them as it comes."""
    options = parse_options()
    report = asyncio.run(examine(options))
    write_report(report, options.out)
    print(tables(report))
    return 1 if report.problems else 0


def parse_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """How long, how often, how many."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10, metavar="N", help="of steady load (default 10)")
    parser.add_argument("--kills", type=int, default=100, metavar="N", help="default 100")
    parser.add_argument("--people", type=int, default=20, metavar="N", help="who chat at the same time (default 20)")
    parser.add_argument("--updates", type=int, default=10_000, metavar="N", help="of random shape (default 10000)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of all that is random (default 1)")
    parser.add_argument("--out", type=Path, default=Path("docs/results"), metavar="DIR", help="default docs/results")
    return parser.parse_args(arguments)


async def examine(options: argparse.Namespace) -> Report:
    """The three trials, each with a Telegram of its own."""
    people, seed = options.people, options.seed
    killed = await on_stage(lambda stage: kills.survive(stage, people, options.kills, seed, tell))
    tell(f"{options.updates} updates of random shape")
    fed = await on_stage(lambda stage: random_updates.swallow(stage, options.updates, seed))
    tell(f"a steady load for {options.minutes:g} minutes")
    seconds = 60 * options.minutes
    soaked = await on_stage(lambda stage: soak.soak(stage, people, seconds, every=SAMPLE_SECONDS, tell=tell_sample))
    return Report(killed, fed, soaked)


async def on_stage(trial: Callable[[Stage], Awaitable[Found]]) -> Found:
    """A trial in an empty world and an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        async with open_stage(Path(folder)) as stage:
            return await trial(stage)


def tell(line: str) -> None:
    """A line on how far it is."""
    print(line, flush=True)


def tell_sample(sample: soak.Sample) -> None:
    """One sample of many."""
    if round(sample.seconds / SAMPLE_SECONDS) % TOLD == 0:
        mib = sample.memory / soak.MIB
        tell(f"{sample.seconds:5.0f} s  {sample.updates:7} updates  {mib:7.1f} MiB  {sample.handles:4} handles")


def write_report(report: Report, folder: Path) -> None:
    """The page and its chart."""
    folder.mkdir(parents=True, exist_ok=True)
    draw(report.soaked, folder / "reliability.png")
    machine = (
        f"{os.cpu_count()} CPU cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    )
    (folder / "reliability.md").write_text(f"{HEAD.format(machine=machine)}\n{tables(report)}\n", encoding="utf-8")


HEAD = """# Does it stay up?

`make soak` has written this page: the real process, with a quick actor in the model's place, against the offline
Telegram ({machine}).
`make test` makes the same trials in a short form.

![Memory, open files and connections under a steady load](reliability.png)
"""


def tables(report: Report) -> str:
    """The figures of all trials."""
    parts = [_killed(report.killed), _fed(report.fed), _soaked(report.soaked)]
    kept = "Every promise was kept."
    broken = "\n".join(f"- {problem}" for problem in report.problems)
    return "\n\n".join([*parts, f"**Promises that were not kept:**\n\n{broken}" if broken else kept])


def _killed(found: kills.Findings) -> str:
    doubled = found.doubled_by_kills
    doubles = f"{doubled.total()}, at most {max(doubled.values(), default=0)} at one kill"
    missing = sum("no answer" in problem for problem in found.problems)
    answered = f"{found.messages:,} of {found.messages:,}" if not missing else f"not all of {found.messages:,}"
    faults = ", ".join(f"{kind} {count}" for kind, count in sorted(found.faults.items())) or "none"
    rows = [
        ("killed at random moments", f"{found.kills} times, in {found.seconds / 60:.0f} minutes"),
        ("people who chat meanwhile", f"{found.people}"),
        ("what Telegram does wrong meanwhile", faults),
        ("messages answered", answered),
        ("answers doubled by a kill", doubles),
        ("answers doubled because Telegram dropped the connection", f"{found.doubled_by_faults}"),
    ]
    return _table("Killed at random", rows)


def _fed(found: random_updates.Findings) -> str:
    rows = [("handled", f"{found.taken:,}"), ("refused, with a line in the log", f"{found.refused:,}")]
    return _table("Updates of random shape", rows)


def _soaked(found: soak.Findings) -> str:
    first, last, settled = found.samples[0], found.samples[-1], found.settled
    deeds = ", ".join(f"{deed.replace('_', ' ')} {count:,}" for deed, count in found.deeds.most_common())
    handles = [sample.handles for sample in settled]
    rows = [
        ("minutes, people", f"{last.seconds / 60:.0f}, {found.people}"),
        ("updates settled", f"{last.updates:,} ({deeds})"),
        ("memory at the start", f"{first.memory / soak.MIB:.1f} MiB"),
        ("memory after the warm-up, median", f"{median(sample.memory for sample in settled) / soak.MIB:.1f} MiB"),
        ("memory at the end", f"{last.memory / soak.MIB:.1f} MiB"),
        ("its trend after the warm-up (Theil-Sen)", f"{found.growth:.0f} bytes an update; bound {soak.MOST_BYTES:.0f}"),
        ("open files and connections after the warm-up", f"{min(handles)} to {max(handles)}"),
    ]
    return _table("Under a steady load", rows)


def _table(title: str, rows: Sequence[tuple[str, str]]) -> str:
    return f"## {title}\n\n{table(('', ''), rows)}"


def draw(found: soak.Findings, file: Path) -> None:
    """Memory above, handles below, over the minutes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    minutes = [sample.seconds / 60 for sample in found.samples]
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True)
    above.plot(minutes, [sample.memory / soak.MIB for sample in found.samples], color="#2a78b8")
    above.set_ylabel("memory, MiB")
    below.plot(minutes, [sample.handles for sample in found.samples], color="#b8602a")
    below.set_ylabel("files and connections")
    below.set_xlabel("minutes")
    for axes in (above, below):
        axes.axvspan(0, found.settled[0].seconds / 60, color="#888888", alpha=0.15, linewidth=0)
        axes.set_ylim(0, 1.15 * max(axes.get_ylim()))
        axes.grid(alpha=0.3)
    above.set_title("A steady load; the warm-up is grey", fontsize=10)
    figure.savefig(file, dpi=120)


if __name__ == "__main__":
    sys.exit(main())
