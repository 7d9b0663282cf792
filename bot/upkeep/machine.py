"""What the machine tells of itself, in bytes."""

import os
import shutil
from pathlib import Path

STATUS = Path("/proc/self/statm")  # Linux has it; its second number is what the process has in memory, in pages.


def free_bytes(folder: Path) -> int:
    """How much more fits on the disk of a folder."""
    return shutil.disk_usage(folder).free


def memory_of_process() -> int | None:
    """How much memory this process takes; None where that is not told."""
    try:
        return int(STATUS.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError, AttributeError):
        return None


def memory_of_machine() -> int | None:
    """How much memory the machine has; None where that is not told."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return None
