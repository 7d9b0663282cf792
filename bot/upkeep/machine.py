"""What the machine tells of itself, in bytes."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

PROCESSES = Path("/proc")  # Linux has it.


def free_bytes(folder: Path) -> int:
    """How much more fits on the disk of a folder."""
    return shutil.disk_usage(folder).free


def memory_of_process() -> int | None:
    """How much memory this process takes, with those that it has started; None where that is not told."""
    try:
        return sum(map(_memory_of, _with_children(os.getpid())))
    except (OSError, ValueError, IndexError, AttributeError):
        return None


def memory_of_machine() -> int | None:
    """How much memory the machine has; None where that is not told."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return None


def _memory_of(process: int) -> int:
    # The second number is what the process has in memory, in pages.
    return int((PROCESSES / str(process) / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _with_children(process: int) -> Iterator[int]:
    yield process
    for children in (PROCESSES / str(process) / "task").glob("*/children"):
        for child in children.read_text().split():
            yield from _with_children(int(child))
