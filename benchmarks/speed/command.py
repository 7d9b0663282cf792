"""How quick the engines are, side by side on this machine: python -m model bench, or `make bench`.

Everything in one run, the engines in turns: answers per second of 1, 8 and 32 chats, the wait for them, the first
token, cold start, memory; on GPT-2 with random weights and on Lisa. Writes speed.json, speed.md and speed.png into DIR.
"""

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

from tqdm import tqdm

from benchmarks.speed import chart, quantization, report, serving
from benchmarks.speed.bases import GPT2, LISA, TITLES, make_base
from benchmarks.speed.competitors import BFLOAT16, ENTRIES, OURS, Entry
from benchmarks.speed.contest import FULL, QUICK, Match, Plan
from benchmarks.speed.limits import measure_again, measure_machine, work_of
from benchmarks.speed.results import Contest, Results
from benchmarks.speed.workloads import Workload
from model.atomic import write_json, write_text
from model.errors import ModelError

ANSWERS, FEW_ANSWERS = 200, 20  # whose perplexity is taken
STARTS = 3


def main(arguments: Sequence[str]) -> int:
    """Measure, write, and print the page's tables. Raises ModelError."""
    options = parse_options(arguments)
    check_libraries(options.engines)
    results = measure(options.models, [ENTRIES[key] for key in options.engines], options.quick)
    write(results, options.out)
    print(report.page(results))
    return 0


def parse_options(arguments: Sequence[str]) -> argparse.Namespace:
    """What to measure, and how long."""
    parser = argparse.ArgumentParser(
        "python -m model bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a minute or so: Lisa alone, few rounds, no 32 chats")
    parser.add_argument("--models", nargs="+", metavar="MODEL", help=f"{', '.join(TITLES)} or a folder")
    parser.add_argument(
        "--engines",
        nargs="+",
        choices=ENTRIES,
        metavar="ENGINE",
        help=f"some of {', '.join(ENTRIES)}; default: all, but {BFLOAT16} only where the processor computes so",
    )
    parser.add_argument("--out", type=Path, default=Path("docs/results"), metavar="DIR", help="default docs/results")
    options = parser.parse_args(arguments)
    options.engines = options.engines or default_engines()
    options.models = options.models or ([LISA] if options.quick else [GPT2, LISA])
    return options


def default_engines() -> list[str]:
    """All that this processor does justice to: where bfloat16 is imitated, a run with it would take hours."""
    from model.trainer import has_fast_bfloat16

    return [key for key in ENTRIES if key != BFLOAT16 or has_fast_bfloat16()]


def check_libraries(engines: Sequence[str]) -> None:
    """ModelError names a library that is missing."""
    wanted = {name for key in engines for name in ENTRIES[key].needs} | {"psutil", "matplotlib"}
    for name in sorted(wanted):
        if find_spec(name.replace("-", "_")) is None:
            raise ModelError(f"{name} is missing: `make bench` installs it")


def measure(models: Sequence[str], entries: Sequence[Entry], quick: bool) -> Results:
    """One contest after the other, then what concerns Lisa alone."""
    results = Results(measure_machine(), quick=quick)
    for model in models:
        # Retrieval does not depend on the model: once is enough.
        playing = [entry for entry in entries if not entry.retrieves or model == models[-1]]
        with tempfile.TemporaryDirectory() as scratch:
            name = model if model in TITLES else Path(model).name
            results.contests[name] = hold(model, playing, Path(scratch), QUICK if quick else FULL)
            if model == LISA and OURS in results.contests[name].figures:
                answers = FEW_ANSWERS if quick else ANSWERS
                results.quantization = quantization.measure(Path(scratch) / "base", Path(scratch) / OURS, answers)
    measure_again(results.machine)
    if LISA in models:
        results.serving = serving.measure(1 if quick else STARTS)
    return results


def hold(model: str, entries: Sequence[Entry], scratch: Path, plan: Plan) -> Contest:
    """Prepare all engines in `scratch`, then let them play."""
    base = scratch / "base" if model in TITLES else Path(model).absolute()
    if model in TITLES:
        make_base(model, base)
    folders = {entry.key: scratch / entry.key for entry in ENTRIES.values() if entry in entries or entry.key == OURS}
    for key, folder in tqdm(folders.items(), desc="Preparing", unit="engine", leave=False, disable=None):
        folder.mkdir()
        ENTRIES[key].prepare(base, folder)
    contest = Contest(TITLES.get(model, Path(model).name), work_of(base, folders[OURS]))
    with tqdm(total=plan.turns(entries), desc=contest.title, unit="turn", leave=False, disable=None) as bar:
        Match(contest, Workload(base), bar.update).play(entries, folders, plan)
    return contest


def write(results: Results, folder: Path) -> None:
    """speed.json, speed.png and speed.md."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "speed.json", asdict(results))
    chart.draw(results, folder / "speed.png")
    write_text(folder / "speed.md", report.page(results))
