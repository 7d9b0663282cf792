"""How long `python -m data_prep` takes and how much memory it needs, on a script repeated to the size of a long show.

    python benchmarks/data_prep.py SCRIPT --character NAME [--repeat 3] [--runs 3]

Each copy of the script gets episodes and rows of its own. A run is a process of its own, start and imports included;
the seconds are the median of the runs, the peak is the largest resident set of any.
"""

from __future__ import annotations

import argparse
import csv
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def repeat_script(script: Path, times: int, out: Path) -> int:
    """Writes `times` copies of a 13-column script to `out` and returns the number of rows."""
    with script.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    episodes = max(int(row[1]) for row in rows)
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for copy in range(times):
            for index, (_, episode, *rest) in enumerate(rows, copy * len(rows) + 1):
                writer.writerow([index, int(episode) + copy * episodes, *rest])
    return times * len(rows)


def timed_run(script: Path, character: str, out: Path) -> tuple[float, float, float]:
    """Seconds, seconds of processor time, and peak resident megabytes of one run."""
    command = [sys.executable, "-m", "data_prep", str(script), "--character", character, "--out", str(out), "--json"]
    start = time.perf_counter()
    with (out.parent / "counts.json").open("wb") as counts:
        actions = [(os.POSIX_SPAWN_DUP2, counts.fileno(), 1)]
        child = os.posix_spawn(sys.executable, command, os.environ, file_actions=actions)
        _, status, usage = os.wait4(child, 0)
    if status:
        sys.exit(f"error: {' '.join(command)} failed")
    kilobytes = usage.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, kilobytes / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description="Time data_prep on a repeated script.")
    parser.add_argument("script", type=Path, metavar="SCRIPT")
    parser.add_argument("--character", required=True, metavar="NAME")
    parser.add_argument("--repeat", type=int, default=3, metavar="N")
    parser.add_argument("--runs", type=int, default=3, metavar="N")
    options = parser.parse_args()
    script = options.script.resolve()
    os.chdir(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        long_script = Path(folder) / "script.csv"
        rows = repeat_script(script, options.repeat, long_script)
        runs = [timed_run(long_script, options.character, Path(folder) / "examples") for _ in range(options.runs)]
    seconds, processor, _ = map(statistics.median, zip(*runs, strict=True))
    peak = max(peak for *_, peak in runs)
    print(f"{rows:,} rows: {seconds:.1f} s ({processor:.1f} s of processor time), peak {peak:.0f} MB")


if __name__ == "__main__":
    main()
